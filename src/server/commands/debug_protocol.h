// DEBUG PROTOCOL: a sample of every type of reply, for the tests of client libraries.
#pragma once

#include <string_view>

#include "server/command/context.h"

namespace millrace {

// The values are those of Redis. An unknown name answers with an error that lists the names.
void reply_protocol_sample(Context& c, std::string_view type);

}  // namespace millrace
