// How much the log says. Ordered: a line is written if its level is at or above the configured one.
#pragma once

#include <cstdint>

namespace millrace {

enum class LogLevel : uint8_t { kDebug, kVerbose, kNotice, kWarning, kNothing };

}  // namespace millrace
