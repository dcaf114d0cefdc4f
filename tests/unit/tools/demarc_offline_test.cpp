// check, print and frr-config on real files.
#include "tools/demarc/offline.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/catch.h"

namespace {

namespace fs = std::filesystem;

const std::string kExample = DEMARC_SOURCE_ROOT "/config/demarc.example.yaml";

struct Directory {
    Directory() {
        char name[] = "/tmp/demarc-offline-XXXXXX";
        path = mkdtemp(name);
    }
    ~Directory() { fs::remove_all(path); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    std::string file(const std::string& name, const std::string& text, mode_t mode = 0600) const {
        const std::string full = path + "/" + name;
        std::ofstream(full) << text;
        chmod(full.c_str(), mode);
        return full;
    }
    std::string path;
};

const char* const kPort = R"(router: {name: ce, run-directory: /run/x, state-directory: /var/lib/x}
ports: {lan: {driver: af_packet, device: enp1s0}}
interfaces: {lan0: {port: lan, addresses: [10.0.0.1/24]}}
)";

std::string with_bgp(const Directory& d, const std::string& password, mode_t mode = 0600) {
    return d.file("bgp.yaml", std::string(kPort) + R"(bgp:
  asn: 65001
  router-id: 10.0.0.1
  timers: {hold: 9s, keepalive: 3s, connect: 2s}
  announce: [10.0.0.0/24]
  accept: [10.9.0.0/16]
  neighbors: [{address: 10.0.0.2, asn: 65002, interface: lan0, password-file: )" +
                                  d.file("secret", password, mode) + "}]\n");
}

}  // namespace

TEST_CASE("the shipped example is good, and its canonical form is good and prints as itself") {
    CHECK(cli::check_file(kExample).err == "");
    CHECK(cli::check_file(kExample).code == cli::kOk);
    const cli::Output printed = cli::print_file(kExample);
    REQUIRE(printed.code == cli::kOk);
    const Directory d;
    CHECK(cli::print_file(d.file("again.yaml", printed.out)).out == printed.out);
}

TEST_CASE("a wrong file is named with line and column, and the code is 1") {
    const Directory d;
    const std::string file = d.file("wrong.yaml", std::string(kPort) + "nonsense: 1\n");
    for (const cli::Output& o :
         {cli::check_file(file), cli::print_file(file), cli::frr_config(file, "all", true, false)}) {
        CHECK(o.code == cli::kNotOk);
        CHECK(o.out.empty());
        CHECK(o.err.starts_with(file + ":4:1: unknown-key: "));
    }
}

TEST_CASE("a file that cannot be read is one sentence") {
    const Directory d;
    for (const std::string& path : {d.path + "/none", d.path}) {
        const cli::Output o = cli::check_file(path);
        CHECK(o.code == cli::kNotOk);
        CHECK(o.err.starts_with("demarc: cannot read "));
    }
}

TEST_CASE("FRR's configuration is made for each daemon, passwords only for bgpd") {
    const Directory d;
    const std::string file = with_bgp(d, "hunter2\n");
    const auto text = [&](const char* daemon) { return cli::frr_config(file, daemon, false, false).out; };
    CHECK(text("zebra").find("fpm address 127.0.0.1") != std::string::npos);
    CHECK(text("zebra").find("hunter2") == std::string::npos);
    CHECK(text("bgpd").find("neighbor 10.0.0.2 password hunter2") != std::string::npos);
    CHECK(text("bgpd").find("timers bgp 3 9") != std::string::npos);
    CHECK(text("staticd").find("blackhole") != std::string::npos);
    CHECK(text("all") == text("zebra") + text("bgpd") + text("staticd"));
}

TEST_CASE("passwords are not printed to a terminal unless it is asked for") {
    const Directory d;
    const std::string file = with_bgp(d, "hunter2\n");
    const cli::Output refused = cli::frr_config(file, "all", false, true);
    CHECK(refused.code == cli::kNotOk);
    CHECK(refused.out.empty());
    CHECK(refused.err.find("--show-passwords") != std::string::npos);
    CHECK(cli::frr_config(file, "all", true, true).out.find("hunter2") != std::string::npos);
    CHECK(cli::frr_config(file, "zebra", false, true).code == cli::kOk);
}

TEST_CASE("a password file that others may read is refused, and its content is not shown") {
    const Directory d;
    const cli::Output o = cli::frr_config(with_bgp(d, "hunter2\n", 0644), "bgpd", false, false);
    CHECK(o.code == cli::kNotOk);
    CHECK(o.err.find("bgp.yaml:10:") != std::string::npos);
    CHECK(o.err.find("hunter2") == std::string::npos);
}

TEST_CASE("without a bgp section there is nothing for FRR") {
    const Directory d;
    const cli::Output o = cli::frr_config(d.file("plain.yaml", kPort), "all", false, false);
    CHECK(o.code == cli::kNotOk);
    CHECK(o.err.find("no bgp section") != std::string::npos);
}
