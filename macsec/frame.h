// A frame inside a larger buffer: what protect() grows at both ends and verify() shrinks.
#pragma once

#include <cstdint>

#include "macsec/verdict.h"

namespace macsec {

struct Frame {
    std::uint8_t* data{};        // first octet of the destination address
    std::uint32_t length{};      // octets, FCS excluded
    std::uint16_t headroom{};    // octets free before data
    std::uint16_t tailroom{};    // octets free after data + length
    std::uint8_t clear_tags{};   // octets of tags in clear between source address and SecTAG: 0, 4 or 8
    Verdict verdict{Verdict::ok};
};

}  // namespace macsec
