#include "server/observe/memory_meter.h"

#include <unistd.h>

#include <cstdio>

#include "server/ds/slab.h"

// The sanitizers bring a heap of their own, which mallinfo knows nothing of.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MILLRACE_SANITIZER_HEAP
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MILLRACE_SANITIZER_HEAP
#endif
#endif
#ifdef MILLRACE_SANITIZER_HEAP
// As <sanitizer/allocator_interface.h> declares it, which g++ does not install.
extern "C" size_t __sanitizer_get_current_allocated_bytes();
#endif

#ifdef MILLRACE_JEMALLOC
#include <jemalloc/jemalloc.h>
#else
#include <malloc.h>
#endif

namespace millrace::memory {
namespace {

size_t startup = 0;

size_t slab_reserve() {
  const ds::Slab::Stats& stats = ds::slab().stats();
  return stats.reserved_bytes - stats.live_bytes;
}

}  // namespace

void mark_startup() {
  startup = used_bytes();
}
size_t startup_bytes() {
  return startup;
}

size_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (!file) return 0;
  unsigned long total_pages = 0, resident_pages = 0;
  const int fields = std::fscanf(file, "%lu %lu", &total_pages, &resident_pages);
  std::fclose(file);
  return fields == 2 ? resident_pages * size_t(sysconf(_SC_PAGESIZE)) : 0;
}

#ifdef MILLRACE_JEMALLOC

namespace {

const uint64_t* allocated_total = nullptr;
const uint64_t* freed_total = nullptr;

size_t read_size(const char* name) {
  size_t value = 0, size = sizeof value;
  mallctl(name, &value, &size, nullptr, 0);
  return value;
}

void append_line(void* text, const char* line) {
  *static_cast<std::string*>(text) += line;
}

}  // namespace

void bind_thread() {
  size_t size = sizeof allocated_total;
  mallctl("thread.allocatedp", &allocated_total, &size, nullptr, 0);
  mallctl("thread.deallocatedp", &freed_total, &size, nullptr, 0);
}

size_t used_bytes() {
  if (!allocated_total) bind_thread();
  const size_t live = size_t(*allocated_total - *freed_total);
  const size_t reserve = slab_reserve();
  return live > reserve ? live - reserve : 0;
}

AllocatorStats allocator_stats() {
  uint64_t epoch = 1;
  size_t size = sizeof epoch;
  mallctl("epoch", &epoch, &size, &epoch, size);
  return {.allocated = read_size("stats.allocated"),
          .active = read_size("stats.active"),
          .resident = read_size("stats.resident"),
          .retained = read_size("stats.retained"),
          .slab_reserve = slab_reserve()};
}

const char* allocator_name() {
  static char name[64] = "";
  if (name[0] == 0) {
    const char* version = "";
    size_t size = sizeof version;
    mallctl("version", &version, &size, nullptr, 0);
    // "5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c"
    std::snprintf(name, sizeof name, "jemalloc-%.*s", int(std::string(version).find('-')), version);
  }
  return name;
}

std::string allocator_report() {
  std::string text;
  malloc_stats_print(append_line, &text, nullptr);
  return text;
}

void purge() {
  char name[64];
  std::snprintf(name, sizeof name, "arena.%u.purge", unsigned(MALLCTL_ARENAS_ALL));
  mallctl(name, nullptr, nullptr, nullptr, 0);
}

void rest() {
  mallctl("thread.idle", nullptr, nullptr, nullptr, 0);
}

#else

namespace {

#ifdef MILLRACE_SANITIZER_HEAP
size_t live_bytes() {
  return __sanitizer_get_current_allocated_bytes();
}
#else
size_t live_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}
#endif

}  // namespace

void bind_thread() {}

size_t used_bytes() {
  const size_t live = live_bytes();
  const size_t reserve = slab_reserve();
  return live > reserve ? live - reserve : 0;
}

AllocatorStats allocator_stats() {
  const struct mallinfo2 info = mallinfo2();
  return {.allocated = live_bytes(),
          .active = info.arena + info.hblkhd,
          .resident = resident_bytes(),
          .retained = info.fordblks,
          .slab_reserve = slab_reserve()};
}

const char* allocator_name() {
  return "libc";
}
std::string allocator_report() {
  return "Stats not supported for the current allocator";
}
void purge() {
  malloc_trim(0);
}
void rest() {}

#endif

}  // namespace millrace::memory
