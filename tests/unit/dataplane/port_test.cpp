#include "dataplane/port.h"

#include "dataplane/netns.h"
#include "tests/unit/catch.h"

namespace {

using namespace dataplane;
constexpr PortDriver kDrivers[] = {PortDriver::pci, PortDriver::af_xdp, PortDriver::af_packet};

PortSetup setup(PortDriver driver, std::uint32_t frame) {
    PortSetup s;
    s.driver = driver;
    s.device = "eth1";
    s.frame = frame;
    return s;
}

}  // namespace

TEST_CASE("the MTU sum of a secured port with one inner tag is 9,051 octets for packets of 9,001") {
    STATIC_REQUIRE(frame_octets(9001, 1, true) == 9051);
    STATIC_REQUIRE(frame_octets(1500, 0, false) == 1514);
    STATIC_REQUIRE(frame_octets(1500, 2, true) == 1554);
    STATIC_REQUIRE(kernel_mtu(frame_octets(1500, 1, true)) == 1536);
}

TEST_CASE("buffers of the proposed size have room for the frame, on every driver and for every frame") {
    for (const auto driver : kDrivers)
        for (std::uint32_t frame = 64; frame < 9200; ++frame) {
            const auto octets = buffer_octets_for(driver, frame);
            if (!octets) continue;
            INFO("driver " << static_cast<int>(driver) << " frame " << frame << " buffers " << *octets);
            REQUIRE(room(driver, *octets) >= frame);
        }
}

TEST_CASE("no smaller buffer than the proposed one would do, unless a least size is in force") {
    for (const auto driver : kDrivers)
        for (std::uint32_t frame = 2100; frame < 9200; frame += 7)
            if (const auto octets = buffer_octets_for(driver, frame)) REQUIRE(room(driver, *octets - 1) < frame);
}

TEST_CASE("AF_XDP carries an ordinary secured frame in a default buffer and no jumbo frame in any") {
    REQUIRE(room(PortDriver::af_xdp, 2176) >= frame_octets(1500, 2, true));
    REQUIRE_FALSE(buffer_octets_for(PortDriver::af_xdp, frame_octets(9001, 1, true)));
    REQUIRE(room(PortDriver::af_xdp, 9312) == 0);
}

TEST_CASE("AF_PACKET carries a jumbo frame with buffers of 9,312 octets") {
    REQUIRE(buffer_octets_for(PortDriver::af_packet, frame_octets(9001, 2, true)) == 9312);
    REQUIRE(room(PortDriver::af_packet, 2176) >= frame_octets(1500, 2, true));
    REQUIRE(room(PortDriver::af_packet, 2000) == 0);
}

TEST_CASE("an AF_XDP port loads our program and does not busy-poll") {
    REQUIRE(device_arguments(setup(PortDriver::af_xdp, 1514), 2176, "/proc/self/fd/7") ==
            "net_af_xdp_eth1,iface=eth1,start_queue=0,queue_count=1,busy_budget=0,xdp_prog=/proc/self/fd/7");
}

TEST_CASE("an AF_PACKET port passes by the queueing discipline and takes the ring its frames need") {
    REQUIRE(device_arguments(setup(PortDriver::af_packet, 1554), 2176, "") ==
            "net_af_packet_eth1,iface=eth1,qdisc_bypass=1,framesz=2048,blocksz=65536,framecnt=1024");
    REQUIRE(device_arguments(setup(PortDriver::af_packet, 9055), 9312, "") ==
            "net_af_packet_eth1,iface=eth1,qdisc_bypass=1,framesz=9216,blocksz=36864,framecnt=512");
}

TEST_CASE("a PCI port is its address") {
    auto s = setup(PortDriver::pci, 1514);
    s.device = "0000:3b:00.0";
    REQUIRE(device_arguments(s, 2176, "") == "0000:3b:00.0");
}

TEST_CASE("a namespace is a name under /run/netns, a path, or the thread's own") {
    REQUIRE(netns_path("pe") == "/run/netns/pe");
    REQUIRE(netns_path("/proc/1/ns/net") == "/proc/1/ns/net");
    REQUIRE(netns_path("") == "/proc/thread-self/ns/net");
}
