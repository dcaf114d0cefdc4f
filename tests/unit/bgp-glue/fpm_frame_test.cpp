#include "bgp-glue/fpm_frame.h"

#include "tests/unit/bgp-glue/zebra_says.h"
#include "tests/unit/catch.h"

using namespace bgp_glue;
using zebra_says::Octets;

namespace {

// The payloads that come out when the stream goes in by chunks of `size` octets.
std::vector<Octets> payloads(FpmParser& parser, const Octets& stream, std::size_t size) {
    std::vector<Octets> out;
    for (std::size_t at = 0; at < stream.size(); at += size) {
        const macsec::ConstOctets chunk(stream.data() + at, std::min(size, stream.size() - at));
        const auto fed = parser.feed(chunk, [&](macsec::ConstOctets p) {
            REQUIRE(reinterpret_cast<std::uintptr_t>(p.data()) % 4 == 0);
            out.emplace_back(p.begin(), p.end());
        });
        REQUIRE(fed);
    }
    return out;
}

std::expected<void, FpmError> feed(const Octets& stream) {
    FpmParser parser;
    return parser.feed(stream, [](macsec::ConstOctets) {});
}

}  // namespace

TEST_CASE("frames come out whole however the stream is cut") {
    const Octets a(64, 0xAA), b(3, 0xBB), c{}, d(65531, 0xDD);
    Octets stream;
    for (const auto* payload : {&a, &b, &c, &d, &a}) {
        const auto frame = zebra_says::fpm_frame(*payload);
        stream.insert(stream.end(), frame.begin(), frame.end());
    }
    const std::vector<Octets> wanted{a, b, c, d, a};
    for (const std::size_t size : {1ul, 2ul, 3ul, 5ul, 7ul, 64ul, 68ul, 1000ul, 65535ul, 1000000ul}) {
        FpmParser parser;
        CHECK(payloads(parser, stream, size) == wanted);
        CHECK(parser.frames() == 5);
        CHECK(parser.octets() == stream.size());
        CHECK(parser.finish());
    }
}

TEST_CASE("a foreign version names the offset of its frame") {
    auto stream = zebra_says::fpm_frame(Octets(8, 0));
    stream.insert(stream.end(), {9, 1, 0, 8});
    const auto fed = feed(stream);
    REQUIRE_FALSE(fed);
    CHECK(fed.error() == FpmError{FpmFault::version, 12, 9});
    CHECK(describe(fed.error()).find("octet 12: version 9") != std::string::npos);
}

TEST_CASE("a type that is not netlink is an error") {
    CHECK(feed({1, 2, 0, 8}).error() == FpmError{FpmFault::type, 0, 2});
}

TEST_CASE("a length shorter than the header is an error") {
    CHECK(feed({1, 1, 0, 3}).error() == FpmError{FpmFault::length, 0, 3});
}

TEST_CASE("nonsense is seen at its first octet") { CHECK(feed({'G'}).error() == FpmError{FpmFault::version, 0, 'G'}); }

TEST_CASE("after an error nothing more comes out") {
    FpmParser parser;
    int frames = 0;
    const auto count = [&](macsec::ConstOctets) { ++frames; };
    REQUIRE_FALSE(parser.feed(Octets{2}, count));
    CHECK_FALSE(parser.feed(zebra_says::fpm_frame(Octets(4, 0)), count));
    CHECK_FALSE(parser.finish());
    CHECK(frames == 0);
}

TEST_CASE("a stream that ends within a frame is truncated") {
    FpmParser parser;
    REQUIRE(parser.feed(Octets{1, 1, 0, 9, 0}, [](macsec::ConstOctets) {}));
    CHECK(parser.finish().error() == FpmError{FpmFault::truncated, 0, 5});
}
