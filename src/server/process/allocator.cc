#include "server/process/allocator.h"

#include <cstddef>

// Weak: null where the program is linked without jemalloc.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old_value, size_t* old_length,
                                     void* new_value, size_t new_length);

namespace millrace {

bool set_background_purging(BackgroundPurging purging) {
  if (!mallctl) return false;
  bool enabled = purging == BackgroundPurging::kOn;
  return mallctl("background_thread", nullptr, nullptr, &enabled, sizeof enabled) == 0;
}

}  // namespace millrace
