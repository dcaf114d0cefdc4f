// How `demarc decode` shows MKPDUs: one line of text, or members of a JSON object. No key material stands in either:
// of a SAK it is told that it was there, and whether it was unwrapped. Pure; any thread.
#pragma once

#include <string>

#include "tools/demarc/decode_mka.h"
#include "tools/demarc/table.h"

namespace cli {

// Verdict on the ICV; of a malformed one, where it is wrong.
Cell mkpdu_verdict(const DecodedMkpdu&);

// "MN 7, SAK 0/1, uses 0/1 rx tx, 1 live, key server": what is of use to see who agrees with whom on which key. A key
// is AN/key number.
std::string mkpdu_line(const DecodedMkpdu&);

// ,"sci":"...","mi":"...","mn":7,"icv":"ok","sets":[...]...; docs/demarc.8 names all of them.
std::string mkpdu_members(const DecodedMkpdu&);

}  // namespace cli
