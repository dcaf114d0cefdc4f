#include "macsec/mka/cp.h"

#include <utility>

namespace macsec::mka {

std::string_view word(CpState state) noexcept {
    constexpr std::string_view words[] = {"INIT",  "CHANGE",   "SECURED",      "RECEIVE", "RECEIVING",
                                          "READY", "TRANSMIT", "TRANSMITTING", "ABANDON", "RETIRE"};
    return words[static_cast<std::size_t>(state)];
}

Time ControlledPortMachine::stay(CpState state) const noexcept {
    switch (state) {
        case CpState::init:
        case CpState::change:
        case CpState::retire: return kNever;
        case CpState::transmitting: return timers_.retire();
        case CpState::receive:
        case CpState::receiving:
        case CpState::transmit: return timers_.life();
        case CpState::secured:
        case CpState::ready:
        case CpState::abandon: break;
    }
    return timers_.patience();
}

bool ControlledPortMachine::takes_new_sak() const noexcept {
    if (pending_) return false;
    switch (state_) {
        case CpState::secured:
        case CpState::abandon:
        case CpState::retire: return true;
        case CpState::transmitting: return !old_;
        default: return false;
    }
}

// Where to go from here, if anywhere.
std::optional<ControlledPortMachine::Next> ControlledPortMachine::next(const CpInput& in, Time now) const noexcept {
    const bool expired = now >= deadline_;
    const Time stayed = now - since_;
    if (state_ == CpState::init) return Next{CpState::change, "started"};
    if (state_ == CpState::change) {
        if (!in.secure) return std::nullopt;
        return Next{CpState::secured, "a live peer, and somebody is key server"};
    }
    if (!in.secure) return Next{CpState::change, in.why_not_secure};
    switch (state_) {
        case CpState::secured:
            if (pending_) return Next{CpState::receive, "a SAK was distributed"};
            if (expired) return Next{CpState::change, "no SAK came"};
            break;
        case CpState::receive:
            if (pending_ && !in.member_transmitting) return Next{CpState::abandon, "another SAK was distributed"};
            if (in.using_receive_sas) return Next{CpState::receiving, "the receive SAs are in force"};
            if (expired) return Next{CpState::abandon, "the dataplane did not take the receive SAs"};
            break;
        case CpState::receiving:
            if (!in.elected_self || in.server_changed)
                return Next{CpState::ready, "the key server shall transmit first"};
            if (pending_) return Next{CpState::abandon, "another SAK was distributed"};
            if (in.all_receiving) return Next{CpState::transmit, "every live member receives with it"};
            if (!working()) return Next{CpState::transmit, "no older SAK works"};
            if (expired) return Next{CpState::transmit, "MKA Life Time has passed, not every member receives with it"};
            break;
        case CpState::ready:
            // What transmits already is not given up, whatever comes after it.
            if (in.server_transmitting) return Next{CpState::transmit, "the key server transmits with it"};
            if (in.member_transmitting && !in.maker_lives && !pending_) {
                if (stayed < timers_.life()) break;
                return Next{CpState::transmit, "a member transmits with it, its key server is gone"};
            }
            if (pending_) return Next{CpState::abandon, "another SAK was distributed"};
            if (in.server_changed && !in.maker_lives) return Next{CpState::abandon, "its key server is gone"};
            if (!working()) return Next{CpState::transmit, "no older SAK works"};
            if (expired) return Next{CpState::abandon, "the key server did not transmit with it"};
            break;
        case CpState::transmit:
            if (in.using_transmit_sa) return Next{CpState::transmitting, "the transmit SA is in force"};
            if (expired) return Next{CpState::abandon, "the dataplane did not take the transmit SA"};
            break;
        case CpState::transmitting:
            if (!old_ && pending_) return Next{CpState::retire, "another SAK was distributed"};
            if (old_ && in.old_key_unneeded) return Next{CpState::retire, "no live member holds the old SAK"};
            if (expired) return Next{CpState::retire, "SAK Retire Time has passed"};
            break;
        case CpState::abandon:
            if (pending_) return Next{CpState::receive, "a SAK was distributed"};
            if (!old_) return Next{CpState::change, "the SAK was given up, and there is no older one"};
            if (expired && !in.keep_old) return Next{CpState::change, "no other SAK came"};
            break;
        case CpState::retire:
            if (pending_) return Next{CpState::receive, "a SAK was distributed"};
            break;
        case CpState::init:
        case CpState::change: break;
    }
    return std::nullopt;
}

std::optional<CpTransition> ControlledPortMachine::step(const CpInput& in, Time now, std::vector<CpStep>& out) {
    const auto to = next(in, now);
    if (!to) {
        if (now >= deadline_) deadline_ = now + stay(state_);
        return std::nullopt;
    }
    const CpState from = std::exchange(state_, to->state);
    since_ = now;
    const Time stays = stay(state_);
    deadline_ = stays == kNever ? kNever : now + stays;
    // The older SAK goes on where it was.
    if (from == CpState::transmit && state_ == CpState::abandon && old_)
        out.push_back({CpOrder::start_transmit, old_->key});
    enter(out);
    return CpTransition{from, state_, to->reason};
}

void ControlledPortMachine::enter(std::vector<CpStep>& out) {
    switch (state_) {
        case CpState::change: return enter_change(out);
        case CpState::receive: return enter_receive(out);
        case CpState::receiving: latest_->receives = true; return;
        case CpState::transmit: out.push_back({CpOrder::start_transmit, latest_->key}); return;
        case CpState::transmitting: return enter_transmitting(out);
        case CpState::abandon: return drop(latest_, out);
        case CpState::retire: return enter_retire(out);
        case CpState::init:
        case CpState::secured:
        case CpState::ready: break;
    }
}

void ControlledPortMachine::drop(std::optional<CpKey>& key, std::vector<CpStep>& out) {
    if (key) out.push_back({CpOrder::retire, key->key});
    key.reset();
}

// The port closes before its keys go. A SAK distributed before is not taken afterwards.
void ControlledPortMachine::enter_change(std::vector<CpStep>& out) {
    if (open_) out.push_back({CpOrder::close, {}});
    open_ = false;
    drop(latest_, out);
    drop(old_, out);
    pending_.reset();
}

// An AN names one SA: a restarted key server may have chosen that of the key in use.
void ControlledPortMachine::enter_receive(std::vector<CpStep>& out) {
    latest_ = pending_;
    pending_.reset();
    if (old_ && old_->an == latest_->an) drop(old_, out);
    out.push_back({CpOrder::install, latest_->key});
    out.push_back({CpOrder::start_receive, latest_->key});
}

void ControlledPortMachine::enter_transmitting(std::vector<CpStep>& out) {
    latest_->transmits = true;
    if (old_) old_->transmits = false;
    if (!open_) out.push_back({CpOrder::open, {}});
    open_ = true;
}

void ControlledPortMachine::enter_retire(std::vector<CpStep>& out) {
    drop(old_, out);
    old_ = latest_;
    latest_.reset();
}

}  // namespace macsec::mka
