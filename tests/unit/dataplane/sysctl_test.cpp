#include "dataplane/sysctl.h"

#include <cerrno>

#include "tests/unit/catch.h"

using dataplane::read_sysctl;
using dataplane::SysctlRecord;

TEST_CASE("a setting is read without its newline") {
    const auto value = read_sysctl("kernel/ostype");
    REQUIRE(value);
    REQUIRE(*value == "Linux");
}

TEST_CASE("a setting that does not exist is an error with errno") {
    const auto value = read_sysctl("net/ipv4/conf/no such device/forwarding");
    REQUIRE_FALSE(value);
    REQUIRE(value.error() == ENOENT);
}

TEST_CASE("a missing setting is refused unless it is optional") {
    SysctlRecord record;
    REQUIRE(record.set("net/ipv6/conf/no such device/disable_ipv6", "1", true));
    const auto done = record.set("net/ipv6/conf/no such device/disable_ipv6", "1");
    REQUIRE_FALSE(done);
    REQUIRE(done.error().find("disable_ipv6 to 1") != std::string::npos);
    REQUIRE(record.restore());
}

TEST_CASE("a setting that has the wanted value already is not written, so that it needs no privilege") {
    SysctlRecord record;
    REQUIRE(record.set("kernel/ostype", "Linux"));
    REQUIRE(record.restore());
}
