// A KaY as JSON: 1. is it secured, and why not; 2. the keys it installed; 3. a participant per CAK with its peers;
// 4. counters. And its history. Ages are in seconds; no key material.
#include <fmt/format.h>

#include "tools/demarcd/status.h"

namespace demarcd {

namespace {

using namespace macsec;

double age(mka::Time now, mka::Time then) {
    return then == 0 || then > now ? 0 : static_cast<double>(now - then) / 1e9;
}

std::string hex(ConstOctets octets) {
    std::string text;
    for (const auto octet : octets) text += fmt::format("{:02x}", octet);
    return text;
}

std::string sci_text(Sci sci) { return fmt::format("{:016x}", sci.value); }

Json key_json(const std::optional<mka::KeyStatus>& key, mka::Time now) {
    if (!key) return nullptr;
    return {{"key", to_text(key->key)},    {"key_number", key->key.number}, {"an", key->an.value},
            {"receives", key->receives},   {"transmits", key->transmits},   {"key_server", sci_text(key->server)},
            {"ckn", hex(key->ckn.span())}, {"age_s", age(now, key->since)}, {"members", key->members},
            {"ssci", key->ssci.value},     {"next_pn", key->next_pn}};
}

Json peer_json(const mka::PeerStatus& peer, mka::Time now) {
    return {{"sci", sci_text(peer.sci)},
            {"mi", hex(peer.mi.octets)},
            {"mn", peer.mn},
            {"live", peer.live},
            {"priority", peer.priority},
            {"key_server", peer.key_server},
            {"macsec_desired", peer.macsec_desired},
            {"capability", static_cast<int>(peer.capability)},
            {"last_heard_s", age(now, peer.last_heard)},
            {"receives_latest", peer.receives_latest},
            {"transmits_latest", peer.transmits_latest}};
}

Json participant_json(const mka::ParticipantStatus& p, mka::Time now) {
    Json peers = Json::array();
    for (const auto& peer : p.peers) peers.push_back(peer_json(peer, now));
    return {{"ckn", hex(p.ckn.span())},
            {"state", std::string(word(p.state))},
            {"speaks", p.speaks},
            {"principal", p.principal},
            {"start", p.start ? Json(*p.start) : Json(nullptr)},
            {"end", p.end ? Json(*p.end) : Json(nullptr)},
            {"mi", p.speaks ? Json(hex(p.mi.octets)) : Json(nullptr)},
            {"mn", p.mn},
            {"key_server", p.key_server ? Json(sci_text(*p.key_server)) : Json(nullptr)},
            {"wrong_cak", p.wrong_cak},
            {"peers", std::move(peers)}};
}

Json counters_json(const mka::KayCounters& c) {
    Json j = Json::object();
#define X(name, text) j[text] = c.name;
    MKA_COUNTERS(X)
#undef X
    Json errors = Json::object();
    for (std::size_t i = 0; i < c.decode_errors.size(); ++i)
        if (c.decode_errors[i] != 0) errors[std::string(word(static_cast<mka::DecodeError>(i)))] = c.decode_errors[i];
    j["decode-errors"] = std::move(errors);
    return j;
}

Json hellos_json(const mka::HelloTimes& h) {
    const auto seconds = [](mka::Time t) { return static_cast<double>(t) / 1e9; };
    return {{"on_time", h.on_time},   {"late_50_ms", h.late_50_ms},          {"late_250_ms", h.late_250_ms},
            {"late_1_s", h.late_1_s}, {"most_late_s", seconds(h.most_late)}, {"longest_gap_s", seconds(h.longest_gap)}};
}

}  // namespace

Json kay_json(const std::string& port, const LiveSecY& secy) {
    const mka::KayStatus s = secy.kay->status();
    const mka::Time now = secy.kay->now();
    Json participants = Json::array();
    for (const auto& p : s.participants) participants.push_back(participant_json(p, now));
    return {{"port", port},
            {"clear_tags", tags_json(secy.config.clear_tags)},
            {"sci", sci_text(secy.sci)},
            {"secured", secy.why_not_secured().empty()},
            {"why_not_secured", secy.why_not_secured()},
            {"keeps_last_sak", s.keeps_last_sak},
            {"cp_state", std::string(word(s.cp))},
            {"cp_age_s", age(now, s.cp_since)},
            {"port_open", s.port_open},
            {"key_server", s.key_server ? Json(sci_text(*s.key_server)) : Json(nullptr)},
            {"is_key_server", s.is_key_server},
            {"key_server_priority", secy.config.mka->key_server_priority},
            {"next_rekey_s", s.next_rekey ? Json(age(*s.next_rekey, now)) : Json(nullptr)},
            {"in_use", key_json(s.latest && s.latest->transmits ? s.latest : s.old, now)},
            {"latest", key_json(s.latest, now)},
            {"old", key_json(s.old, now)},
            {"participants", std::move(participants)},
            {"hellos", hellos_json(s.hellos)},
            {"counters", counters_json(s.counters)}};
}

Json history_json(const LiveSecY& secy) {
    Json all = Json::array();
    const mka::Time now = secy.kay->now();
    for (const auto& t : secy.kay->history())
        all.push_back({{"age_s", age(now, t.time)},
                       {"from", std::string(t.from)},
                       {"to", std::string(t.to)},
                       {"reason", t.reason}});
    return all;
}

}  // namespace demarcd
