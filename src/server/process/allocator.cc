#include "server/process/allocator.h"

#include <cstddef>

// Weak: null where the program is linked without jemalloc.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old_value, size_t* old_length,
                                     void* new_value, size_t new_length);

// jemalloc reads this before main. Pages that nothing lives in go back to the kernel within half a
// second instead of ten: a table that grows leaves blocks of every smaller size behind it, 8 bytes
// a key of them at two million keys. The operator's own MALLOC_CONF is read after it and wins.
extern "C" {
const char* malloc_conf = "dirty_decay_ms:500";
}

namespace millrace {

bool set_background_purging(BackgroundPurging purging) {
  if (!mallctl) return false;
  bool enabled = purging == BackgroundPurging::kOn;
  return mallctl("background_thread", nullptr, nullptr, &enabled, sizeof enabled) == 0;
}

}  // namespace millrace
