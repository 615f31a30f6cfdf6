// Growth to ten million keys: how long the worst single SET takes, and what a key costs. Not a
// Google Benchmark: the average is not what is looked for.
//
//   growth_bench [keys] [value bytes]
//
// Prints, at each power of two and at the end: keys, resident bytes per key (from
// /proc/self/statm), table bytes per key, and of the single operations since the last line the
// median, the 99.99th percentile and the worst, in microseconds of this thread's CPU time (a system
// call per operation: about 0.2 us are the clock's), so that neighbours on the machine do not
// count. With jemalloc run it as the server runs, MALLOC_CONF=background_thread:true: else it is
// now and then an allocation that gives megabytes back to the kernel, and the worst operation is
// that. A table that doubles at once (Redis, 4 million keys: 2.4 ms) shows in the last column;
// goal: 100.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "server/db/keyspace.h"
#include "server/ds/slab.h"

namespace {

uint64_t cpu_ns() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

double resident_bytes() {
  FILE* file = std::fopen("/proc/self/statm", "r");
  unsigned long total = 0;
  unsigned long resident = 0;
  const bool read = file != nullptr && std::fscanf(file, "%lu %lu", &total, &resident) == 2;
  if (file != nullptr) std::fclose(file);
  return read ? static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

struct Report {
  double base = resident_bytes();

  void print(const millrace::Keyspace& keyspace, std::vector<uint32_t>& times) {
    std::sort(times.begin(), times.end());
    const auto keys = static_cast<double>(keyspace.size());
    const auto at = [&](double share) {
      return times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))] / 1000.0;
    };
    std::printf("%10zu keys  %6.1f B/key resident  %5.2f B/key table  us: %6.2f %7.2f %8.2f\n",
                keyspace.size(), (resident_bytes() - base) / keys,
                static_cast<double>(keyspace.table_bytes()) / keys, at(0.5), at(0.9999), at(1));
    times.clear();
  }
};

}  // namespace

int main(int argc, char** argv) {
  const size_t keys = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000'000;
  const std::string value(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 32, 'v');
  std::vector<uint32_t> times(keys, 1);  // its pages are resident before the count begins
  times.clear();
  Report report;
  millrace::Keyspace keyspace;
  char name[32];
  for (size_t i = 0; i < keys; ++i) {
    const auto length = static_cast<size_t>(std::snprintf(name, sizeof name, "key:%012zu", i));
    const uint64_t before = cpu_ns();
    keyspace.set_string(millrace::Keyspace::key({name, length}), value, millrace::kNoExpiry);
    times.push_back(static_cast<uint32_t>(cpu_ns() - before));
    const size_t done = i + 1;
    const bool power = (done & (done - 1)) == 0 && done >= 1 << 17;
    if (power || done == 2'000'000 || done == keys) report.print(keyspace, times);
  }
  sleep(1);  // the allocator's background thread gives back what is not in use
  std::printf("a second later         %6.1f B/key resident\n",
              (resident_bytes() - report.base) / static_cast<double>(keys));
  const auto& slab = millrace::ds::slab().stats();
  std::printf("slab: %zu live, %zu reserved, %.2f %% lost\n", slab.live_bytes, slab.reserved_bytes,
              100.0 * static_cast<double>(slab.reserved_bytes - slab.live_bytes) /
                  static_cast<double>(slab.reserved_bytes));
}
