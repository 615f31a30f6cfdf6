// Counts allocations of this process: by AddressSanitizer's hooks where it is built in, else by
// what glibc says about its arenas (which sees growth only, and is then still a test that can
// fail).
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define AE_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define AE_TEST_ASAN 1
#endif
#endif

#ifdef AE_TEST_ASAN
// Declared by hand: g++ 12 of Debian has the function, but not sanitizer/allocator_interface.h.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void*,
                                                                           size_t),
                                                         void (*freed)(const volatile void*));
#else
#include <malloc.h>
#endif

namespace ae::test {

#ifdef AE_TEST_ASAN

inline size_t g_allocations = 0;

inline size_t allocations() {
  static const int installed = __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, size_t) { ++g_allocations; }, [](const volatile void*) {});
  static_cast<void>(installed);
  return g_allocations;
}

#else

inline size_t allocations() {
  return ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
}

#endif

}  // namespace ae::test
