// A SecY as JSON: 1. how it is set (802.1AE 10.7.4, 10.7.8, 10.7.17); 2. its transmit SC and SA; 3. its receive SCs,
// each with its SAs; 4. the SecY's own counters.
#include <fmt/format.h>

#include "tools/demarcd/status.h"

namespace demarcd {

namespace {

// What of a plain or null SecY's frames went by, by its interfaces: nobody else knows.
struct Untagged {
    std::uint64_t in{}, out{};
};

std::string sci_text(macsec::Sci sci) { return fmt::format("{:016x}", sci.value); }

const char* form_word(macsec::SciForm form) {
    constexpr const char* words[] = {"sci", "es", "scb", "none"};
    return words[static_cast<std::size_t>(form)];
}

Untagged untagged(const std::string& port, const LiveSecY& secy, const Live& live, const Workers& workers) {
    Untagged sum;
    if (secy.config.policy != config::Policy::off) return sum;
    for (const auto& [name, interface] : live.interfaces) {
        if (interface.config.port != port || interface.config.clear_tags != secy.config.clear_tags) continue;
        for (const auto& worker : workers) {
            const auto& c = dataplane::counters(*worker, interface.id);
            sum.in += c.in_packets.get();
            sum.out += c.out_packets.get();
        }
    }
    return sum;
}

void add_ssci(Json& j, const macsec::SaDescription& d) {
    if (is_xpn(d.suite)) j["ssci"] = d.ssci.value;
}

Json transmit_json(const LiveSecY& secy, std::uint64_t untagged_out) {
    const auto& c = *secy.transmit_counters;
    Json j{{"out_pkts_untagged", untagged_out},
           {"out_pkts_protected", c.out_pkts_protected.get()},
           {"out_pkts_encrypted", c.out_pkts_encrypted.get()},
           {"out_octets_protected", c.out_octets_protected.get()},
           {"out_octets_encrypted", c.out_octets_encrypted.get()},
           {"out_pkts_too_long", c.out_pkts_too_long.get()}};
    const auto transmitting = secy.transmitting();
    if (!transmitting) return j;
    const auto& sa = *transmitting->sa;
    j["an"] = sa.description.an.value;
    j["next_pn"] = sa.next_pn.load(std::memory_order_relaxed);
    if (!secy.kay) j["pn_ceiling"] = sa.pn_ceiling.load(std::memory_order_relaxed);  // no lease under MKA
    j["key"] = transmitting->fingerprint;
    j["needs_new_sak"] = secy.needs_new_sak();
    j["sa_out_pkts"] = sa.pkts.get();
    add_ssci(j, sa.description);
    return j;
}

Json receive_sa_json(const ReceiveSaKey& key, const LiveReceiveSa& r) {
    Json j{{"an", key.an},
           {"next_pn", r.sa->next_pn.load(std::memory_order_relaxed)},
           {"lowest_pn", r.sa->lowest_pn.load(std::memory_order_relaxed)},
           {"key", r.fingerprint},
           {"in_pkts_ok", r.sa->pkts_ok.get()},
           {"in_pkts_invalid", r.sa->pkts_invalid.get()},
           {"in_pkts_not_valid", r.sa->pkts_not_valid.get()}};
    add_ssci(j, r.sa->description);
    return j;
}

Json receive_sc_json(const LiveSecY& secy, macsec::Sci sci, const macsec::ReceiveCounters& c) {
    Json sas = Json::array();
    for (const auto& [key, r] : secy.receiving())
        if (key.sci == sci) sas.push_back(receive_sa_json(key, r));
    return {{"sci", sci_text(sci)},
            {"sas", std::move(sas)},
            {"in_pkts_ok", c.in_pkts_ok.get()},
            {"in_pkts_unchecked", c.in_pkts_unchecked.get()},
            {"in_pkts_delayed", c.in_pkts_delayed.get()},
            {"in_pkts_late", c.in_pkts_late.get()},
            {"in_pkts_invalid", c.in_pkts_invalid.get()},
            {"in_pkts_not_valid", c.in_pkts_not_valid.get()},
            {"in_pkts_no_sa", c.in_pkts_no_sa.get()},
            {"in_pkts_duplicate", c.in_pkts_duplicate.get()},
            {"in_octets_validated", c.in_octets_validated.get()},
            {"in_octets_decrypted", c.in_octets_decrypted.get()}};
}

void add_own_counters(Json& j, const macsec::ReceiveSecYCounters& c, std::uint64_t untagged_in, std::uint64_t missed) {
    j["in_pkts_untagged"] = c.in_pkts_untagged.get() + untagged_in;
    j["in_pkts_no_tag"] = c.in_pkts_no_tag.get();
    j["in_pkts_bad_tag"] = c.in_pkts_bad_tag.get();
    j["in_pkts_no_sa"] = c.in_pkts_no_sa.get();
    j["in_pkts_no_sa_error"] = c.in_pkts_no_sa_error.get();
    j["in_pkts_unknown_sci"] = c.in_pkts_unknown_sci.get();
    j["in_pkts_overrun"] = missed;
}

}  // namespace

Json secy_json(const std::string& name, const LivePort& port, const LiveSecY& secy, const Live& live,
               const Workers& workers) {
    const auto& config = secy.config;
    const bool off = config.policy == config::Policy::off;
    const Untagged clear = untagged(name, secy, live, workers);
    Json receive = Json::array();
    for (const auto& [sci, counters] : secy.counters()) receive.push_back(receive_sc_json(secy, sci, *counters));
    Json j{{"port", name},
           {"clear_tags", tags_json(config.clear_tags)},
           {"sci", sci_text(secy.sci)},
           {"policy", off ? "off" : "must-secure"},
           {"protect_frames", !off},
           {"validate_frames", off ? "null" : "strict"},
           {"cipher_suite", std::string(macsec::to_string(config.cipher_suite))},
           {"icv_octets", macsec::kIcvOctets},
           {"sci_form", form_word(config.sci_form)},
           {"confidentiality", config.confidentiality},
           {"confidentiality_offset", config.confidentiality_offset},
           {"replay_window", config.replay_window ? Json(*config.replay_window) : Json("off")},
           {"secured", secy.why_not_secured().empty()},
           {"why_not_secured", secy.why_not_secured()},
           {"transmit", transmit_json(secy, clear.out)},
           {"receive", std::move(receive)}};
    // 10.7.9 InPktsOverrun: what the device lost before any SecY of the port could look at it.
    add_own_counters(j, *secy.receive_counters, clear.in, port.device->missed());
    return j;
}

}  // namespace demarcd
