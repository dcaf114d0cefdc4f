// Recorded streams of zebra 8.4.4 against dumps by tests/golden/fpm/dump.py, which shares no code with us.
#include "bgp-glue/fpm_frame.h"
#include <map>

#include "bgp-glue/rib.h"
#include "bgp-glue/route_queue.h"
#include "tests/unit/bgp-glue/zebra_says.h"
#include "tests/unit/catch.h"

using namespace bgp_glue;

namespace {

// A recorded stream, played up to a number of route messages at a time.
class Player {
public:
    explicit Player(const std::string& name) {
        rib_.connected();
        FpmParser parser;
        const auto fed = parser.feed(zebra_says::golden("fpm/" + name), [this](macsec::ConstOctets payload) {
            frames_.push_back(decode_frame(payload, counters));
        });
        REQUIRE(fed);
        REQUIRE(parser.finish());
        REQUIRE(frames_.size() > 1000);
    }

    // Whole frames until `route_messages` have been applied.
    void play(std::size_t route_messages) {
        for (; next_ < frames_.size() && seen_ < route_messages; ++next_) {
            for (const auto& m : frames_[next_]) seen_ += std::holds_alternative<RouteMessage>(m);
            queue_.push(rib_.apply(frames_[next_], Time{}));
        }
    }

    std::string dump() const { return text(rib_.routes()); }

    // What somebody knows who only heard the coalesced changes.
    std::string dump_behind_queue() {
        for (const auto& change : queue_.drain(100000)) {
            if (const auto* set = std::get_if<SetRoute>(&change)) heard_[key_of(change)] = *set;
            else heard_.erase(key_of(change));
        }
        std::vector<SetRoute> routes;
        for (const auto& [key, route] : heard_) routes.push_back(route);
        return text(routes);
    }
    const Rib& rib() const { return rib_; }

    DecodeCounters counters;

private:
    static std::string text(const std::vector<SetRoute>& routes) {
        std::string all;
        for (const auto& r : routes) all += to_string(r) + '\n';
        return all;
    }

    std::vector<std::vector<ZebraMessage>> frames_;
    std::size_t next_{}, seen_{};
    Rib rib_;
    RouteQueue queue_;
    std::map<RouteKey, SetRoute> heard_;
};

std::string expected_dump(const std::string& name) {
    const auto octets = zebra_says::golden("fpm/" + name);
    REQUIRE_FALSE(octets.empty());
    return {octets.begin(), octets.end()};
}

}  // namespace

TEST_CASE("a thousand recorded routes end in the dump of another decoder") {
    Player player("fpm-1000.bin");
    player.play(SIZE_MAX);
    CHECK(player.dump() == expected_dump("fpm-1000.routes"));
    CHECK(player.counters.errors() == 0);
    CHECK(player.counters.skipped == 0);
}

TEST_CASE("the recorded mixed run ends in the same dumps with and without next-hop groups") {
    for (const char* name : {"fpm-mixed-nonhg.bin", "fpm-mixed-nhg.bin"}) {
        Player player(name);
        for (const auto& [count, dump] : {std::pair{std::size_t{1203}, "fpm-mixed.1203.routes"},
                                          {std::size_t{2303}, "fpm-mixed.2303.routes"},
                                          {SIZE_MAX, "fpm-mixed.routes"}}) {
            player.play(count);
            CHECK(player.dump() == expected_dump(dump));
            CHECK(player.dump_behind_queue() == expected_dump(dump));
        }
        CHECK(player.counters.errors() == 0);
        CHECK(player.rib().unresolved() == 0);
        CHECK(player.rib().counters().sentinels == 3);
    }
}

TEST_CASE("both next-hop-group modes agree after every hundredth route message until the link goes down") {
    Player without("fpm-mixed-nonhg.bin"), with("fpm-mixed-nhg.bin");
    for (std::size_t count = 3; count <= 2303; count += 100) {
        without.play(count);
        with.play(count);
        REQUIRE(without.dump() == with.dump());
    }
}

