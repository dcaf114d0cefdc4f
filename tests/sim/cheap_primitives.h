// Primitives for millions of PDUs: no cryptography, but wrong keys and changed octets are still told apart.
#pragma once

#include "macsec/mka/primitives.h"

namespace sim {

extern const macsec::mka::Primitives kCheapPrimitives;

}  // namespace sim
