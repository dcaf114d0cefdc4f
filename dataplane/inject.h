// What may leave a secured port without being protected: the PDUs of its KaY, and nothing else. Pure; any thread.
#pragma once

#include <cstddef>

#include "dataplane/forwarding.h"
#include "macsec/octets.h"

namespace dataplane {

// Whether a frame with `tags` octets of clear tags is a PDU of the KaY of `secy`: from the port's own address, to the
// configured destination, with the configured EtherType, an EAPOL-MKA (802.1X 11.3). Everything else is protected or
// dropped.
bool is_kay_pdu(const SecYEntry& secy, const net::MacAddress& port_mac, macsec::ConstOctets frame,
                std::size_t tags) noexcept;

}  // namespace dataplane
