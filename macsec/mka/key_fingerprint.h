// A name for a key that tells nothing about it: what a PN lease file is called. Two SAs share it exactly if they would
// make the same nonces with the same key (802.1AE 14.5, 14.7). Any thread.
#pragma once

#include <expected>
#include <string>

#include "macsec/octets.h"
#include "macsec/secy.h"

namespace macsec {

// 32 lower-case hexadecimal digits: the first 16 octets of SHA-256 over a label, the suite, SCI (32-bit suites) or SSCI
// and salt (XPN), and the SAK. sak: as long as the suite wants. Error: a sentence without key material.
std::expected<std::string, std::string> key_fingerprint(const SaDescription&, ConstOctets sak);

}  // namespace macsec
