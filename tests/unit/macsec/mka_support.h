// What the tests of macsec/mka/ share: frames of a capture, its description, random MKPDUs.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "macsec/mka/keys.h"
#include "macsec/mka/mkpdu.h"
#include "tests/unit/macsec/support.h"

namespace macsec::test {

inline constexpr const char* kMkaRuns[] = {"mka-wpa210-cak128", "mka-wpa210-cak256"};

inline std::string mka_golden(const std::string& name) { return std::string(DEMARC_GOLDEN) + "/mka/" + name; }

// Frames of a little-endian pcap file.
inline std::vector<Bytes> pcap_frames(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const Bytes octets(text.begin(), text.end());
    std::vector<Bytes> frames;
    for (std::size_t at = 24; at + 16 <= octets.size();) {
        const std::size_t length = __builtin_bswap32(load_be32(octets.data() + at + 8));
        const auto from = octets.begin() + static_cast<std::ptrdiff_t>(at + 16);
        frames.emplace_back(from, from + static_cast<std::ptrdiff_t>(length));
        at += 16 + length;
    }
    return frames;
}

inline bool is_eapol(const Bytes& frame) { return load_be16(frame.data() + 12) == kEtherTypeEapol; }
inline ConstOctets addresses_and_type(const Bytes& frame) { return ConstOctets(frame).first(14); }
inline ConstOctets eapol_of(const Bytes& frame) { return ConstOctets(frame).subspan(14); }

// One of kMkaRuns: the frames as captured, and what is known of them.
struct MkaRun {
    nlohmann::json about;
    std::vector<Bytes> frames;  // MKPDUs and MACsec frames
    Bytes cak;
    mka::Ckn ckn;

    std::vector<Bytes> mkpdus() const {
        std::vector<Bytes> out;
        std::copy_if(frames.begin(), frames.end(), std::back_inserter(out), is_eapol);
        return out;
    }
};

inline MkaRun mka_run(const std::string& name) {
    std::ifstream file(mka_golden(name + ".vectors.json"));
    MkaRun run{
        .about = nlohmann::json::parse(file), .frames = pcap_frames(mka_golden(name + ".pcap")), .cak = {}, .ckn = {}};
    run.cak = from_hex(run.about.at("cak").get<std::string>());
    run.ckn = mka::Ckn::from(from_hex(run.about.at("ckn").get<std::string>())).value();
    return run;
}

inline mka::CakKeys keys_from(ConstOctets cak, const mka::Ckn& ckn) {
    auto keys = mka::derive_keys(cak, ckn);
    if (!keys) throw std::runtime_error(keys.error());
    return std::move(*keys);
}

inline SecretBuffer secret_of(ConstOctets octets) {
    auto secret = SecretBuffer::create(octets.size());
    if (!secret) throw std::runtime_error(secret.error());
    std::copy(octets.begin(), octets.end(), secret->writable().begin());
    return std::move(*secret);
}

// The frame of a PDU with its ICV, from the station of its SCI to the group address of port access entities.
inline Bytes mka_frame(const mka::Mkpdu& pdu, const SecretBuffer& ick) {
    Bytes frame = from_hex("0180c2000003");
    for (int shift = 56; shift >= 16; shift -= 8)
        frame.push_back(static_cast<std::uint8_t>(pdu.basic.sci.value >> shift));
    frame = frame + from_hex("888e") + mka::encode(pdu);
    const auto covered = eapol_of(frame).first(frame.size() - 14 - mka::kMkaIcvOctets);
    const auto icv = mka::icv(ick, addresses_and_type(frame), covered);
    if (!icv) throw std::runtime_error(icv.error());
    std::copy(icv->begin(), icv->end(), frame.end() - mka::kMkaIcvOctets);
    return frame;
}

inline mka::MemberId random_mi(Random& random) {
    mka::MemberId mi;
    for (auto& o : mi.octets) o = static_cast<std::uint8_t>(random());
    return mi;
}

inline constexpr std::size_t kBasicAt = 4;  // behind the EAPOL header

// A PDU of a CKN of 5 octets, so that there is filling.
inline mka::Mkpdu small() {
    mka::Mkpdu pdu;
    pdu.basic.sci = Sci{0x0200'0000'0a01'0001};
    pdu.basic.mi.octets = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    pdu.basic.mn = 7;
    pdu.basic.ckn = mka::Ckn::from(from_hex("aabbccddee")).value();
    return pdu;
}

// `small()` with these octets as its sets.
inline Bytes small_with(const std::string& sets) {
    Bytes octets = mka::encode(small());
    const Bytes more = from_hex(sets);
    octets.insert(octets.end() - mka::kMkaIcvOctets, more.begin(), more.end());
    store_be16(octets.data() + 2, static_cast<std::uint16_t>(octets.size() - 4));
    return octets;
}

inline mka::Mkpdu decoded(ConstOctets octets) {
    const auto pdu = mka::decode(octets);
    if (!pdu) throw std::runtime_error(std::string(mka::word(pdu.error())) + ": " + to_hex(octets));
    return *pdu;
}

inline std::string without_icv(ConstOctets octets) { return to_hex(octets.first(octets.size() - mka::kMkaIcvOctets)); }

}  // namespace macsec::test
