// Which way a walk through something ordered goes.
#pragma once

#include <cstdint>

namespace millrace::ds {

enum class Direction : uint8_t { kForward, kBackward };

}  // namespace millrace::ds
