// MKA-KEYS.json of `demarc decode`: a list of pre-shared CAKs that an observer of MKA knows.
//
//   [{"cak": "<32 or 64 hexadecimal digits>", "ckn": "<2 to 64 hexadecimal digits>"}]
//
// An empty list is a good one; two CAKs may have one CKN. The text stays the caller's to wipe: digits of a CAK go from
// it into locked memory and nowhere else. Pure; any thread.
#pragma once

#include <string_view>

#include "macsec/mka/observer.h"
#include "tools/demarc/decode_entry.h"

namespace cli {

KeysOrMistakes<macsec::mka::KnownCak> parse_caks(std::string_view text);

}  // namespace cli
