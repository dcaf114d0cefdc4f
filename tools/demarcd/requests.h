// The control socket's requests: text to JSON text. docs/control-protocol.md is the contract. Control thread only.
#pragma once

#include <string>

#include "tools/demarcd/control_socket.h"
#include "tools/demarcd/router.h"

namespace demarcd {

// Calls `reply` once, now or when the routes thread has answered.
void answer_request(Router& router, const std::string& request, ControlSocket::Reply reply);

}  // namespace demarcd
