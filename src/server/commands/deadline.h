// The timeout of commands that wait: seconds with a fraction, 0 for ever.
#pragma once

#include <cstdint>

#include "server/command/arg_reader.h"

namespace millrace {

// As unix time in milliseconds; 0: none.
int64_t read_deadline(ArgReader& args, int64_t now_ms);
// The same in milliseconds without a fraction (XREAD BLOCK).
int64_t read_deadline_ms(ArgReader& args, int64_t now_ms);

}  // namespace millrace
