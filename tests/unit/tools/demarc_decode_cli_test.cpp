// `demarc decode` on files: the captures of tests/golden/macsec, captures made here, and what it prints.
// tests/golden/decode/CASE.{80,120,color}.txt and CASE.json; DEMARC_UPDATE_GOLDEN=1 writes them anew.
#include <pcap/pcap.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/catch.h"
#include "tests/unit/tools/decode_support.h"
#include "tools/demarc/decode_capture.h"

using namespace macsec;
using namespace macsec::test;
using namespace decode_test;
using Json = nlohmann::json;

namespace {

const std::string kRoot = DEMARC_SOURCE_ROOT;
const char* const kLinux[] = {"gcm-aes-128-enc",   "gcm-aes-128-nosci-es",  "gcm-aes-128-vlan-inner",
                              "gcm-aes-256-integ", "gcm-aes-xpn-128-integ", "gcm-aes-xpn-256-enc"};

std::string of_linux(const std::string& name, const std::string& extension) {
    return kRoot + "/tests/golden/macsec/static-" + name + extension;
}

// Both ends' keys, as the case's own description has them.
std::string keys_of_linux(const std::string& name) {
    const Json about = Json::parse(content(of_linux(name, ".json")));
    Json keys = Json::array();
    for (const char* end : {"a", "b"}) {
        const Json& e = about.at(end);
        Json key{
            {"sci", e.at("sci")}, {"suite", about.at("cipher_suite")}, {"an", about.at("an")}, {"sak", e.at("tx_sak")}};
        if (!e.at("ssci").is_null()) key.update({{"ssci", e.at("ssci")}, {"salt", e.at("salt")}});
        keys.push_back(key);
    }
    return keys.dump();
}

struct Read {
    Bytes octets;
    std::uint32_t length;
    std::int64_t seconds, nanoseconds;
    bool operator==(const Read&) const = default;
};

std::vector<Read> read_capture(const std::string& path) {
    char why[PCAP_ERRBUF_SIZE];
    pcap_t* const p = pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, why);
    REQUIRE(p != nullptr);
    std::vector<Read> frames;
    pcap_pkthdr* h;
    const u_char* octets;
    while (pcap_next_ex(p, &h, &octets) == 1)
        frames.push_back({Bytes(octets, octets + h->caplen), h->len, h->ts.tv_sec, h->ts.tv_usec});
    pcap_close(p);
    return frames;
}

// A link where much goes wrong: two SCs, clear frames, and one frame of every kind of trouble.
struct Trouble {
    SaDescription wide = describe(CipherSuite::gcm_aes_xpn_256), narrow = describe(CipherSuite::gcm_aes_128),
                  unused = narrow;
    std::vector<Sample> samples;

    Trouble() {
        narrow.sci = unused.sci = Sci{0x0200'0000'0b01'0001};
        narrow.an = An{0};
        unused.an = An{1};
        Pair a(wide, sak_for(wide.suite)), b(narrow, sak_for(narrow.suite)), c(unused, sak_for(unused.suite));
        const std::uint64_t base = std::uint64_t{7} << 32;
        Bytes tampered = a.frame_with_pn(base + 2, plain_frame(60)),
              version = a.frame_with_pn(base + 3, plain_frame(60));
        tampered.back() ^= 1;
        version[14] |= 0x80;
        Bytes tagged = a.frame_with_pn(base + 4, plain_frame(60)), stranger = b.frame_with_pn(2, plain_frame(60));
        const Bytes tags = from_hex("88a8000a81000014");
        tagged.insert(tagged.begin() + 12, tags.begin(), tags.end());
        stranger[20] ^= 0x40;
        for (Bytes& octets :
             std::vector<Bytes>{a.frame_with_pn(base + 1, plain_frame(60)), plain_frame(46), tampered,
                                b.frame_with_pn(1, plain_frame(1400)), b.frame_with_pn(2, plain_frame(300)), version,
                                tagged, c.frame_with_pn(1, plain_frame(60)), stranger})
            samples.push_back(
                {.octets = std::move(octets), .fraction = static_cast<std::uint32_t>(samples.size() * 1'500)});
        samples[4].kept = 96;
        samples.back().seconds += 120;
    }
    std::string keys() const {
        return "[" + entry(wide, sak_for(wide.suite)) + ",\n" + entry(narrow, sak_for(narrow.suite)) + ",\n" +
               entry(wide, Bytes(32, 0x11)) + "]";
    }
};

void compare(const std::string& name, const std::string& text) {
    const std::string golden = kRoot + "/tests/golden/decode/" + name;
    const char* const update = std::getenv("DEMARC_UPDATE_GOLDEN");
    if (update != nullptr && std::string_view(update) == "1") std::ofstream(golden, std::ios::binary) << text;
    INFO(golden);
    CHECK(text == content(golden));
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

std::size_t widest(const std::string& text) {
    std::size_t most = 0;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) most = std::max(most, line.size());
    return most;
}

}  // namespace

TEST_CASE("every frame of Linux's captures is ok, and its plaintext is the one recorded") {
    const Directory d;
    for (const std::string name : kLinux) {
        INFO(name);
        const std::string keys = d.file(name, keys_of_linux(name));
        const std::string written = d.path + "/" + name + ".pcap";
        const Ran ran = run(options(of_linux(name, ".pcap"), keys, true, written));
        CHECK(ran.code == cli::kOk);
        CHECK(ran.err == "");
        const Json out = Json::parse(ran.out), vectors = Json::parse(content(of_linux(name, ".vectors.json")));
        REQUIRE(vectors.size() >= 8);
        REQUIRE(out.at("frames").size() == vectors.size());
        for (std::size_t i = 0; i < vectors.size(); ++i) {
            const Json& f = out.at("frames")[i];
            INFO(i);
            CHECK(f.at("index") == i);
            CHECK(f.at("kind") == "macsec");
            CHECK(f.at("verdict") == "ok");
            CHECK(f.at("plaintext") == vectors[i].at("plain"));
            CHECK(f.at("pn") == vectors[i].at("pn"));
            CHECK(f.at("sci") == vectors[i].at("sci"));
        }
        CHECK(out.at("totals") == Json{{"ok", vectors.size()}});
        const auto plain = read_capture(of_linux(name, ".plain.pcap")), got = read_capture(written);
        const auto wire = read_capture(of_linux(name, ".pcap"));
        REQUIRE(got.size() == plain.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            CHECK(got[i].octets == plain[i].octets);
            CHECK(std::pair(got[i].seconds, got[i].nanoseconds) == std::pair(wire[i].seconds, wire[i].nanoseconds));
        }
    }
}

TEST_CASE("with the other end's key every frame is not valid and the code is 1") {
    const Directory d;
    for (const std::string name : kLinux) {
        Json keys = Json::parse(keys_of_linux(name));
        std::swap(keys[0]["sak"], keys[1]["sak"]);
        const Ran ran = run(options(of_linux(name, ".pcap"), d.file(name, keys.dump()), true));
        const Json out = Json::parse(ran.out);
        CHECK(ran.code == cli::kNotOk);
        CHECK(out.at("totals") == Json{{"not-valid", out.at("frames").size()}});
        CHECK_FALSE(out.at("frames")[0].contains("plaintext"));
    }
}

TEST_CASE("what is printed stands in the golden files") {
    const Directory d;
    const Trouble trouble;
    const std::string capture = d.file("t.pcap", classic(trouble.samples)), keys = d.file("keys", trouble.keys());
    const std::string linux_keys = d.file("linux", keys_of_linux("gcm-aes-xpn-256-enc"));
    const auto of = [&](const std::string& file, const std::string& list, unsigned width, bool color) {
        return run(options(file, list), {.width = width, .color = color});
    };
    compare("trouble.80.txt", of(capture, keys, 80, false).out);
    compare("trouble.120.txt", of(capture, keys, 120, false).out);
    compare("trouble.color.txt", of(capture, keys, 120, true).out);
    compare("trouble.json", run(options(capture, keys, true)).out);
    compare("linux.80.txt", of(of_linux("gcm-aes-xpn-256-enc", ".pcap"), linux_keys, 80, false).out);
    CHECK(of(capture, keys, 80, false).code == cli::kNotOk);
}

TEST_CASE("the table keeps to the width") {
    const Directory d;
    const Trouble trouble;
    const std::string capture = d.file("t.pcap", classic(trouble.samples)), keys = d.file("keys", trouble.keys());
    for (unsigned width = cli::kMinWidth; width <= 160; width += 5) {
        INFO(width);
        CHECK(widest(run(options(capture, keys), {.width = width, .color = false}).out) <= width);
    }
}

TEST_CASE("the columns of a long table stand below each other, and nothing is lost between its parts") {
    const Directory d;
    Pair a(describe(CipherSuite::gcm_aes_128), sak_for(CipherSuite::gcm_aes_128));
    std::vector<Sample> samples;
    for (std::uint64_t pn = 1; pn <= 2500; ++pn) samples.push_back({.octets = a.frame_with_pn(pn, plain_frame(60))});
    const std::string capture = d.file("t.pcap", classic(samples));
    const std::string keys = d.file("keys", "[" + entry(a.description, sak_for(a.description.suite)) + "]");
    const std::string out = run(options(capture, keys)).out;
    std::istringstream in(out);
    std::string line, first;
    std::getline(in, line);
    for (int i = 0; i < 2500; ++i) {
        std::getline(in, line);
        if (i == 0) first = line;
        CHECK(std::stoi(line) == i);
        CHECK(line.find("ok") == first.find("ok"));
    }
    CHECK(has(out, "totals   2,500 frames, 2,500 ok"));
    const Json json = Json::parse(run(options(capture, keys, true)).out);
    CHECK(json.at("frames").size() == 2500);
    CHECK(json.at("frames")[2499].at("pn") == 2500);
}

TEST_CASE("pcapng reads as pcap does, and a capture in nanoseconds keeps them in the plaintext capture") {
    const Directory d;
    const Trouble trouble;
    std::vector<Sample> in_ns = trouble.samples;
    for (Sample& s : in_ns) s.fraction *= 1000;
    const std::string keys = d.file("keys", trouble.keys());
    const std::string us = d.file("us.pcap", classic(trouble.samples)),
                      ns = d.file("ns.pcap", classic(in_ns, kNanoseconds)),
                      ng = d.file("x.pcapng", next_generation(in_ns));
    const std::string want = run(options(us, keys, true)).out;
    CHECK(Json::parse(want).at("frames").size() == trouble.samples.size());
    CHECK(run(options(ns, keys, true)).out == want);
    CHECK(run(options(ng, keys, true)).out == want);
    in_ns[0].fraction = 123'456'789;
    run(options(d.file("odd.pcapng", next_generation(in_ns)), keys, false, d.path + "/plain"));
    CHECK(read_capture(d.path + "/plain").at(0).nanoseconds == 123'456'789);
    CHECK(content(d.path + "/plain").starts_with("\x4D\x3C\xB2\xA1"));
    run(options(us, keys, false, d.path + "/plain"));
    CHECK(content(d.path + "/plain").starts_with("\xD4\xC3\xB2\xA1"));
}

TEST_CASE("the plaintext capture has the opened frames and the clear ones, and decodes as clear itself") {
    const Directory d;
    const Trouble trouble;
    std::vector<Sample> samples = trouble.samples;
    samples[1].kept = 20;
    const std::string keys = d.file("keys", trouble.keys()), plain = d.path + "/plain.pcap";
    const Ran ran = run(options(d.file("t.pcap", classic(samples)), keys, true, plain));
    CHECK(Json::parse(ran.out).at("written") == 4);
    const auto got = read_capture(plain);
    REQUIRE(got.size() == 4);
    CHECK(got[0].octets == plain_frame(60));
    const Bytes clear = plain_frame(46);
    CHECK(got[1] == Read{Bytes(clear.begin(), clear.begin() + 20), static_cast<std::uint32_t>(clear.size()),
                         samples[1].seconds, samples[1].fraction * 1000});
    CHECK(got[2].octets == plain_frame(1400));
    CHECK(got[3].octets.size() == plain_frame(60).size() + 8);
    struct stat s {};
    REQUIRE(stat(plain.c_str(), &s) == 0);
    CHECK((s.st_mode & 0777) == 0600);
    REQUIRE(chmod(plain.c_str(), 0644) == 0);  // a file that is there already is taken from others
    CHECK(run(options(d.file("t.pcap", classic(samples)), keys, true, plain)).code == ran.code);
    REQUIRE(stat(plain.c_str(), &s) == 0);
    CHECK((s.st_mode & 0777) == 0600);
    const Ran again = run(options(plain, keys, true));
    CHECK(again.code == cli::kOk);
    CHECK(Json::parse(again.out).at("totals") == Json{{"other", 4}});
}

TEST_CASE("the JSON of a frame that is not MACsec says other and no more than time and length") {
    const Directory d;
    const Json out = Json::parse(
        run(options(d.file("t.pcap", classic({{.octets = plain_frame(46)}})), d.file("keys", "[]"), true)).out);
    CHECK(out == Json::parse(R"({"frames":[{"index":0,"kind":"other","time":1700000000.0,"length":58}],)"
                             R"("totals":{"other":1},"keys":[]})"));
}

TEST_CASE("an empty capture is a document and a table too") {
    const Directory d;
    const std::string capture = d.file("t.pcap", classic({})), keys = d.file("keys", "[]");
    CHECK(run(options(capture, keys)).out == "totals  0 frames\n");
    CHECK(Json::parse(run(options(capture, keys, true)).out) == Json::parse(R"({"frames":[],"totals":{},"keys":[]})"));
}

TEST_CASE("a capture that ends in the middle of a frame gives what stands before, an error, and code 2") {
    const Directory d;
    const Trouble trouble;
    std::string octets = classic(trouble.samples);
    octets.resize(octets.size() - 5);
    const std::string capture = d.file("t.pcap", octets), keys = d.file("keys", trouble.keys());
    const Ran ran = run(options(capture, keys, true));
    CHECK(ran.code == cli::kUsage);
    CHECK(has(ran.err, "is cut or broken behind its first 8 frames"));
    const Json out = Json::parse(ran.out);
    CHECK(out.at("frames").size() == 8);
    CHECK(has(out.at("error"), "is cut or broken"));
}

TEST_CASE("what is no capture of Ethernet is one sentence with a remedy, and code 2") {
    const Directory d;
    const std::string keys = d.file("keys", "[]");
    const std::pair<std::string, std::string> cases[] = {
        {d.path + "/none", "cannot be opened: No such file or directory; name a capture"},
        {d.path, "is no capture"},
        {d.file("text", "not a capture at all, by far"), "is no capture"},
        {d.file("empty", ""), "is no capture"},
        {d.file("sll.pcap", classic({}, kMicroseconds, 113)),
         "link type LINUX_SLL, not Ethernet; capture on the Ethernet device"},
        {d.file("odd.pcap", classic({}, kMicroseconds, 65000)), "not Ethernet"},
    };
    for (const auto& [path, want] : cases) {
        const Ran ran = run(options(path, keys));
        INFO(ran.err);
        CHECK(ran.code == cli::kUsage);
        CHECK(ran.out == "");
        CHECK(ran.err.starts_with("demarc: " + path));
        CHECK(has(ran.err, want));
        CHECK(std::ranges::count(ran.err, '\n') == 1);
    }
}

TEST_CASE("a key file that others may use is refused with the remedy, and so is what is no file of ours") {
    const Directory d;
    const Trouble trouble;
    const std::string capture = d.file("t.pcap", classic(trouble.samples));
    for (const mode_t mode : {0644, 0640, 0604, 0602, 0660, 0610}) {
        const std::string keys = d.file("keys", trouble.keys(), mode);
        const Ran ran = run(options(capture, keys));
        CHECK(ran.code == cli::kUsage);
        CHECK(ran.out == "");
        CHECK(ran.err == fmt::format("demarc: {0} has mode {1:04o}: others may use the keys in it; chmod 0600 {0}\n",
                                     keys, static_cast<unsigned>(mode)));
    }
    const std::string keys = d.file("keys", trouble.keys());
    const auto foreign = cli::KeyFileText::read(keys, geteuid() + 1);
    if (geteuid() != 0) CHECK(has(foreign.error(), "belongs to user"));
    if (geteuid() == 0) {
        REQUIRE(chown(keys.c_str(), 12345, 0) == 0);
        CHECK(has(cli::KeyFileText::read(keys).error(), "belongs to user 12345; make a copy that is yours"));
        CHECK(cli::KeyFileText::read(keys, 12345));
    }
    CHECK(has(run(options(capture, d.path)).err, "is no regular file"));
    CHECK(has(run(options(capture, d.path + "/none")).err, "cannot be opened"));
    CHECK(
        has(run(options(capture, d.file("long", std::string(cli::kMaxKeyFileOctets + 1, ' ')))).err, "is longer than"));
    CHECK(run(options(capture, d.file("full", std::string(cli::kMaxKeyFileOctets - 2, ' ') + "[]"))).code ==
          cli::kNotOk);
}

TEST_CASE("mistakes of the key list are lines FILE:LINE:COLUMN, all of them, and code 2") {
    const Directory d;
    const std::string keys = d.file("keys", "[\n{\"an\": 9},\n{\"x\": 1}]");
    const Ran ran = run(options(of_linux("gcm-aes-128-enc", ".pcap"), keys));
    CHECK(ran.code == cli::kUsage);
    CHECK(ran.out == "");
    CHECK(ran.err.starts_with(keys + ":2:1: [0].suite: is missing"));
    CHECK(has(ran.err, keys + ":3:7: [1]: \"x\" is not known"));
}

TEST_CASE("-w never destroys what is being read") {
    const Directory d;
    const Trouble trouble;
    const std::string capture = d.file("t.pcap", classic(trouble.samples)), keys = d.file("keys", trouble.keys());
    fs::create_hard_link(capture, d.path + "/link");
    for (const std::string& path : {capture, keys, d.path + "/link"}) {
        const std::string before = content(path);
        const Ran ran = run(options(capture, keys, false, path));
        CHECK(ran.code == cli::kUsage);
        CHECK(has(ran.err, "is what is being read; name another file for -w"));
        CHECK(content(path) == before);
    }
    CHECK(has(run(options(capture, keys, false, d.path)).err, "cannot be written: Is a directory"));
    CHECK(run(options(capture, keys, false, "/dev/null")).code == cli::kNotOk);
}

TEST_CASE("a full disk ends the command with code 2 and a sentence") {
    const Directory d;
    const std::string name = "gcm-aes-128-enc", keys = d.file("keys", keys_of_linux(name));
    const Ran ran = run(options(of_linux(name, ".pcap"), keys, false, "/dev/full"));
    CHECK(ran.code == cli::kUsage);
    CHECK(ran.err == "demarc: /dev/full cannot be written: No space left on device; is the disk full?\n");
}

TEST_CASE("when standard output takes no more, reading stops") {
    const Directory d;
    const Trouble trouble;
    int asked = 0;
    const auto output =
        cli::decode_capture(options(d.file("t", classic(trouble.samples)), d.file("k", trouble.keys()), true), {},
                            [&](std::string_view) { return ++asked < 3; });
    CHECK(asked == 3);
    CHECK(output.code == cli::kUsage);
}

TEST_CASE("a replay window of the command line is that of the decoder") {
    const Directory d;
    Pair a(describe(CipherSuite::gcm_aes_128), sak_for(CipherSuite::gcm_aes_128));
    const Bytes wire = a.frame_with_pn(5, plain_frame(60));
    const std::string keys = d.file("keys", "[" + entry(a.description, sak_for(a.description.suite)) + "]");
    cli::Options o = options(d.file("t", classic({{.octets = wire}, {.octets = wire}})), keys, true);
    CHECK(Json::parse(run(o).out).at("totals") == Json{{"ok", 2}});
    o.replay_window = 100;
    CHECK(Json::parse(run(o).out).at("totals") == Json{{"duplicate", 1}, {"ok", 1}});
}
