// The counters of a SecY's receive SCs. They survive SA changes, and for status an SC that is gone: the last kGoneScs
// of those, so that peers that come and go do not make a list without end. Control thread only.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "macsec/secy.h"

namespace demarcd {

class ScCounters {
public:
    static constexpr std::size_t kGoneScs = 32;
    using BySci = std::map<macsec::Sci, std::shared_ptr<macsec::ReceiveCounters>>;

    // These are the SCs now: counters for each, new if it has none; what is gone longest is forgotten. Who counts
    // with something forgotten holds it himself.
    void use(std::span<const macsec::Sci> now);
    const BySci& all() const { return by_sci_; }

private:
    BySci by_sci_;
    std::vector<macsec::Sci> by_age_;  // of by_sci_, the one used last stands last
};

}  // namespace demarcd
