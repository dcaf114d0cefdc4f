// Capture files as libpcap reads them, and the stream they are made from.
#include <pcap/pcap.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <memory>

#include "tests/unit/catch.h"
#include "tools/demarc/pcapng.h"
#include "tools/demarc/watch_stream.h"

namespace {

using namespace cli;
using namespace dataplane;

struct TemporaryFile {
    explicit TemporaryFile(const std::string& content) { std::ofstream(path, std::ios::binary) << content; }
    ~TemporaryFile() { unlink(path.c_str()); }
    std::string path = "/tmp/demarc-capture-" + std::to_string(getpid()) + ".pcapng";
};

std::string hex(std::string_view octets) {
    std::string text;
    for (const char c : octets) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c));
        text += two;
    }
    return text;
}

std::string words(std::string text) {
    std::erase(text, ' ');
    return text;
}

template <class Record>
std::string octets_of(Record r, std::string_view body = "") {
    r.head.octets = static_cast<std::uint32_t>(record_octets(sizeof r + body.size()));
    std::string s(reinterpret_cast<const char*>(&r), sizeof r);
    s += body;
    s.resize(r.head.octets);
    return s;
}
FrameRecord frame_record(std::uint32_t captured, std::uint32_t length) {
    FrameRecord r;
    r.head.kind = static_cast<std::uint32_t>(RecordKind::frame);
    r.when = 1'700'000'000'123'456'789;
    r.captured = captured;
    r.length = length;
    r.out = 1;
    return r;
}
const EndRecord kEnd{{24, static_cast<std::uint32_t>(RecordKind::end)}, 7, 3};

}  // namespace

TEST_CASE("a pcapng file is what libpcap reads: times to the nanosecond, lengths, octets") {
    const std::string octets = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x08\x06hello";  // 19
    const TemporaryFile file(pcapng::section_header("test") +
                             pcapng::interface_description({"ch1", "before MACsec", "arp", 65535}) +
                             pcapng::enhanced_packet({1'700'000'000'123'456'789, 100, true, octets}) +
                             pcapng::enhanced_packet({1'700'000'001'000'000'001, 14, false, octets.substr(0, 14)}) +
                             pcapng::interface_statistics({1, 2, 3, 4, 5}));
    char error[PCAP_ERRBUF_SIZE];
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> p(
        pcap_open_offline_with_tstamp_precision(file.path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error), pcap_close);
    REQUIRE(p);
    CHECK(pcap_datalink(p.get()) == DLT_EN10MB);
    pcap_pkthdr* head;
    const u_char* data;
    REQUIRE(pcap_next_ex(p.get(), &head, &data) == 1);
    CHECK(head->ts.tv_sec == 1'700'000'000);
    CHECK(head->ts.tv_usec == 123'456'789);
    CHECK(head->len == 100);
    CHECK(head->caplen == octets.size());
    CHECK(std::string_view(reinterpret_cast<const char*>(data), head->caplen) == octets);
    REQUIRE(pcap_next_ex(p.get(), &head, &data) == 1);
    CHECK(head->ts.tv_usec == 1);
    CHECK(head->caplen == 14);
    CHECK(pcap_next_ex(p.get(), &head, &data) == PCAP_ERROR_BREAK);
}

TEST_CASE("the blocks are these octets") {
    if constexpr (std::endian::native != std::endian::little) return;
    CHECK(hex(pcapng::section_header("ab")) ==
          words("0a0d0d0a 28000000 4d3c2b1a 01000000 ffffffffffffffff 0400 0200 61620000 00000000 28000000"));
    CHECK(hex(pcapng::interface_description({"p", "d", "", 96})) ==
          words("01000000 30000000 0100 0000 60000000 0200 0100 70000000 0300 0100 64000000 0900 0100 09000000 "
                "00000000 30000000"));
    CHECK(hex(pcapng::enhanced_packet({0x0102030405060708, 9, true, "xyz"})) ==
          words("06000000 30000000 00000000 04030201 08070605 03000000 09000000 78797a00 0200 0400 02000000 00000000 "
                "30000000"));
    CHECK(hex(pcapng::enhanced_packet({0, 0, false, ""})) ==
          words("06000000 2c000000 00000000 00000000 00000000 00000000 00000000 0200 0400 01000000 00000000 2c000000"));
    CHECK(hex(pcapng::interface_statistics({1, 2, 3, 4, 5})) ==
          words("05000000 58000000 00000000 00000000 02000000 0200 0800 00000000 01000000 0300 0800 00000000 02000000 "
                "0400 0800 0300000000000000 0500 0800 0400000000000000 0600 0800 0500000000000000 00000000 58000000"));
}

TEST_CASE("records come out of the stream however it is cut") {
    const std::string all = octets_of(frame_record(5, 100), "hello") + octets_of(frame_record(0, 0)) + octets_of(kEnd);
    for (std::size_t piece = 1; piece <= all.size(); ++piece) {
        WatchStream s;
        std::vector<std::string> frames;
        std::optional<EndRecord> end;
        for (std::size_t at = 0; at < all.size(); at += piece) {
            s.feed(std::string_view(all).substr(at, piece));
            for (auto r = s.next(); r && !std::holds_alternative<NoRecord>(*r); r = s.next()) {
                if (const auto* f = std::get_if<CapturedFrame>(&*r)) frames.emplace_back(f->octets);
                if (const auto* e = std::get_if<EndRecord>(&*r)) end = *e;
            }
        }
        CHECK(frames == std::vector<std::string>{"hello", ""});
        REQUIRE(end);
        CHECK((end->kept == 7 && end->dropped == 3));
    }
}

TEST_CASE("a stream that is none of demarcd's is an error, not a crash") {
    const auto refused = [](std::string octets) {
        WatchStream s;
        s.feed(octets);
        return !s.next().has_value();
    };
    CHECK(refused("{\"ok\":true}\n"));
    CHECK(refused(std::string(16, '\0')));
    CHECK(refused(std::string(16, '\xff')));
    auto frame = frame_record(5, 100);
    frame.captured = 500;  // more than there is
    CHECK(refused(octets_of(frame, "hello")));
    frame.captured = 0xFFFFFFF8;
    CHECK(refused(octets_of(frame, "hello")));
    frame = frame_record(5, 4);  // more than the frame had
    CHECK(refused(octets_of(frame, "hello")));
    frame = frame_record(5, 100);
    frame.head.kind = 9;
    CHECK(refused(octets_of(frame, "hello")));
}
