// Constants that more than one component leans on. A bound that one component has stands in that
// component, with its reason.
#pragma once

#include <cstddef>

namespace ae {

// What two cores must not share if both write: the unit of cache coherence on x86-64 and on most
// AArch64. (std::hardware_destructive_interference_size varies with compiler flags, hence cannot be
// part of a layout.)
inline constexpr size_t kCacheLineBytes = 64;

}  // namespace ae
