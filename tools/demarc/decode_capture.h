// Capture files by libpcap: reading pcap and pcapng, writing pcap. One thread per object.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "tools/demarc/decode.h"
#include "tools/demarc/decode_key_file.h"

struct pcap;
struct pcap_dumper;

namespace cli {

struct CaptureCloser {
    void operator()(pcap*) const noexcept;
    void operator()(pcap_dumper*) const noexcept;
};

class CaptureReader {
public:
    // path: "-" is standard input. Error: a sentence with the remedy; also for a link type other than Ethernet.
    static std::expected<CaptureReader, std::string> open(const std::string& path);

    // The next frame, whose octets live until the next call; nothing at the end; a sentence where the file is broken.
    std::expected<std::optional<CapturedFrame>, std::string> next();

    FileId id() const noexcept { return id_; }
    bool is_in_microseconds() const noexcept { return in_microseconds_; }  // a classic pcap file; else nanoseconds

private:
    CaptureReader() = default;
    std::string path_;
    std::unique_ptr<pcap, CaptureCloser> handle_;
    FileId id_;
    bool in_microseconds_{};
    std::uint64_t frames_{};
};

class CaptureWriter {
public:
    // Makes the file with mode 0600, or empties it. Refuses when it is one of `inputs`.
    static std::expected<CaptureWriter, std::string> create(const std::string& path, bool in_microseconds,
                                                            std::span<const FileId> inputs);
    // Error: a sentence with the remedy.
    std::expected<void, std::string> write(macsec::ConstOctets octets, std::uint64_t octets_on_wire, CaptureTime);
    // Must be the last call before the file is believed.
    std::expected<void, std::string> finish();

private:
    CaptureWriter() = default;
    std::unexpected<std::string> failed() const;
    std::string path_;
    std::unique_ptr<pcap, CaptureCloser> format_;
    std::unique_ptr<pcap_dumper, CaptureCloser> file_;
    bool in_microseconds_{};
};

}  // namespace cli
