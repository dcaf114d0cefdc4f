// `demarc decode --mka-keys`: wpa_supplicant's captures of tests/golden/mka, a capture of our own KaYs with
// GCM-AES-XPN-256, and what goes wrong. tests/golden/decode/mka.* as in demarc_decode_cli_test.cpp.
#include <map>
#include <nlohmann/json.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/macsec/mka/bench.h"
#include "tests/unit/macsec/mka_support.h"
#include "tests/unit/tools/decode_support.h"
#include "tools/demarc/decode_mka.h"

using namespace macsec;
using namespace macsec::test;
using namespace decode_test;
using nlohmann::json;

namespace {

cli::Options mka_options(const std::string& capture, const std::string& caks, bool as_json = true) {
    cli::Options o = options(capture, "", as_json);
    o.mka_keys = caks;
    return o;
}

std::string cak_entry(ConstOctets cak, ConstOctets ckn) {
    return fmt::format(R"({{"cak":"{}","ckn":"{}"}})", to_hex(cak), to_hex(ckn));
}
std::string caks_of(const MkaRun& run) { return "[" + cak_entry(run.cak, run.ckn.span()) + "]"; }

std::vector<Sample> samples_of(const std::vector<Bytes>& frames) {
    std::vector<Sample> samples;
    for (const Bytes& f : frames) samples.push_back({.octets = f});
    return samples;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

// Our word of a set for the one in the description of a capture.
std::string our_word(const std::string& word) {
    if (word == "live" || word == "potential") return word + "-peer-list";
    return word == "dist-sak" ? "distributed-sak" : word;
}

const json* set_of(const json& about, const std::string& word) {
    for (const json& set : about.at("sets"))
        if (our_word(set.at("type")) == word) return &set;
    return nullptr;
}

void check_peers(const json& shown, const json& about, const std::string& what) {
    const json* const set = set_of(about, what + "-peer-list");
    REQUIRE(shown.contains(what + "_peers") == (set != nullptr));
    if (set == nullptr) return;
    json want = json::array();
    for (const json& peer : set->at("peers")) want.push_back({{"mi", peer[0]}, {"mn", peer[1]}});
    CHECK(shown.at(what + "_peers") == want);
}

void check_use(const json& shown, const json& set, const std::string& which) {
    if (!shown.contains(which)) {
        CHECK(set.at(which + "_kn") == 0);
        return;
    }
    const json& use = shown.at(which);
    CHECK(use.at("an") == set.at(which + "_an"));
    CHECK(use.at("key_server") == set.at(which + "_ki"));
    CHECK(use.at("key_number") == set.at(which + "_kn"));
    CHECK(use.at("lowest_pn") == set.at(which + "_lpn"));
    CHECK(use.at("tx") == (set.at(which + "_tx") == 1));
    CHECK(use.at("rx") == (set.at(which + "_rx") == 1));
}

// An MKPDU as shown against what another implementation read in it.
void check_mkpdu(const json& shown, const json& about) {
    CHECK(shown.at("kind") == "mkpdu");
    CHECK(shown.at("icv") == "ok");
    for (const char* name : {"sci", "mi", "mn", "ckn"}) CHECK(shown.at(name) == about.at(name));
    CHECK(shown.at("version") == about.at("mka_version"));
    CHECK(shown.at("key_server_priority") == about.at("priority"));
    CHECK(shown.at("key_server") == (about.at("key_server") == 1));
    CHECK(shown.at("macsec_desired") == (about.at("desired") == 1));
    CHECK(shown.at("capability") == "confidentiality");
    json sets = json::array();
    for (const json& set : about.at("sets")) sets.push_back(our_word(set.at("type")));
    CHECK(shown.at("sets") == sets);
    check_peers(shown, about, "live");
    check_peers(shown, about, "potential");
    if (const json* use = set_of(about, "sak-use"))
        for (const char* which : {"latest", "old"}) check_use(shown.at("sak_use"), *use, which);
    CHECK(shown.contains("distributed_sak") == (set_of(about, "distributed-sak") != nullptr));
    if (!shown.contains("distributed_sak")) return;
    CHECK(shown.at("distributed_sak").at("unwrapped") == true);
    CHECK(shown.at("distributed_sak").at("cipher_suite") == "gcm-aes-128");
}

void check_run(const std::string& name, const json& out) {
    const MkaRun run = mka_run(name);
    std::size_t mkpdus = 0, protected_frames = 0;
    REQUIRE(out.at("frames").size() == run.frames.size());
    for (const json& shown : out.at("frames")) {
        INFO(shown.dump());
        if (shown.at("kind") == "mkpdu") {
            check_mkpdu(shown, run.about.at("mkpdus")[mkpdus++]);
            continue;
        }
        const json& about = run.about.at("macsec_frames")[protected_frames++];
        CHECK(shown.at("verdict") == "ok");
        CHECK(shown.at("plaintext") == about.at("plain"));
        CHECK(shown.at("pn") == about.at("pn"));
        CHECK(out.at("keys")[shown.at("key").get<std::size_t>()].at("key_number") == about.at("kn"));
    }
    CHECK(mkpdus == run.about.at("mkpdus").size());
    CHECK(protected_frames == run.about.at("macsec_frames").size());
    CHECK(out.at("totals") == json{{"ok", protected_frames}, {"mkpdus", {{"ok", mkpdus}}}});
}

void compare(const std::string& name, const std::string& text) {
    const std::string golden = std::string(DEMARC_GOLDEN) + "/decode/" + name;
    const char* const update = std::getenv("DEMARC_UPDATE_GOLDEN");
    if (update != nullptr && std::string_view(update) == "1") std::ofstream(golden, std::ios::binary) << text;
    INFO(golden);
    CHECK(text == content(golden));
}

// Two KaYs with GCM-AES-XPN-256 and what passes between them: MKPDUs, and frames of whoever transmits, protected with
// what its KaY ordered.
struct XpnCapture {
    mka::test::Bench bench;
    std::vector<Bytes> frames;
    std::vector<Bytes> plain;  // of those that are MACsec, in their order
    std::vector<Bytes> saks;

    XpnCapture() {
        const mka::RingKey key{mka::test::ckn_of(1), mka::test::cak_of(0x31, 32), {}, {}, false};
        mka::Settings server = mka::test::settings_of(16, {key});
        server.sak_rekey_ms = 5'000;
        bench.add(1, server);
        bench.add(2, mka::test::settings_of(32, {key}));
        bench.run_until(bench.now + 30 * mka::kSecond, [this] {
            for (auto& station : bench.stations) record(station);
            return false;
        });
    }
    static std::string caks() { return "[" + cak_entry(Bytes(32, 0x31), Bytes{0x0a, 1}) + "]"; }

private:
    void record(mka::test::Station& station) {
        for (std::size_t& n = seen_[&station]; n < station.sent.size(); ++n) frames.push_back(station.sent[n]);
        mka::test::Sas* const sas = station.transmitting();
        if (sas == nullptr || !is_received(station, *sas)) return;
        const mka::InstallKey& key = sas->key;
        const SaDescription d{.suite = key.suite,
                              .an = key.an,
                              .sci = key.own.sci,
                              .ssci = key.own.ssci,
                              .salt = key.salt,
                              .confidentiality = key.confidentiality,
                              .confidentiality_offset = key.confidentiality_offset};
        Pair pair(d, key.sak->octets());
        plain.push_back(plain_frame(60 + plain.size() % 40));
        frames.push_back(pair.frame_with_pn(sas->next_pn++, plain.back()));
        saks.emplace_back(key.sak->octets().begin(), key.sak->octets().end());
    }
    // The first SAK's server transmits with it before its MKPDU is due; that SAK opens no frame yet, here or there.
    bool is_received(const mka::test::Station& from, const mka::test::Sas& sas) {
        return std::ranges::all_of(bench.stations, [&](mka::test::Station& to) {
            return &to == &from || mka::test::Bench::would_receive(to, sas);
        });
    }
    std::map<const mka::test::Station*, std::size_t> seen_;
};

}  // namespace

TEST_CASE("in wpa_supplicant's captures every ICV is ok, every SAK unwraps, and every MACsec frame opens") {
    const Directory d;
    for (const std::string name : kMkaRuns) {
        INFO(name);
        const std::string caks = d.file(name, caks_of(mka_run(name)));
        const Ran ran = run(mka_options(mka_golden(name + ".pcap"), caks));
        CHECK(ran.code == cli::kOk);
        CHECK(ran.err == "");
        check_run(name, json::parse(ran.out));
        cli::Options judging = mka_options(mka_golden(name + ".pcap"), caks);
        judging.replay_window = 0;
        CHECK(run(judging).code == cli::kOk);
    }
}

TEST_CASE("under GCM-AES-XPN-256 frames open with SSCI and salt that follow from the MKPDUs, over many SAKs") {
    const Directory d;
    const XpnCapture capture;
    const Ran ran =
        run(mka_options(d.file("x.pcap", classic(samples_of(capture.frames))), d.file("caks", XpnCapture::caks())));
    CHECK(ran.code == cli::kOk);
    const json out = json::parse(ran.out);
    std::size_t opened = 0;
    for (const json& f : out.at("frames")) {
        if (f.at("kind") == "mkpdu") continue;
        REQUIRE(f.at("verdict") == "ok");
        CHECK(f.at("plaintext") == to_hex(capture.plain[opened++]));
    }
    CHECK(opened == capture.plain.size());
    CHECK(opened >= 50);
    CHECK(out.at("totals").at("mkpdus").size() == 1);
    REQUIRE(out.at("keys").size() >= 10);
    for (const json& key : out.at("keys")) {
        CHECK(key.at("suite") == "gcm-aes-xpn-256");
        CHECK(key.at("ssci") == (key.at("sci") == "0200000000020001" ? 1 : 2));
        CHECK(key.at("ok") > 0);
    }
    CHECK(out.at("keys")[8].at("an") == 0);  // comes round again
    CHECK(out.at("keys")[8].at("key_number") == 5);
}

TEST_CASE("with a wrong CAK every ICV is bad, no frame opens, and the code is 1") {
    const Directory d;
    const MkaRun run_128 = mka_run(kMkaRuns[0]);
    const std::string capture = mka_golden(std::string(kMkaRuns[0]) + ".pcap");
    const Ran ran = run(mka_options(capture, d.file("k", "[" + cak_entry(Bytes(16, 1), run_128.ckn.span()) + "]")));
    CHECK(ran.code == cli::kNotOk);
    const json out = json::parse(ran.out);
    CHECK(out.at("totals") == json{{"unknown-sci", 62}, {"mkpdus", {{"bad", 68}}}});
    CHECK(out.at("keys").empty());
    for (const json& f : out.at("frames")) {
        if (f.contains("icv")) CHECK(f.at("icv") == "bad");
        if (f.contains("distributed_sak")) CHECK(f.at("distributed_sak").at("unwrapped") == false);
    }
    // MKPDUs alone decide it, too.
    const std::string mkpdus = d.file("mkpdus", classic(samples_of(run_128.mkpdus())));
    CHECK(run(mka_options(mkpdus, d.path + "/k")).code == cli::kNotOk);
    CHECK(run(mka_options(mkpdus, d.file("right", caks_of(run_128)))).code == cli::kOk);
}

TEST_CASE("of an unknown CKN all is told that needs no key") {
    const Directory d;
    const MkaRun known = mka_run(kMkaRuns[1]);
    const std::string capture = mka_golden(std::string(kMkaRuns[1]) + ".pcap");
    for (const std::string& caks : {std::string("[]"), "[" + cak_entry(known.cak, Bytes{1}) + "]"}) {
        const Ran ran = run(mka_options(capture, d.file("k", caks)));
        CHECK(ran.code == cli::kNotOk);
        json out = json::parse(ran.out);
        CHECK(out.at("totals") == json{{"unknown-sci", 10}, {"mkpdus", {{"no-key", 8}}}});
        std::size_t i = 0;
        for (json& f : out.at("frames")) {
            if (f.at("kind") != "mkpdu") continue;
            CHECK(f.at("icv") == "no-key");
            f["icv"] = "ok";
            if (f.contains("distributed_sak")) {
                CHECK(f.at("distributed_sak").at("unwrapped") == false);
                f["distributed_sak"]["unwrapped"] = true;
            }
            check_mkpdu(f, known.about.at("mkpdus")[i++]);
        }
        CHECK(i == 8);
    }
}

TEST_CASE("a malformed MKPDU says where it is wrong, and what stood before that") {
    const Directory d;
    const MkaRun known = mka_run(kMkaRuns[1]);
    const Bytes good = known.mkpdus().back();
    Bytes cut = good, version = good, set = good, other = good, tiny(good.begin(), good.begin() + 17);
    cut.resize(40);
    version[18] = 0;
    set[14 + 4 + 32 + 32 + 2] |= 0x0f;  // of the first set behind the Basic one
    other[15] = 1;                      // EAPOL-Start
    std::vector<Sample> samples = samples_of({good, cut, version, set, other, tiny, good, good});
    samples[6].kept = 60;
    samples[7].kept = good.size() - 2;
    const Ran ran = run(mka_options(d.file("t.pcap", classic(samples)), d.file("k", caks_of(known))));
    CHECK(ran.code == cli::kNotOk);
    const json out = json::parse(ran.out), &f = out.at("frames");
    CHECK(f[0].at("icv") == "ok");
    const std::pair<int, const char*> errors[] = {
        {1, "length-mismatch"}, {2, "bad-mka-version"}, {3, "parameter-set-too-long"},
        {5, "short-header"},    {6, "truncated"},       {7, "truncated"}};
    for (const auto& [i, want] : errors) {
        INFO(i);
        CHECK(f[i].at("kind") == "mkpdu");
        CHECK(f[i].at("error") == want);
        CHECK_FALSE(f[i].contains("icv"));
        CHECK_FALSE(f[i].contains("sets"));
    }
    CHECK(f[3].at("mi") == f[0].at("mi"));
    CHECK(f[3].at("mn") == f[0].at("mn"));
    CHECK_FALSE(f[1].contains("mi"));
    CHECK(f[4].at("kind") == "other");
    CHECK(out.at("totals") == json{{"other", 1}, {"mkpdus", {{"ok", 1}, {"malformed", 4}, {"truncated", 2}}}});
    const std::string text = run(mka_options(d.path + "/t.pcap", d.path + "/k", false)).out;
    CHECK(has(text, "bad-mka-version"));
    CHECK(has(text, "8 frames, 1 other"));
    CHECK(has(text, "mkpdus  1 ok, 4 malformed, 2 truncated"));
}

TEST_CASE("MKPDUs are found behind clear tags, as MACsec frames are, and padding behind them is nothing") {
    const Directory d;
    const MkaRun known = mka_run(kMkaRuns[1]);
    std::vector<Bytes> frames = known.frames;
    const std::string tags[] = {"81000007", "88a8000a81000014", "88a8000a8100001491000001"};
    for (std::size_t i = 0; i < frames.size(); ++i) frames[i] = with_tags(frames[i], tags[i % 3]);
    for (Bytes& f : frames)
        if (f.size() < 160)
            continue;
        else if (load_be16(f.data() + *cli::ethertype_at(f)) == kEtherTypeEapol)
            f.resize(f.size() + 20);
    const Ran ran = run(mka_options(d.file("t.pcap", classic(samples_of(frames))), d.file("k", caks_of(known))));
    CHECK(ran.code == cli::kOk);
    CHECK(json::parse(ran.out).at("totals") == json{{"ok", 10}, {"mkpdus", {{"ok", 8}}}});
}

TEST_CASE("MKPDUs are found under another EtherType than EAPOL's by a CKN that is known") {
    const Directory d;
    const MkaRun known = mka_run(kMkaRuns[1]);
    std::vector<Bytes> frames = known.frames;
    const auto keys = mka::derive_keys(known.cak, known.ckn);
    REQUIRE(keys);
    for (Bytes& f : frames) {
        if (load_be16(f.data() + 12) != kEtherTypeEapol) continue;
        f[12] = 0x87, f[13] = 0x6f;
        const auto pdu = mka::decode(ConstOctets(f).subspan(14));
        REQUIRE(pdu);
        const std::size_t end = 14 + mka::pdu_octets(ConstOctets(f).subspan(14));
        const auto covered = ConstOctets(f).subspan(14, end - 14 - mka::kMkaIcvOctets);
        const auto icv = mka::icv(keys->ick, ConstOctets(f).first(14), covered).value();
        std::copy(icv.begin(), icv.end(), f.begin() + static_cast<std::ptrdiff_t>(end - mka::kMkaIcvOctets));
    }
    const auto told = [&](const std::string& caks) {
        return json::parse(run(mka_options(d.file("t.pcap", classic(samples_of(frames))), d.file("k", caks))).out)
            .at("totals");
    };
    CHECK(told(caks_of(known)) == json{{"ok", 10}, {"mkpdus", {{"ok", 8}}}});
    CHECK(told("[" + cak_entry(Bytes(16, 1), Bytes{9}) + "]") == json{{"other", 8}, {"unknown-sci", 10}});
}

TEST_CASE("keys and CAKs go together, and without CAKs MKPDUs are other frames") {
    const Directory d;
    const MkaRun known = mka_run(kMkaRuns[1]);
    SaDescription strange = describe(CipherSuite::gcm_aes_256);
    strange.sci = Sci{0x0200'0000'0f01'0001};
    Pair stranger(strange, sak_for(strange.suite));
    std::vector<Bytes> frames = known.frames;
    frames.push_back(stranger.frame_with_pn(1, plain_frame(60)));
    const std::string keys = d.file("keys", "[" + entry(strange, sak_for(strange.suite)) + "]");
    cli::Options o = mka_options(d.file("t.pcap", classic(samples_of(frames))), d.file("caks", caks_of(known)));
    CHECK(json::parse(run(o).out).at("totals") == json{{"ok", 10}, {"unknown-sci", 1}, {"mkpdus", {{"ok", 8}}}});
    o.keys = keys;
    const Ran both = run(o);
    CHECK(both.code == cli::kOk);
    const json out = json::parse(both.out);
    CHECK(out.at("totals") == json{{"ok", 11}, {"mkpdus", {{"ok", 8}}}});
    CHECK_FALSE(out.at("keys")[0].contains("mkpdu"));
    CHECK(out.at("keys")[1].at("mkpdu") > 0);
    CHECK(out.at("frames").back().at("key") == 0);
    o.mka_keys = "";
    CHECK(json::parse(run(o).out).at("totals") == json{{"ok", 1}, {"unknown-sci", 10}, {"other", 8}});
}

TEST_CASE("a SAK opens the frames behind the MKPDU that brings it, not those before") {
    const Directory d;
    const MkaRun known = mka_run(kMkaRuns[1]);
    std::vector<Bytes> frames = known.frames;
    std::stable_partition(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(frames.size() / 2),
                          [](const Bytes& f) { return !is_eapol(f); });
    const auto early = static_cast<std::size_t>(
        std::find_if(frames.begin(), frames.end(), [](const Bytes& f) { return is_eapol(f); }) - frames.begin());
    REQUIRE(early > 0);
    const Ran ran = run(mka_options(d.file("t.pcap", classic(samples_of(frames))), d.file("k", caks_of(known))));
    CHECK(ran.code == cli::kNotOk);
    CHECK(json::parse(ran.out).at("totals") ==
          json{{"ok", 10 - early}, {"unknown-sci", early}, {"mkpdus", {{"ok", 8}}}});
}

TEST_CASE("a SAK that does not unwrap under a good ICV is told, and the code is 1") {
    const Directory d;
    const MkaRun known = mka_run(kMkaRuns[1]);
    const mka::CakKeys keys = keys_from(known.cak, known.ckn);
    mka::Mkpdu pdu = small();
    pdu.basic.ckn = known.ckn;
    pdu.distributed_sak.emplace().wrapped = Bytes(24, 0x55);
    mka::Mkpdu none = small();
    none.basic.ckn = known.ckn;
    none.distributed_sak.emplace();
    none.others.push_back({.type = 99, .flags = 0, .body = {}});
    const std::string capture =
        d.file("t.pcap", classic(samples_of({mka_frame(pdu, keys.ick), mka_frame(none, keys.ick)})));
    const Ran ran = run(mka_options(capture, d.file("k", caks_of(known))));
    CHECK(ran.code == cli::kNotOk);
    const json f = json::parse(ran.out).at("frames");
    CHECK(f[0].at("icv") == "ok");
    CHECK(f[0].at("distributed_sak").at("unwrapped") == false);
    CHECK(f[1].at("distributed_sak") == json{{"macsec", false}});
    CHECK(f[1].at("sets") == json{"distributed-sak", "type-99"});
    const std::string text = run(mka_options(capture, d.path + "/k", false)).out;
    CHECK(has(text, "2 ok, 1 with a SAK not unwrapped"));
    CHECK(has(text, "not unwrapped"));
}

TEST_CASE("the lowest PN of SAK Use has 64 bits where the XPN set brings the upper ones") {
    const Directory d;
    mka::Mkpdu pdu = small();
    pdu.sak_use.emplace().latest = {
        .an = An{3}, .transmits = true, .receives = false, .key = {pdu.basic.mi, 9}, .lowest_pn = 7};
    pdu.xpn = mka::XpnSet{.suspension_time = 0, .latest_lowest_pn_high = 2, .old_lowest_pn_high = 0};
    const std::string capture = d.file("t.pcap", classic(samples_of({mka_frame(pdu, secret_of(Bytes(16, 1)))})));
    const json f = json::parse(run(mka_options(capture, d.file("k", "[]"))).out).at("frames")[0];
    CHECK(f.at("sak_use").at("latest") == json{{"an", 3},
                                               {"key_server", "0102030405060708090a0b0c"},
                                               {"key_number", 9},
                                               {"lowest_pn", (std::uint64_t{2} << 32) + 7},
                                               {"tx", true},
                                               {"rx", false}});
    CHECK_FALSE(f.at("sak_use").contains("old"));
    CHECK(f.at("sets") == json{"sak-use", "xpn"});
}

TEST_CASE("what is printed holds no octet of a CAK, KEK, ICK or SAK") {
    const Directory d;
    const XpnCapture xpn;
    const mka::CakKeys keys = keys_from(Bytes(32, 0x31), mka::test::ckn_of(1));
    std::vector<std::string> secrets{to_hex(Bytes(32, 0x31)), to_hex(keys.kek.octets()), to_hex(keys.ick.octets())};
    for (const Bytes& sak : xpn.saks) secrets.push_back(to_hex(sak));
    const std::string capture = d.file("t", classic(samples_of(xpn.frames))), caks = d.file("k", XpnCapture::caks());
    for (const bool as_json : {true, false}) {
        const std::string out = run(mka_options(capture, caks, as_json), {.width = 1000, .color = false}).out;
        CHECK(has(out, "0200000000020001"));
        for (const std::string& secret : secrets)
            for (std::size_t at = 0; at + 16 <= secret.size(); at += 16) CHECK_FALSE(has(out, secret.substr(at, 16)));
    }
}

TEST_CASE("MKPDUs stand in the plaintext capture as they were, which is neither of the key files") {
    const Directory d;
    const MkaRun known = mka_run(kMkaRuns[1]);
    const std::string caks = d.file("caks", caks_of(known)), keys = d.file("keys", "[]");
    cli::Options o = mka_options(mka_golden(std::string(kMkaRuns[1]) + ".pcap"), caks);
    o.keys = keys;
    o.write = d.path + "/plain.pcap";
    CHECK(json::parse(run(o).out).at("written") == known.frames.size());
    const std::vector<Bytes> written = pcap_frames(o.write);
    REQUIRE(written.size() == known.frames.size());
    for (std::size_t i = 0; i < written.size(); ++i) CHECK((written[i] == known.frames[i]) == is_eapol(written[i]));
    for (const std::string& path : {caks, keys}) {
        const std::string before = content(path);
        o.write = path;
        const Ran ran = run(o);
        CHECK(ran.code == cli::kUsage);
        CHECK(has(ran.err, "is what is being read; name another file for -w"));
        CHECK(content(path) == before);
    }
}

TEST_CASE("a file of CAKs that others may read, or with mistakes, ends the command with code 2 and says where") {
    const Directory d;
    const MkaRun known = mka_run(kMkaRuns[1]);
    const std::string capture = mka_golden(std::string(kMkaRuns[1]) + ".pcap");
    const Ran open = run(mka_options(capture, d.file("open", caks_of(known), 0640)));
    CHECK(open.code == cli::kUsage);
    CHECK(has(open.err, "has mode 0640: others may use the keys in it; chmod 0600"));
    CHECK(open.out == "");
    const Ran wrong = run(mka_options(capture, d.file("wrong", "[{\"cak\":\"00\",\n\"ckn\":\"01\"}]")));
    CHECK(wrong.code == cli::kUsage);
    CHECK(wrong.err == d.path + "/wrong:1:9: [0].cak: is not right; write 32 or 64 hexadecimal digits\n");
    CHECK(run(mka_options(capture, d.path + "/none")).code == cli::kUsage);
}

TEST_CASE("what is printed of MKPDUs stands in the golden files and keeps to the width") {
    const Directory d;
    const std::string name = kMkaRuns[1], caks = d.file("k", caks_of(mka_run(name)));
    const auto of = [&](unsigned width, bool as_json) {
        return run(mka_options(mka_golden(name + ".pcap"), caks, as_json), {.width = width, .color = false}).out;
    };
    compare("mka.80.txt", of(80, false));
    compare("mka.160.txt", of(160, false));
    compare("mka.json", of(80, true));
    for (unsigned width = cli::kMinWidth; width <= 160; width += 20) {
        INFO(width);
        std::istringstream in(of(width, false));
        for (std::string line; std::getline(in, line);) CHECK(line.size() <= width);
    }
}
