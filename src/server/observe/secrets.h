// Which arguments of a request nobody else may see: passwords. MONITOR and the slow log show
// kRedacted in their place.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "server/command/table.h"

namespace millrace {

inline constexpr std::string_view kRedacted = "(redacted)";

// Whether any argument of this command may be a secret; cheap.
bool may_have_secrets(const Command& command);

// Whether the argument at `position` is one. For commands that may have secrets.
bool is_secret(const Command& command, std::span<const std::string_view> args, size_t position);

}  // namespace millrace
