// KEYS.json of `demarc decode`: a list of SAs that an observer knows.
//
//   [{"sci": "020000000a010001", "suite": "gcm-aes-xpn-256", "an": 0, "sak": "<64 hexadecimal digits>",
//     "ssci": 1, "salt": "<24 hexadecimal digits>"},
//    {"sci": "020000000b010001", "suite": "gcm-aes-128", "an": 0, "sak": "<32 hexadecimal digits>",
//     "offset": 30, "lowest_pn": 1}]
//
// ssci and salt: XPN, and there always. offset (0, 30, 50) and lowest_pn may be left out. An empty list is a good one.
// The text stays the caller's to wipe: digits of a SAK go from it into locked memory and nowhere else. Pure; any
// thread.
#pragma once

#include <string_view>

#include "tools/demarc/decode.h"
#include "tools/demarc/decode_entry.h"

namespace cli {

KeysOrMistakes<DecodeKey> parse_decode_keys(std::string_view text);

}  // namespace cli
