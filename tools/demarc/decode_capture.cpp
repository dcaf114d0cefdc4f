#include "tools/demarc/decode_capture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pcap/pcap.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tools/demarc/plaintext_file.h"
#include "tools/demarc/style.h"

namespace cli {
namespace {

constexpr int kSnapLength = 262144;  // the most that libpcap reads of one frame

std::unexpected<std::string> refuse(const std::string& path, std::string_view what) {
    return std::unexpected(fmt::format("{} {}", escaped(path), what));
}

// Whether the first octets are those of a pcap file with microseconds. A pipe cannot be asked.
bool begins_in_microseconds(int fd) {
    std::uint32_t magic = 0;
    if (pread(fd, &magic, sizeof magic, 0) != sizeof magic) return false;
    return magic == 0xA1B2C3D4 || magic == 0xD4C3B2A1;
}

FileId id_of(int fd) {
    struct stat s {};
    if (fstat(fd, &s) != 0) return {};
    return {s.st_dev, s.st_ino};
}

std::string link_type_name(int type) {
    const char* const name = pcap_datalink_val_to_name(type);
    return name != nullptr ? name : std::to_string(type);
}

}  // namespace

void CaptureCloser::operator()(pcap* p) const noexcept { pcap_close(p); }
void CaptureCloser::operator()(pcap_dumper* d) const noexcept { pcap_dump_close(d); }

std::expected<CaptureReader, std::string> CaptureReader::open(const std::string& path) {
    std::FILE* const file = std::fopen(path == "-" ? "/dev/stdin" : path.c_str(), "rbe");
    if (file == nullptr)
        return refuse(path,
                      fmt::format("cannot be opened: {}; name a capture that you may read", std::strerror(errno)));
    CaptureReader reader;
    reader.path_ = path;
    reader.id_ = id_of(fileno(file));
    reader.in_microseconds_ = begins_in_microseconds(fileno(file));
    std::array<char, PCAP_ERRBUF_SIZE> why{};
    reader.handle_.reset(
        pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why.data()));  // closes the file
    if (!reader.handle_) {
        std::fclose(file);
        return refuse(path, fmt::format("is no capture: {}; name a pcap or pcapng file", escaped(why.data())));
    }
    const int type = pcap_datalink(reader.handle_.get());
    if (type != DLT_EN10MB)
        return refuse(path,
                      fmt::format("holds frames of link type {}, not Ethernet; capture on the Ethernet device itself",
                                  link_type_name(type)));
    return reader;
}

std::expected<std::optional<CapturedFrame>, std::string> CaptureReader::next() {
    pcap_pkthdr* header = nullptr;
    const u_char* octets = nullptr;
    const int result = pcap_next_ex(handle_.get(), &header, &octets);
    if (result == PCAP_ERROR_BREAK) return std::nullopt;
    if (result != 1)
        return refuse(path_,
                      fmt::format("is cut or broken behind its first {} frames: {}; what stands before was decoded",
                                  frames_, escaped(pcap_geterr(handle_.get()))));
    ++frames_;
    return CapturedFrame{.octets = {octets, header->caplen},
                         .octets_on_wire = header->len,
                         .time = {header->ts.tv_sec, header->ts.tv_usec}};
}

std::expected<CaptureWriter, std::string> CaptureWriter::create(const std::string& path, bool in_microseconds,
                                                                std::span<const FileId> inputs) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return refuse(path, fmt::format("cannot be written: {}; name a file that you may write", std::strerror(errno)));
    std::FILE* const file = fdopen(fd, "wb");
    if (std::ranges::find(inputs, id_of(fd)) != inputs.end()) {
        std::fclose(file);
        return refuse(path, "is what is being read; name another file for -w");
    }
    if (!keep_from_others(fd)) {
        std::fclose(file);
        return refuse(path, "may be read by others and is not yours; name another file for -w");
    }
    (void)ftruncate(fd, 0);  // what is no regular file has nothing to lose
    CaptureWriter writer;
    writer.path_ = path;
    writer.in_microseconds_ = in_microseconds;
    writer.format_.reset(pcap_open_dead_with_tstamp_precision(
        DLT_EN10MB, kSnapLength, in_microseconds ? PCAP_TSTAMP_PRECISION_MICRO : PCAP_TSTAMP_PRECISION_NANO));
    if (writer.format_) writer.file_.reset(pcap_dump_fopen(writer.format_.get(), file));  // closes the file
    if (writer.file_) return writer;
    std::fclose(file);
    return writer.failed();
}

std::expected<void, std::string> CaptureWriter::write(macsec::ConstOctets octets, std::uint64_t octets_on_wire,
                                                      CaptureTime time) {
    pcap_pkthdr header{};
    header.ts.tv_sec = time.seconds;
    header.ts.tv_usec = in_microseconds_ ? time.nanoseconds / 1000 : time.nanoseconds;
    header.caplen = static_cast<bpf_u_int32>(octets.size());
    header.len = static_cast<bpf_u_int32>(octets_on_wire);
    pcap_dump(reinterpret_cast<u_char*>(file_.get()), &header, octets.data());
    if (std::ferror(pcap_dump_file(file_.get())) != 0) return failed();
    return {};
}

std::expected<void, std::string> CaptureWriter::finish() {
    if (pcap_dump_flush(file_.get()) != 0) return failed();
    return {};
}

std::unexpected<std::string> CaptureWriter::failed() const {
    return refuse(path_, fmt::format("cannot be written: {}; is the disk full?", std::strerror(errno)));
}

}  // namespace cli
