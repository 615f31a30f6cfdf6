// Programming errors stop the process.
//
// AE_ASSERT stays on in release: a broken invariant in a reactor is a wrong reply sent to the wrong
// client a minute later, and that costs more than the branch. AE_DCHECK is for checks that cost
// more than a compare, or that stand inside a loop over bytes; it exists in debug builds only.
//
// Operating errors (a peer that vanished, a full disk) are values: see result.h.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace ae {

[[noreturn, gnu::cold, gnu::noinline]] inline void assert_failed(const char* file, int line,
                                                                 const char* condition) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace ae

#define AE_ASSERT(condition)                    \
  (__builtin_expect(!!(condition), 1) ? void(0) \
                                      : ::ae::assert_failed(__FILE__, __LINE__, #condition))

#ifdef NDEBUG
#define AE_DCHECK(condition) void(0)
#else
#define AE_DCHECK(condition) AE_ASSERT(condition)
#endif
