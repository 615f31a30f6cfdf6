// A stream as the commands that make it anew. The contract is in command_snapshot.h.
#pragma once

#include <string_view>

#include "server/ds/stream.h"
#include "server/persist/command_text.h"

namespace millrace {

void add_stream(CommandText& text, std::string_view key, const ds::Stream& stream);

}  // namespace millrace
