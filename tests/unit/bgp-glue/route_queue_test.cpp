#include "bgp-glue/route_queue.h"

#include "tests/unit/bgp-glue/zebra_says.h"
#include "tests/unit/catch.h"

using namespace bgp_glue;
using namespace zebra_says;

namespace {

RouteChange set(const char* p, const char* gateway) { return SetRoute{254, prefix(p), bgp_route({hop(gateway, 1)})}; }
RouteChange gone(const char* p, std::uint32_t table = 254) { return RemoveRoute{table, prefix(p)}; }

}  // namespace

TEST_CASE("of several changes of a prefix the last is kept, at the place of the first") {
    RouteQueue queue;
    queue.push({set("10.1.0.0/16", "10.0.0.1"), set("10.2.0.0/16", "10.0.0.1")});
    queue.push({gone("10.1.0.0/16"), set("10.1.0.0/16", "10.0.0.9")});
    CHECK(queue.size() == 2);
    CHECK(queue.coalesced() == 2);
    CHECK(queue.drain(100) == RouteChanges{set("10.1.0.0/16", "10.0.0.9"), set("10.2.0.0/16", "10.0.0.1")});
    CHECK(queue.empty());
}

TEST_CASE("batches are cut from the oldest, and what was drained does not coalesce") {
    RouteQueue queue;
    queue.push({set("10.1.0.0/16", "10.0.0.1"), set("10.2.0.0/16", "10.0.0.1"), set("10.3.0.0/16", "10.0.0.1")});
    CHECK(queue.drain(1) == RouteChanges{set("10.1.0.0/16", "10.0.0.1")});
    queue.push({gone("10.1.0.0/16"), gone("10.3.0.0/16")});
    CHECK(queue.drain(2) == RouteChanges{set("10.2.0.0/16", "10.0.0.1"), gone("10.3.0.0/16")});
    CHECK(queue.drain(2) == RouteChanges{gone("10.1.0.0/16")});
    CHECK(queue.peak() == 3);
}

TEST_CASE("tables and prefix lengths are different routes") {
    RouteQueue queue;
    queue.push({gone("10.0.0.0/8"), gone("10.0.0.0/8", 7), gone("10.0.0.0/9")});
    CHECK(queue.size() == 3);
}

TEST_CASE("flapping a prefix again and again takes one place") {
    RouteQueue queue;
    for (int i = 0; i < 100000; ++i) queue.push({i % 2 ? gone("10.1.0.0/16") : set("10.1.0.0/16", "10.0.0.1")});
    CHECK(queue.peak() == 1);
    CHECK(queue.drain(10) == RouteChanges{gone("10.1.0.0/16")});
}
