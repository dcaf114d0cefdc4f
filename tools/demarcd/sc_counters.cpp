#include "tools/demarcd/sc_counters.h"

namespace demarcd {

void ScCounters::use(std::span<const macsec::Sci> now) {
    for (const macsec::Sci sci : now) {
        auto& counters = by_sci_[sci];
        if (!counters) counters = std::make_shared<macsec::ReceiveCounters>();
        std::erase(by_age_, sci);
        by_age_.push_back(sci);
    }
    while (by_age_.size() > now.size() + kGoneScs) {
        by_sci_.erase(by_age_.front());
        by_age_.erase(by_age_.begin());
    }
}

}  // namespace demarcd
