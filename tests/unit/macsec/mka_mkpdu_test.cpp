// The MKPDU codec: what wpa_supplicant sent, what we would send, and everything in between by chance.
#include "tests/unit/catch.h"
#include "tests/unit/macsec/mka_random.h"
#include "tests/unit/macsec/mka_support.h"

using namespace macsec;
using namespace macsec::mka;
using namespace macsec::test;
using nlohmann::json;

namespace {

std::string digits(const MemberId& mi) { return to_hex(mi.octets); }

void check_peers(const PeerList& list, const json& set) {
    REQUIRE(list.peers.size() == set.at("peers").size());
    for (std::size_t i = 0; i < list.peers.size(); ++i) {
        CHECK(digits(list.peers[i].mi) == set.at("peers")[i][0].get<std::string>());
        CHECK(list.peers[i].mn == set.at("peers")[i][1]);
    }
}

void check_use(const KeyUse& use, const json& set, const std::string& which) {
    CHECK(use.an.value == set.at(which + "_an"));
    CHECK(int{use.transmits} == set.at(which + "_tx"));
    CHECK(int{use.receives} == set.at(which + "_rx"));
    CHECK(digits(use.key.server) == set.at(which + "_ki").get<std::string>());
    CHECK(use.key.number == set.at(which + "_kn"));
    CHECK(use.lowest_pn == set.at(which + "_lpn"));
}

void check_set(const Mkpdu& pdu, const json& set) {
    const auto type = set.at("type").get<std::string>();
    if (type == "live") return check_peers(pdu.live.value(), set);
    if (type == "potential") return check_peers(pdu.potential.value(), set);
    if (type == "sak-use") {
        check_use(pdu.sak_use.value().latest, set, "latest");
        check_use(pdu.sak_use->old, set, "old");
        CHECK(int{pdu.sak_use->plain_transmit} == set.at("plain_tx"));
        CHECK(int{pdu.sak_use->plain_receive} == set.at("plain_rx"));
        CHECK(int{pdu.sak_use->delay_protect} == set.at("delay_protect"));
        return;
    }
    REQUIRE(type == "dist-sak");
    const DistributedSak& sak = pdu.distributed_sak.value();
    CHECK(sak.an.value == set.at("an"));
    CHECK(static_cast<int>(sak.offset) == set.at("conf_offset"));
    CHECK(sak.key_number == set.at("kn"));
    CHECK(sak.suite == CipherSuite::gcm_aes_128);
    CHECK_FALSE(sak.named);
    CHECK(to_hex(sak.wrapped) == set.at("wrapped").get<std::string>());
}

void check_described(const Mkpdu& pdu, const json& about) {
    const BasicSet& basic = pdu.basic;
    CHECK(pdu.eapol_version == about.at("eapol_version"));
    CHECK(basic.mka_version == about.at("mka_version"));
    CHECK(basic.key_server_priority == about.at("priority"));
    CHECK(int{basic.key_server} == about.at("key_server"));
    CHECK(int{basic.macsec_desired} == about.at("desired"));
    CHECK(static_cast<int>(basic.capability) == about.at("capability"));
    CHECK(basic.sci.value == load_be64(from_hex(about.at("sci").get<std::string>()).data()));
    CHECK(digits(basic.mi) == about.at("mi").get<std::string>());
    CHECK(basic.mn == about.at("mn"));
    CHECK(basic.algorithm_agility == kAlgorithmAgility);
    CHECK(to_hex(basic.ckn.span()) == about.at("ckn").get<std::string>());
    CHECK(pdu.order.size() == about.at("sets").size());
    for (const json& set : about.at("sets")) check_set(pdu, set);
}

}  // namespace

TEST_CASE("every MKPDU of wpa_supplicant is read as it was read by others") {
    for (const std::string name : kMkaRuns) {
        const MkaRun run = mka_run(name);
        const auto mkpdus = run.mkpdus();
        REQUIRE(mkpdus.size() == run.about.at("mkpdus").size());
        REQUIRE(mkpdus.size() >= 8);
        for (std::size_t i = 0; i < mkpdus.size(); ++i) {
            INFO(name << " MKPDU " << i);
            check_described(decoded(eapol_of(mkpdus[i])), run.about.at("mkpdus")[i]);
        }
    }
}

TEST_CASE("every MKPDU of wpa_supplicant is encoded to the same octets again") {
    for (const std::string name : kMkaRuns)
        for (const Bytes& frame : mka_run(name).mkpdus()) {
            const auto again = encode(decoded(eapol_of(frame)));
            CHECK(without_icv(again) == without_icv(eapol_of(frame)));
            CHECK(to_hex(again).ends_with(std::string(2 * kMkaIcvOctets, '0')));
        }
}

TEST_CASE("a PDU of version 3 for XPN has every octet where the standard says") {
    Mkpdu pdu = small();
    pdu.basic.key_server_priority = 0x10;
    pdu.basic.key_server = pdu.basic.macsec_desired = true;
    pdu.basic.capability = Capability::confidentiality_with_offsets;
    MemberId peer;
    peer.octets.fill(0x5a);
    pdu.live = PeerList{.key_server_ssci = 2, .peers = {{peer, 9}}};
    pdu.sak_use = SakUse{.latest = {An{2}, true, true, {peer, 0x01020304}, 0x11121314},
                         .old = {An{1}, false, true, {pdu.basic.mi, 0x21222324}, 0x31323334},
                         .plain_receive = true,
                         .delay_protect = true};
    pdu.distributed_sak = DistributedSak{.an = An{3},
                                         .offset = ConfidentialityOffset::zero,
                                         .key_number = 0x41424344,
                                         .suite = CipherSuite::gcm_aes_xpn_256,
                                         .named = true,
                                         .wrapped = Bytes(40, 0x77)};
    pdu.kmd = from_hex("6b6d64");
    pdu.announcement = from_hex("0102");
    pdu.xpn = XpnSet{.suspension_time = 5, .latest_lowest_pn_high = 0x51525354, .old_lowest_pn_high = 0x61626364};
    pdu.others = {{.type = 0x20, .flags = 0xabc, .body = from_hex("ff")}};
    pdu.icv_indicator = true;
    const std::string mi = "0102030405060708090a0b0c";
    const std::string peer_mi = "5a5a5a5a5a5a5a5a5a5a5a5a";
    CHECK(to_hex(encode(pdu)) ==
          "030500d8"  // EAPOL
          "0310f021"
          "02000000"
          "0a010001" +
              mi +
              "00000007"
              "0080c201"  // Basic
              "aabbccdd"
              "ee000000"  // CKN, filling
              "01020010" +
              peer_mi +
              "00000009"  // Live Peer List
              "03b55028" +
              peer_mi +
              "01020304"
              "11121314" +
              mi +
              "21222324"
              "31323334"  // SAK Use
              "04d00034"
              "41424344"
              "0080c200"
              "01000004" +
              std::string(80, '7') +  // Distributed SAK
              "06000003"
              "6b6d6400"  // KMD
              "07000002"
              "01020000"  // Announcement
              "08050008"
              "51525354"
              "61626364"  // XPN
              "20abc001"
              "ff000000"  // unknown
              "ff000010" +
              std::string(32, '0'));  // ICV Indicator, ICV
    Mkpdu again = decoded(encode(pdu));
    CHECK(again.order == std::vector<std::uint8_t>{1, 3, 4, 6, 7, 8, 0x20, 255});
    again.order.clear();
    CHECK(again == pdu);
}

TEST_CASE("a random PDU is the same after encoding and decoding") {
    Random random(11'01);
    for (int i = 0; i < 3000; ++i) {
        const Mkpdu pdu = random_mkpdu(random);
        const auto octets = encode(pdu);
        INFO(to_hex(octets));
        CHECK(decoded(octets) == pdu);
        CHECK(pdu_octets(octets) == octets.size());
        CHECK(octets.size() % 4 == 0);
        CHECK(peek_basic(octets).value() == pdu.basic);
    }
}

TEST_CASE("octets behind the length are Ethernet's filling and are ignored") {
    const auto octets = encode(small());
    Bytes padded = octets;
    padded.resize(padded.size() + 13, 0xEE);
    CHECK(decoded(padded) == decoded(octets));
    CHECK(pdu_octets(padded) == octets.size());
}

TEST_CASE("the largest PDU is taken and one of 1500 octets is made") {
    Mkpdu pdu = small();
    pdu.kmd = Bytes(1500 - 4 - 40 - 16 - 4, 0x61);
    const auto octets = encode(pdu);
    CHECK(octets.size() == kMaxMkpduOctets);
    CHECK(decoded(octets).kmd == pdu.kmd);
}

TEST_CASE("versions 1 to 3 are read, later ones as far as they are known") {
    for (const int version : {1, 2, 3, 4, 255}) {
        Bytes octets = small_with("01070010" + std::string(32, '1'));
        octets[kBasicAt] = static_cast<std::uint8_t>(version);
        const Mkpdu pdu = decoded(octets);
        CHECK(pdu.basic.mka_version == version);
        CHECK(pdu.live.value().key_server_ssci == (version >= 3 ? 7 : 0));
        CHECK(pdu.live->peers.size() == 1);
    }
    for (const int version : {0, 1, 2, 3, 4}) {
        Bytes octets = encode(small());
        octets[0] = static_cast<std::uint8_t>(version);
        CHECK(decoded(octets).eapol_version == version);
    }
}

TEST_CASE("unknown sets and a distributed CAK are skipped, kept and sent again in their place") {
    const Bytes octets = small_with(
        "05000003"
        "c0ffee00"
        "06000001"
        "41000000"
        "fe120000"
        "05000000"
        "00000000");
    const Mkpdu pdu = decoded(octets);
    CHECK(pdu.kmd == from_hex("41"));
    REQUIRE(pdu.others.size() == 4);
    CHECK(pdu.others[0] == OtherSet{.type = 5, .flags = 0, .body = from_hex("c0ffee")});
    CHECK(pdu.others[1] == OtherSet{.type = 0xfe, .flags = 0x120, .body = {}});
    CHECK(pdu.order == std::vector<std::uint8_t>{5, 6, 0xfe, 5, 0});
    CHECK(without_icv(encode(pdu)) == without_icv(octets));
}

TEST_CASE("reserved bits and filling are ignored when received and zero when sent") {
    const std::string clean =
        "01000010"
        "0102030405060708090a0b0c"
        "00000001"
        "03b0d028" +
        std::string(80, '1') +
        "04500000"
        "06000001"
        "41000000";
    const std::string dirty =
        "01fff010"
        "0102030405060708090a0b0c"
        "00000001"
        "03b0f028" +
        std::string(80, '1') +
        "045ff000"
        "06fff001"
        "41c0ffee";
    Bytes filled = small_with(dirty);
    filled[kBasicAt + 4 + 28 + 5] = 0x99;  // behind the CKN
    filled[kBasicAt] = 2;                  // before SSCIs
    Bytes expected = small_with(clean);
    expected[kBasicAt] = 2;
    CHECK(decoded(filled) == decoded(expected));
    CHECK(without_icv(encode(decoded(filled))) == without_icv(expected));
}

TEST_CASE("a distributed SAK of nothing, one without a name and ones with a name are told apart") {
    const auto sak = [](const std::string& set) { return decoded(small_with(set)).distributed_sak.value(); };
    const auto none = sak("04900000");
    CHECK(none.an == An{2});
    CHECK(none.offset == ConfidentialityOffset::zero);
    CHECK(none.wrapped.empty());
    const auto unnamed =
        sak("0460001c"
            "00000009" +
            std::string(48, 'a'));
    CHECK(unnamed.offset == ConfidentialityOffset::thirty);
    CHECK((unnamed.suite == CipherSuite::gcm_aes_128 && !unnamed.named && unnamed.wrapped.size() == 24));
    const auto named =
        sak("04300024"
            "00000009"
            "0080c20001000001" +
            std::string(48, 'a'));
    CHECK(named.offset == ConfidentialityOffset::fifty);
    CHECK((named.suite == CipherSuite::gcm_aes_128 && named.named && named.wrapped == unnamed.wrapped));
    const auto xpn_128 =
        sak("04100024"
            "00000009"
            "0080c20001000003" +
            std::string(48, 'a'));
    CHECK((xpn_128.suite == CipherSuite::gcm_aes_xpn_128 && xpn_128.named && xpn_128.key_number == 9));
    const auto long_one =
        sak("04100034"
            "00000009"
            "0080c20001000002" +
            std::string(80, 'a'));
    CHECK((long_one.suite == CipherSuite::gcm_aes_256 && long_one.wrapped.size() == 40));
}

TEST_CASE("a distributed SAK of a cipher suite that we have not is read, and encoded to the same octets") {
    for (const std::string identifier : {"0080c20001000005", "00aabb0002000001"}) {
        const Bytes octets = small_with("0450002400000009" + identifier + std::string(48, 'a'));
        const auto pdu = decode(octets);
        REQUIRE(pdu);
        REQUIRE(pdu->distributed_sak);
        CHECK(pdu->distributed_sak->unknown_suite == std::stoull(identifier, nullptr, 16));
        CHECK((pdu->distributed_sak->key_number == 9 && pdu->distributed_sak->wrapped.size() == 24));
        CHECK(encode(*pdu) == octets);
    }
}

TEST_CASE("a suite that has to be named is named whatever the value says") {
    Mkpdu pdu = small();
    DistributedSak& sak = pdu.distributed_sak.emplace();
    sak.suite = CipherSuite::gcm_aes_256;
    sak.wrapped = Bytes(40, 1);
    const auto again = decoded(encode(pdu)).distributed_sak.value();
    CHECK((again.named && again.suite == CipherSuite::gcm_aes_256));
}

TEST_CASE("sets that the order forgets are sent, those it names in vain or twice are not") {
    Mkpdu pdu = small();
    pdu.kmd = from_hex("41");
    pdu.live = PeerList{};
    pdu.others = {{.type = 9, .flags = 0, .body = {}}};
    pdu.order = {6, 3, 6};
    CHECK(decoded(encode(pdu)).order == std::vector<std::uint8_t>{6, 1, 9});
}

TEST_CASE("what does not fit is cut from the potential peers first, then from the live ones, then other sets go") {
    Random random(11'03);
    Mkpdu pdu = small();
    pdu.sak_use = random_sak_use(random);
    const auto peers = [&](std::size_t n) {
        PeerList list;
        for (; n > 0; --n) list.peers.push_back({.mi = random_mi(random), .mn = 1});
        return list;
    };
    pdu.live = peers(60);
    pdu.potential = peers(60);
    Mkpdu sent = decoded(encode(pdu));
    CHECK(sent.live == pdu.live);
    REQUIRE(sent.potential.has_value());
    CHECK(sent.potential->peers.size() < 30);
    CHECK(std::equal(sent.potential->peers.begin(), sent.potential->peers.end(), pdu.potential->peers.begin()));
    CHECK(encode(pdu).size() > kMaxMkpduOctets - 16);

    pdu.live = peers(300);
    sent = decoded(encode(pdu));
    CHECK(sent.potential.value().peers.empty());
    CHECK(sent.live.value().peers.size() > 80);
    CHECK(sent.sak_use == pdu.sak_use);

    pdu.kmd = Bytes(3000, 1);
    pdu.others = {{.type = 9, .flags = 0, .body = Bytes(5000, 2)}};
    sent = decoded(encode(pdu));
    CHECK((!sent.kmd && sent.others.empty()));
    CHECK(sent.sak_use == pdu.sak_use);
}

TEST_CASE("a value that no PDU can carry is encoded without harm") {
    Mkpdu pdu = small();
    pdu.basic.ckn.size = 255;
    SakUse& use = pdu.sak_use.emplace();
    use.latest.an = An{0xff};
    use.old.an = An{7};
    DistributedSak& sak = pdu.distributed_sak.emplace();
    sak.an = An{9};
    sak.suite = CipherSuite::gcm_aes_256;
    sak.wrapped = Bytes(9000, 1);
    const Mkpdu sent = decoded(encode(pdu));
    CHECK(without_icv(encode(sent)) == without_icv(encode(pdu)));
    CHECK(sent.basic.ckn.size == 32);
    CHECK((sent.sak_use->latest.an == An{3} && sent.sak_use->old.an == An{3}));
    CHECK((sent.distributed_sak->an == An{1} && sent.distributed_sak->wrapped.size() == 40));
    pdu.basic.ckn.size = 0;
    CHECK(decode(encode(pdu)).error() == DecodeError::bad_ckn);
}

TEST_CASE("a CKN has 1 to 32 octets") {
    CHECK_FALSE(Ckn::from({}).has_value());
    CHECK_FALSE(Ckn::from(Bytes(33, 1)).has_value());
    for (const std::size_t size : {1u, 16u, 32u}) {
        const auto ckn = Ckn::from(Bytes(size, 0x5a)).value();
        CHECK(to_hex(ckn.span()) == to_hex(Bytes(size, 0x5a)));
    }
    CHECK(Ckn::from(from_hex("aa")) != Ckn::from(from_hex("aa00")));
}

TEST_CASE("sets have words, and one that is unknown says so") {
    CHECK(word(SetType::live_peer_list) == "live-peer-list");
    CHECK(word(SetType::potential_peer_list) == "potential-peer-list");
    CHECK(word(SetType::sak_use) == "sak-use");
    CHECK(word(SetType::distributed_sak) == "distributed-sak");
    CHECK(word(SetType::distributed_cak) == "distributed-cak");
    CHECK(word(SetType::kmd) == "kmd");
    CHECK(word(SetType::announcement) == "announcement");
    CHECK(word(SetType::xpn) == "xpn");
    CHECK(word(SetType::icv_indicator) == "icv-indicator");
    CHECK(word(SetType{9}) == "unknown");
}
