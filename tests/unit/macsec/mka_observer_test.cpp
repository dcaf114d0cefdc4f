// The observer of MKA: a capture of wpa_supplicant frame by frame, and PDUs of our own for XPN.
#include "macsec/mka/observer.h"

#include <optional>

#include "tests/unit/catch.h"
#include "tests/unit/macsec/mka_support.h"

using namespace macsec;
using namespace macsec::mka;
using namespace macsec::test;
using nlohmann::json;

namespace {

Observer observer_of(const std::vector<std::pair<Bytes, Ckn>>& caks) {
    std::vector<KnownCak> known;
    for (const auto& [cak, ckn] : caks) known.push_back({.cak = secret_of(cak), .ckn = ckn});
    auto observer = Observer::create(known);
    if (!observer) throw std::runtime_error(observer.error());
    return std::move(*observer);
}

Observation see(Observer& observer, const Bytes& frame) {
    auto seen = observer.see(addresses_and_type(frame), eapol_of(frame));
    if (!seen) throw std::runtime_error(std::string(word(seen.error())));
    return std::move(*seen);
}

// The user data of a frame, opened with this key; nothing when it does not open.
std::optional<Bytes> opened(const ObservedKey& key, const Bytes& wire) {
    Pair pair(description_of(key), key.sak->octets());
    Room room(wire);
    if (pair.verify(room) != Verdict::ok) return std::nullopt;
    return room.bytes();
}

// A frame of this SC, and its AN.
Sci sci_in(const Bytes& wire) { return Sci{load_be64(wire.data() + 20)}; }
An an_in(const Bytes& wire) { return An{static_cast<std::uint8_t>(wire[14] & kAnMask)}; }

void check_frame(const Observer& observer, const Bytes& wire, const json& about) {
    const auto keys = observer.keys_of(sci_in(wire), an_in(wire));
    REQUIRE_FALSE(keys.empty());
    CHECK(to_hex(keys.back()->sak->octets()) == about.at("sak").get<std::string>());
    CHECK(keys.back()->key.number == about.at("kn"));
    const auto plain = opened(*keys.back(), wire);
    REQUIRE(plain.has_value());
    CHECK(to_hex(*plain) == about.at("plain").get<std::string>());
}

// A participant that says what a test wants.
struct Member {
    Sci sci;
    MemberId mi{};
    MessageNumber mn{};

    Member(std::uint64_t address, std::uint8_t id) : sci{address << 16 | 1} { mi.octets.fill(id); }
};

struct Network {
    Bytes cak = Bytes(32, 0x42);
    Ckn ckn = Ckn::from(from_hex("c0ffee")).value();
    CakKeys keys = keys_from(cak, ckn);
    CipherSuite suite = CipherSuite::gcm_aes_xpn_256;

    Mkpdu pdu(Member& from, const std::vector<const Member*>& live) const {
        Mkpdu out;
        out.basic.sci = from.sci;
        out.basic.mi = from.mi;
        out.basic.mn = ++from.mn;
        out.basic.ckn = ckn;
        PeerList& list = out.live.emplace();
        for (const Member* m : live) list.peers.push_back({.mi = m->mi, .mn = 1});
        return out;
    }
    Bytes hello(Member& from, const std::vector<const Member*>& live) const {
        return mka_frame(pdu(from, live), keys.ick);
    }
    Bytes sak(std::uint8_t filling) const { return Bytes(sak_octets(suite), filling); }
    Bytes distribute(Member& from, const std::vector<const Member*>& live, std::uint8_t an, std::uint32_t number,
                     std::uint8_t filling) const {
        Mkpdu out = pdu(from, live);
        DistributedSak& set = out.distributed_sak.emplace();
        set.an = An{an};
        set.offset = ConfidentialityOffset::zero;
        set.key_number = number;
        set.suite = suite;
        set.named = suite != CipherSuite::gcm_aes_128;
        set.wrapped = wrap_sak(keys.kek, sak(filling)).value();
        return mka_frame(out, keys.ick);
    }
    Observer observer() const { return observer_of({{cak, ckn}}); }
};

const ObservedKey& only_key(const Observer& observer, Sci sci, std::uint8_t an) {
    const auto keys = observer.keys_of(sci, An{an});
    REQUIRE(keys.size() == 1);
    return *keys.front();
}

}  // namespace

TEST_CASE("every MACsec frame of a capture opens with the key that its MKPDUs gave before") {
    for (const std::string name : kMkaRuns) {
        const MkaRun run = mka_run(name);
        Observer observer = observer_of({{run.cak, run.ckn}});
        std::size_t frames = 0;
        for (const Bytes& frame : run.frames) {
            INFO(name << ": " << to_hex(frame));
            if (!is_eapol(frame)) {
                check_frame(observer, frame, run.about.at("macsec_frames")[frames++]);
                continue;
            }
            const Observation seen = see(observer, frame);
            CHECK(seen.icv == IcvVerdict::ok);
            CHECK(seen.sak_error.empty());
        }
        CHECK(frames == run.about.at("macsec_frames").size());
    }
}

TEST_CASE("a capture's keys come once each, for each member, in their order") {
    const MkaRun run = mka_run(kMkaRuns[0]);
    Observer observer = observer_of({{run.cak, run.ckn}});
    std::size_t told = 0;
    for (const Bytes& frame : run.mkpdus()) told += see(observer, frame).new_keys;
    CHECK(told == observer.keys().size());
    // Two members have five SAKs, the third one: AN 0 1 2 3, then 0 again by the server that was restarted.
    const Sci a{0x0200'0000'0a01'0001}, b{0x0200'0000'0b01'0001}, c{0x0200'0000'0c01'0001};
    CHECK(observer.keys().size() == 11);
    std::string history;
    for (const ObservedKey& key : observer.keys())
        if (key.sci == b) history += std::to_string(key.an.value) + "/" + std::to_string(key.key.number) + " ";
    CHECK(history == "0/1 1/2 2/3 3/4 0/1 ");
    CHECK(observer.keys_of(a, An{0}).size() == 2);
    CHECK(observer.keys_of(c, An{2}).size() == 1);
    CHECK(observer.keys_of(c, An{3}).empty());
    for (const ObservedKey& key : observer.keys()) {
        CHECK((key.suite == CipherSuite::gcm_aes_128 && key.ssci == Ssci{0} && key.salt == Salt{}));
        CHECK(key.offset == ConfidentialityOffset::zero);
        CHECK(key.ckn == run.ckn);
    }
}

TEST_CASE("with another CAK every ICV is bad, with another CKN unknown, and neither gives a key") {
    const MkaRun run = mka_run(kMkaRuns[0]);
    Observer wrong = observer_of({{Bytes(16, 1), run.ckn}});
    Observer stranger = observer_of({{run.cak, Ckn::from(from_hex("01")).value()}});
    Observer nobody = observer_of({});
    for (const Bytes& frame : run.mkpdus()) {
        CHECK(see(wrong, frame).icv == IcvVerdict::bad);
        CHECK(see(stranger, frame).icv == IcvVerdict::unknown_ckn);
        CHECK(see(nobody, frame).icv == IcvVerdict::unknown_ckn);
    }
    CHECK((wrong.keys().empty() && stranger.keys().empty() && nobody.keys().empty()));
}

TEST_CASE("of two CAKs with one CKN the one that made the ICV is taken") {
    const MkaRun run = mka_run(kMkaRuns[1]);
    Observer observer = observer_of({{Bytes(32, 1), run.ckn}, {run.cak, run.ckn}, {Bytes(16, 2), run.ckn}});
    for (const Bytes& frame : run.mkpdus()) CHECK(see(observer, frame).icv == IcvVerdict::ok);
    CHECK(observer.keys().size() == 2);
}

TEST_CASE("a PDU whose octets were changed gives nothing") {
    const MkaRun run = mka_run(kMkaRuns[1]);
    Observer observer = observer_of({{run.cak, run.ckn}});
    for (Bytes frame : run.mkpdus()) {
        frame[14 + 4 + 27] ^= 1;  // of the MN
        CHECK(see(observer, frame).icv == IcvVerdict::bad);
        frame[15] = 0;
        CHECK(observer.see(addresses_and_type(frame), eapol_of(frame)).error() == DecodeError::not_mka);
    }
    CHECK(observer.keys().empty());
}

TEST_CASE("under XPN the salt comes of the key identifier and the SSCIs of the SCIs, greatest first") {
    const Network network;
    Member a(0x020000000a01, 0xaa), b(0x060000000b01, 0xbb), c(0x020000000c01, 0xcc);
    Observer observer = network.observer();
    see(observer, network.hello(b, {}));
    see(observer, network.hello(c, {}));
    const Observation seen = see(observer, network.distribute(a, {&c, &b}, 2, 0x00010002, 7));
    CHECK(seen.new_keys == 3);
    CHECK(only_key(observer, b.sci, 2).ssci == Ssci{1});
    CHECK(only_key(observer, c.sci, 2).ssci == Ssci{2});
    CHECK(only_key(observer, a.sci, 2).ssci == Ssci{3});
    for (const ObservedKey& key : observer.keys()) {
        CHECK(to_hex(key.salt) == "aaa8aaabaaaaaaaaaaaaaaaa");
        CHECK(to_hex(key.sak->octets()) == to_hex(network.sak(7)));
        CHECK(key.sak == observer.keys().front().sak);
        CHECK((key.suite == CipherSuite::gcm_aes_xpn_256 && key.an == An{2} &&
               key.offset == ConfidentialityOffset::zero));
    }
}

TEST_CASE("a frame under XPN opens with the observed key of its sender, and with no other's") {
    const Network network;
    Member a(0x020000000a01, 0xaa), b(0x020000000b01, 0xbb);
    Observer observer = network.observer();
    see(observer, network.hello(b, {&a}));
    see(observer, network.distribute(a, {&b}, 1, 5, 9));
    const SaDescription sent{.suite = CipherSuite::gcm_aes_xpn_256,
                             .an = An{1},
                             .sci = a.sci,
                             .ssci = Ssci{2},
                             .salt = salt_of({.server = a.mi, .number = 5}),
                             .confidentiality = true,
                             .confidentiality_offset = 0};
    Pair pair(sent, network.sak(9));
    const Bytes plain = from_hex("020000000b01020000000a010800") + Bytes(100, 0x45);
    const Bytes wire = pair.frame_with_pn(3, plain);
    CHECK(opened(only_key(observer, a.sci, 1), wire) == plain);
    ObservedKey wrong = only_key(observer, b.sci, 1);
    wrong.sci = a.sci;
    CHECK_FALSE(opened(wrong, wire).has_value());
}

TEST_CASE("under XPN keys wait until every member has told its SCI") {
    const Network network;
    Member a(0x020000000a01, 0xaa), b(0x020000000b01, 0xbb), c(0x020000000c01, 0xcc);
    Observer observer = network.observer();
    CHECK(see(observer, network.distribute(a, {&b, &c}, 0, 1, 7)).new_keys == 0);
    CHECK(see(observer, network.hello(b, {&a})).new_keys == 0);
    // Nor does another who says that it has the key, although the server did not list it.
    Member d(0x020000000d01, 0xdd);
    Mkpdu use = network.pdu(d, {&a});
    use.sak_use.emplace().latest = {.an = {}, .transmits = true, .receives = true, .key = {a.mi, 1}, .lowest_pn = 1};
    CHECK(see(observer, mka_frame(use, network.keys.ick)).new_keys == 0);
    CHECK(see(observer, network.hello(c, {&a})).new_keys == 3);
    CHECK(only_key(observer, c.sci, 0).ssci == Ssci{1});
    CHECK(see(observer, network.hello(b, {&a})).new_keys == 0);
}

TEST_CASE("under a 32-bit suite a key comes out for each member as soon as it is known") {
    Network network;
    network.suite = CipherSuite::gcm_aes_256;
    Member a(0x020000000a01, 0xaa), b(0x020000000b01, 0xbb), c(0x020000000c01, 0xcc);
    Observer observer = network.observer();
    CHECK(see(observer, network.distribute(a, {&b}, 0, 1, 7)).new_keys == 1);
    CHECK(see(observer, network.hello(b, {&a})).new_keys == 1);
    // The third one is not in the list yet, and then is; or says itself that it has the key.
    CHECK(see(observer, network.hello(c, {&a})).new_keys == 0);
    CHECK(see(observer, network.distribute(a, {&b, &c}, 0, 1, 7)).new_keys == 1);
    Member d(0x020000000d01, 0xdd);
    Mkpdu use = network.pdu(d, {&a});
    use.sak_use.emplace().latest.key = {.server = a.mi, .number = 1};
    CHECK(see(observer, mka_frame(use, network.keys.ick)).new_keys == 0);
    use.sak_use->latest.receives = true;
    CHECK(see(observer, mka_frame(use, network.keys.ick)).new_keys == 1);
    for (const ObservedKey& key : observer.keys()) CHECK((key.ssci == Ssci{0} && key.salt == Salt{}));
}

TEST_CASE("a key's description says what is confidential from where on") {
    ObservedKey key;
    const auto described = [&](ConfidentialityOffset offset) {
        key.offset = offset;
        const SaDescription d = description_of(key);
        return std::pair(d.confidentiality, int{d.confidentiality_offset});
    };
    CHECK(described(ConfidentialityOffset::no_confidentiality) == std::pair(false, 0));
    CHECK(described(ConfidentialityOffset::zero) == std::pair(true, 0));
    CHECK(described(ConfidentialityOffset::thirty) == std::pair(true, 30));
    CHECK(described(ConfidentialityOffset::fifty) == std::pair(true, 50));
}

TEST_CASE("who joins after an XPN key was made does not change its SSCIs") {
    const Network network;
    Member a(0x020000000a01, 0xaa), b(0x020000000b01, 0xbb), c(0x020000000c01, 0xcc);
    Observer observer = network.observer();
    see(observer, network.hello(b, {&a}));
    see(observer, network.distribute(a, {&b}, 0, 1, 7));
    see(observer, network.hello(c, {&a}));
    CHECK(see(observer, network.distribute(a, {&b, &c}, 0, 1, 7)).new_keys == 0);
    CHECK(see(observer, network.distribute(a, {&b, &c}, 1, 2, 8)).new_keys == 3);
    CHECK(only_key(observer, a.sci, 0).ssci == Ssci{2});
    CHECK(only_key(observer, a.sci, 1).ssci == Ssci{3});
}

TEST_CASE("a restarted member that is listed with both its MIs counts once") {
    const Network network;
    Member a(0x020000000a01, 0xaa), b(0x020000000b01, 0xb1), again(0x020000000b01, 0xb2);
    Observer observer = network.observer();
    see(observer, network.hello(b, {&a}));
    see(observer, network.hello(again, {&a}));
    CHECK(see(observer, network.distribute(a, {&b, &again}, 0, 1, 7)).new_keys == 2);
    CHECK(only_key(observer, a.sci, 0).ssci == Ssci{2});
}

TEST_CASE("an AN that comes round again has its keys oldest first") {
    const Network network;
    Member a(0x020000000a01, 0xaa), b(0x020000000b01, 0xbb);
    Observer observer = network.observer();
    see(observer, network.hello(b, {&a}));
    for (std::uint32_t number = 1; number <= 9; ++number)
        for (int repeated = 0; repeated < 3; ++repeated)
            see(observer, network.distribute(a, {&b}, number % 4, number, static_cast<std::uint8_t>(number)));
    const auto keys = observer.keys_of(b.sci, An{1});
    REQUIRE(keys.size() == 3);
    for (std::uint32_t i = 0; i < 3; ++i) CHECK(keys[i]->key.number == 1 + 4 * i);
    CHECK(observer.keys().size() == 18);
}

TEST_CASE("one key number for two SAKs is an error of the server, and both are told") {
    const Network network;
    Member a(0x020000000a01, 0xaa), b(0x020000000b01, 0xbb);
    Observer observer = network.observer();
    see(observer, network.hello(b, {&a}));
    see(observer, network.distribute(a, {&b}, 0, 1, 7));
    CHECK(see(observer, network.distribute(a, {&b}, 0, 1, 8)).new_keys == 2);
}

TEST_CASE("a SAK that does not unwrap is said and gives no key; the PDU counts otherwise") {
    const Network network;
    Member a(0x020000000a01, 0xaa), b(0x020000000b01, 0xbb);
    Observer observer = network.observer();
    Mkpdu damaged = network.pdu(b, {});
    DistributedSak& set = damaged.distributed_sak.emplace();
    set.suite = network.suite;
    set.wrapped = Bytes(40, 0x55);
    const Observation seen = see(observer, mka_frame(damaged, network.keys.ick));
    CHECK((seen.icv == IcvVerdict::ok && seen.new_keys == 0));
    CHECK(seen.sak_error == "the SAK was wrapped with another KEK, or damaged");
    CHECK(see(observer, network.distribute(a, {&b}, 0, 1, 7)).new_keys == 2);
    // A server that wants no MACsec.
    Mkpdu plain = network.pdu(a, {&b});
    plain.distributed_sak.emplace();
    CHECK(see(observer, mka_frame(plain, network.keys.ick)).sak_error.empty());
}

TEST_CASE("associations of different CKNs do not know each other") {
    Network one, two;
    two.ckn = Ckn::from(from_hex("beef")).value();
    two.keys = keys_from(two.cak, two.ckn);
    Member a(0x020000000a01, 0xaa), b(0x020000000b01, 0xbb);
    Observer observer = observer_of({{one.cak, one.ckn}, {two.cak, two.ckn}});
    see(observer, one.hello(b, {&a}));
    CHECK(see(observer, two.distribute(a, {&b}, 0, 1, 7)).new_keys == 0);
    CHECK(see(observer, one.distribute(a, {&b}, 0, 1, 7)).new_keys == 2);
    CHECK(observer.keys().front().ckn == one.ckn);
}

TEST_CASE("another algorithm agility is named and not judged") {
    const Network network;
    Member a(0x020000000a01, 0xaa);
    Observer observer = network.observer();
    Mkpdu other = network.pdu(a, {});
    other.basic.algorithm_agility = 0x0080'C202;
    CHECK(see(observer, mka_frame(other, network.keys.ick)).icv == IcvVerdict::unknown_algorithm);
    CHECK(word(IcvVerdict::ok) == "ok");
    CHECK(word(IcvVerdict::bad) == "bad");
    CHECK(word(IcvVerdict::unknown_ckn) == "unknown-ckn");
    CHECK(word(IcvVerdict::unknown_algorithm) == "unknown-algorithm");
}

TEST_CASE("a CAK of a wrong size makes no observer") {
    std::vector<KnownCak> caks;
    caks.push_back({.cak = secret_of(Bytes(20, 1)), .ckn = Ckn::from(Bytes(1, 1)).value()});
    CHECK(Observer::create(caks).error() == "a CAK has 16 or 32 octets, not 20");
}
