// The cryptography a KaY uses, as an argument. A simulation of millions of PDUs passes cheaper ones.
#pragma once

#include "macsec/mka/keys.h"

namespace macsec::mka {

// As the functions of the same names in keys.h.
struct Primitives {
    decltype(&mka::derive_keys) derive_keys;
    decltype(&mka::icv) icv;
    decltype(&mka::icv_is_good) icv_is_good;
    decltype(&mka::make_sak) make_sak;
    decltype(&mka::wrap_sak) wrap_sak;
    decltype(&mka::unwrap_sak) unwrap_sak;
};

inline constexpr Primitives kRealPrimitives{&mka::derive_keys, &mka::icv,      &mka::icv_is_good,
                                            &mka::make_sak,    &mka::wrap_sak, &mka::unwrap_sak};

}  // namespace macsec::mka
