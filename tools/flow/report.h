// Results of `flow` as JSON documents. Pure; any thread.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/flow/receive.h"
#include "tools/flow/send.h"

namespace flow {

nlohmann::json report(const SendOptions&, const SendResult&);
nlohmann::json report(const ReceiveResult&);

}  // namespace flow
