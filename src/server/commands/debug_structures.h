// The subcommands of DEBUG that look at how values are kept, or change how they are.
#pragma once

#include "server/command/context.h"

namespace millrace {

void debug_htstats(Context& c);                     // HTSTATS dbid
void debug_htstats_key(Context& c);                 // HTSTATS-KEY key
void debug_quicklist_packed_threshold(Context& c);  // QUICKLIST-PACKED-THRESHOLD size

}  // namespace millrace
