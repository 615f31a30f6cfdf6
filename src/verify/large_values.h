// Large values, compared in chunks (value_comparison.h says how).
#pragma once

#include <string_view>

#include "verify/server_link.h"

namespace verify {

struct Servers;

struct TypedKey {
  std::string_view type;
  std::string_view key;
};

// Both have the key, of this type and of the same size.
Problem compare_large(Servers servers, TypedKey key, bool& equal);

}  // namespace verify
