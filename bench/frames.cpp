#include "bench/frames.h"

#include <cstdio>
#include <memory>
#include <random>

#include "dataplane/net/ethernet.h"
#include "dataplane/net/ipv4.h"

namespace bench {

namespace {

using Random = std::mt19937_64;

constexpr std::uint8_t kProtocolUdp = 17;
constexpr std::size_t kIpv4Octets = 20;

void write_ipv4(std::uint8_t* p, std::size_t octets, Random& random) {
    p[0] = 0x45;
    macsec::store_be16(p + 2, static_cast<std::uint16_t>(octets));
    p[8] = 64;
    p[9] = kProtocolUdp;
    macsec::store_be32(p + 12, 0xC0A8'0002);  // 192.168.0.2
    const auto host = static_cast<std::uint32_t>(1 + random() % 254);
    macsec::store_be32(p + 16, prefix_of(static_cast<unsigned>(random() % kRoutes)) | host);
    const auto sum = static_cast<std::uint16_t>(~net::sum_words(p, kIpv4Octets));
    std::memcpy(p + 10, &sum, sizeof sum);
    macsec::store_be16(p + kIpv4Octets, static_cast<std::uint16_t>(random()));
    macsec::store_be16(p + kIpv4Octets + 2, 4789);
    macsec::store_be16(p + kIpv4Octets + 4, static_cast<std::uint16_t>(octets - kIpv4Octets));
}

Octets draw_frame(const FramePlan& plan, Random& random) {
    Octets frame(plan.octets, 0x77);
    constexpr std::uint64_t kSender = 0x02'cc'00'00'00'01;
    net::write_addresses(frame.data(), plan.destination.number(), kSender);
    std::uint8_t* at = net::write_tags(frame.data() + net::kAddressOctets, plan.tags);
    macsec::store_be16(at, net::kEtherTypeIpv4);
    std::uint8_t* const packet = at + 2;
    const auto octets = plan.octets - static_cast<std::size_t>(packet - frame.data());
    std::memset(packet, 0, kIpv4Octets + 8);
    write_ipv4(packet, octets, random);
    return frame;
}

template <class... Values>
bool put(std::FILE* f, Values... values) {
    return ((std::fwrite(&values, sizeof values, 1, f) == 1) && ...);
}

struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
};

}  // namespace

std::vector<Octets> draw_frames(const FramePlan& plan, std::uint64_t seed) {
    Random random(seed);
    std::vector<Octets> frames;
    while (frames.size() < kFrames) frames.push_back(draw_frame(plan, random));
    return frames;
}

bool write_pcap(const std::string& path, const std::vector<Octets>& frames) {
    const std::unique_ptr<std::FILE, Close> f(std::fopen(path.c_str(), "wb"));
    if (!f) return false;
    constexpr std::uint32_t kMagic = 0xA1B2C3D4, kZero = 0, kSnap = 65535, kEthernet = 1;
    bool ok = put(f.get(), kMagic, std::uint16_t{2}, std::uint16_t{4}, kZero, kZero, kSnap, kEthernet);
    for (const Octets& frame : frames) {
        const auto length = static_cast<std::uint32_t>(frame.size());
        ok =
            ok && put(f.get(), kZero, kZero, length, length) && std::fwrite(frame.data(), 1, length, f.get()) == length;
    }
    return ok && std::fflush(f.get()) == 0;
}

}  // namespace bench
