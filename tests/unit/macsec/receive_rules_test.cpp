#include "macsec/receive_rules.h"

#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;

namespace {

constexpr Decision kDropUncounted{Fate::drop, InPkts::none};

// The standard's text once more, as questions one after the other; shares nothing with the table.
Decision as_the_standard_asks(ValidateFrames v, Finding f, bool c, bool e) {
    if (v == ValidateFrames::null)
        return f == Finding::untagged ? Decision{Fate::deliver, InPkts::untagged} : kDropUncounted;
    const bool strict = v == ValidateFrames::strict;
    if (f == Finding::untagged)
        return strict ? Decision{Fate::drop, InPkts::no_tag} : Decision{Fate::deliver, InPkts::untagged};
    if (f == Finding::bad_tag) return {Fate::drop, InPkts::bad_tag};
    if (f == Finding::late) return {Fate::drop, InPkts::late};
    if (f == Finding::duplicate) return {Fate::drop, InPkts::duplicate};
    if (f == Finding::e_without_c) return kDropUncounted;
    if (f == Finding::unknown_sci || f == Finding::unused_an) {
        if (strict || c) return {Fate::drop, InPkts::no_sa_error};
        return e ? kDropUncounted : Decision{Fate::deliver, InPkts::no_sa};
    }
    const bool readable = !c && !e;
    if (f == Finding::not_encrypted) {
        if (e) return kDropUncounted;  // cannot be: E is what is missing
        if (strict || c) return {Fate::drop, InPkts::not_valid};
        return {Fate::deliver, v == ValidateFrames::disabled ? InPkts::unchecked : InPkts::invalid};
    }
    if (f == Finding::unchecked) {
        if (v != ValidateFrames::disabled) return kDropUncounted;  // cannot be: these check
        if (c) return {Fate::drop, InPkts::not_valid};
        return readable ? Decision{Fate::deliver, InPkts::unchecked} : kDropUncounted;
    }
    if (f == Finding::not_valid) {
        if (strict || c) return {Fate::drop, InPkts::not_valid};
        return v == ValidateFrames::check && readable ? Decision{Fate::deliver, InPkts::invalid} : kDropUncounted;
    }
    if (v == ValidateFrames::disabled || (e && !c)) return kDropUncounted;  // cannot be: nothing was checked
    return {Fate::deliver, InPkts::ok};
}

struct Relaxed : Pair {
    Relaxed(ValidateFrames validate, bool confidentiality)
        : Pair(describe(CipherSuite::gcm_aes_128, confidentiality), sak_for(CipherSuite::gcm_aes_128)) {
        receive.validate = validate;
    }
};

}  // namespace

TEST_CASE("the table of receive rules says in every place what the standard's text says") {
    for (int v = 0; v < 4; ++v)
        for (int f = 0; f < static_cast<int>(Finding::count_); ++f)
            for (const bool c : {false, true})
                for (const bool e : {false, true}) {
                    const auto validate = static_cast<ValidateFrames>(v);
                    const auto finding = static_cast<Finding>(f);
                    CAPTURE(v, f, c, e);
                    CHECK(decide(validate, finding, c, e) == as_the_standard_asks(validate, finding, c, e));
                }
}

TEST_CASE("every row of the receive rules decides something, and names its clause") {
    for (const auto& row : receive_rules::kRules) {
        bool first = false;
        for (int place = 0; place < 16; ++place) {
            const auto validate = static_cast<ValidateFrames>(place >> 2);
            const bool c = (place & 2) != 0, e = (place & 1) != 0;
            if (!receive_rules::fits(row, validate, row.finding, c, e)) continue;
            for (const auto& other : receive_rules::kRules)
                if (receive_rules::fits(other, validate, row.finding, c, e)) {
                    first |= &other == &row;
                    break;
                }
        }
        CHECK(first);
        CHECK_FALSE(row.clause.empty());
    }
}

TEST_CASE("under strict nothing is delivered but what is valid") {
    for (int f = 0; f < static_cast<int>(Finding::count_); ++f)
        for (int place = 0; place < 4; ++place) {
            const Decision d =
                decide(ValidateFrames::strict, static_cast<Finding>(f), (place & 2) != 0, (place & 1) != 0);
            if (static_cast<Finding>(f) != Finding::valid) CHECK(d.fate == Fate::drop);
        }
}

TEST_CASE("a SecY that only checks delivers integrity-only frames whose ICV is wrong, and counts them") {
    Relaxed pair(ValidateFrames::check, false);
    Bytes wire = pair.frame_with_pn(5, plain_frame(60));
    wire.back() ^= 1;
    Room room(wire);
    REQUIRE(pair.verify(room) == Verdict::ok);
    CHECK(room.bytes() == plain_frame(60));
    CHECK(room.adds_up());
    CHECK(pair.received.in_pkts_invalid.get() == 1);
    CHECK(pair.receive_sa->pkts_invalid.get() == 1);
    CHECK(pair.received.in_pkts_ok.get() == 0);
    CHECK(pair.receive_sa->next_pn == 1);
    CHECK(pair.receive_bytes(pair.frame_with_pn(5, plain_frame(60))) == Verdict::ok);
    CHECK(pair.received.in_pkts_ok.get() == 1);
    CHECK(pair.receive_sa->next_pn == 6);
}

TEST_CASE("no SecY delivers an encrypted frame that was not opened") {
    for (const auto validate : {ValidateFrames::disabled, ValidateFrames::check, ValidateFrames::strict}) {
        Relaxed pair(validate, true);
        Bytes wire = pair.frame_with_pn(5, plain_frame(60));
        wire.back() ^= 1;
        CHECK(pair.receive_bytes(wire) == Verdict::rx_not_valid);
        CHECK(pair.received.in_pkts_not_valid.get() == 1);
        CHECK(pair.receive_sa->pkts_not_valid.get() == 1);
        Bytes foreign = wire;
        foreign[27] ^= 1;
        CHECK(pair.receive_bytes(foreign) == Verdict::rx_unknown_sci);
        CHECK(pair.secy_received.in_pkts_no_sa_error.get() == 1);
        CHECK(pair.secy_received.in_pkts_no_sa.get() == 0);
    }
}

TEST_CASE("a SecY that does not validate takes SecTAG and ICV off and looks at neither ICV nor window") {
    for (const std::string tags : {"", "81000007"}) {
        Relaxed pair(ValidateFrames::disabled, false);
        const Bytes clear = from_hex(tags);
        Bytes plain = plain_frame(60);
        plain.insert(plain.begin() + 12, clear.begin(), clear.end());
        Room sent(plain, static_cast<std::uint8_t>(clear.size()));
        REQUIRE(pair.protect(sent) == Verdict::ok);
        Bytes wire = sent.bytes();
        wire.back() ^= 1;
        Room room(wire, static_cast<std::uint8_t>(clear.size()));
        REQUIRE(pair.verify(room) == Verdict::ok);
        CHECK(room.bytes() == plain);
        CHECK(room.adds_up());
        CHECK(pair.received.in_pkts_unchecked.get() == 1);
        CHECK(pair.receive_sa->next_pn == 1);
    }
}

TEST_CASE("a SecY below strict delivers readable frames of nobody's SC or SA and counts them as without SA") {
    for (const auto validate : {ValidateFrames::disabled, ValidateFrames::check}) {
        Relaxed pair(validate, false);
        Bytes foreign = pair.frame_with_pn(5, plain_frame(60));
        foreign[27] ^= 1;
        Room room(foreign);
        REQUIRE(pair.verify(room) == Verdict::ok);
        CHECK(room.bytes() == plain_frame(60));
        CHECK(pair.secy_received.in_pkts_no_sa.get() == 1);
        CHECK(pair.secy_received.in_pkts_unknown_sci.get() == 1);
        Bytes other_an = pair.frame_with_pn(5, plain_frame(60));
        other_an[14] ^= 1;
        CHECK(pair.receive_bytes(other_an) == Verdict::ok);
        CHECK(pair.secy_received.in_pkts_no_sa.get() == 2);
        CHECK(pair.received.in_pkts_no_sa.get() == 1);
        CHECK(pair.secy_received.in_pkts_no_sa_error.get() == 0);
    }
}

TEST_CASE("an encrypted frame without changed text is for nobody, and no counter of the standard moves") {
    for (const auto validate : {ValidateFrames::disabled, ValidateFrames::check, ValidateFrames::strict}) {
        Relaxed pair(validate, true);
        Bytes wire = pair.frame_with_pn(5, plain_frame(60));
        wire[14] = 0x28;
        CHECK(pair.receive_bytes(wire) == Verdict::rx_e_without_c);
        CHECK(pair.secy_received.in_pkts_bad_tag.get() == 0);
    }
}
