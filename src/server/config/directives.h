// The table of all directives, in the order CONFIG GET and a fresh rewrite list them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/config/directive.h"

namespace millrace {

std::span<const Directive> directives();

// By name or alias, whatever the case. Null: there is none.
const Directive* find_directive(std::string_view name);

// The known name closest to a mistyped one, or empty if none is close: "maxmemroy" → "maxmemory".
std::string_view similar_directive(std::string_view name);

}  // namespace millrace
