#include "server/observe/memory_doctor.h"

#include <fmt/format.h>

#include <vector>

namespace millrace {
namespace {

// Below, what the process itself needs hides every ratio.
constexpr size_t kSmallestJudgedBytes = 5 << 20;
// Redis' thresholds, where it has one.
constexpr double kHighPeak = 1.5;
constexpr double kHighFragmentation = 1.4;
constexpr double kHighAllocatorRatio = 1.1;
constexpr int64_t kWorthMentioningBytes = 10 << 20;
constexpr double kNearLimit = 0.95;

double mib(size_t bytes) {
  return double(bytes) / (1 << 20);
}

bool is_large(double ratio, double threshold, int64_t bytes) {
  return ratio > threshold && bytes > kWorthMentioningBytes;
}

void judge_peak(const MemoryOverview& m, std::vector<std::string>& findings) {
  if (double(m.peak) <= kHighPeak * double(m.used)) return;
  findings.push_back(fmt::format(
      "Peak: up to {:.1f} MiB were in use, now it is {:.1f} MiB. The allocator may still hold the "
      "difference; MEMORY PURGE asks it to give it back.",
      mib(m.peak), mib(m.used)));
}

void judge_fragmentation(const MemoryOverview& m, std::vector<std::string>& findings) {
  if (is_large(m.fragmentation(), kHighFragmentation,
               MemoryOverview::difference(m.resident, m.used)))
    findings.push_back(fmt::format(
        "Fragmentation: the process occupies {:.1f} MiB for {:.1f} MiB in use, {:.2f} times as "
        "much.",
        mib(m.resident), mib(m.used), m.fragmentation()));
  if (is_large(m.allocator_fragmentation(), kHighAllocatorRatio,
               MemoryOverview::difference(m.allocator.active, m.allocator.allocated)))
    findings.push_back(fmt::format(
        "Half-empty pages: {:.1f} MiB are allocated in pages of {:.1f} MiB, as happens after many "
        "deletions.",
        mib(m.allocator.allocated), mib(m.allocator.active)));
  if (is_large(m.allocator_rss(), kHighAllocatorRatio,
               MemoryOverview::difference(m.allocator.resident, m.allocator.active)))
    findings.push_back(fmt::format(
        "Free pages: the allocator keeps {:.1f} MiB that nothing lies in. MEMORY PURGE gives them "
        "back.",
        mib(m.allocator.resident - m.allocator.active)));
}

void judge_limit(const MemoryOverview& m, const Config& config,
                 std::vector<std::string>& findings) {
  const uint64_t limit = config.maxmemory_bytes;
  if (limit == 0 || double(m.used) < kNearLimit * double(limit)) return;
  findings.push_back(fmt::format("Limit: {:.1f} MiB of maxmemory's {:.1f} MiB are in use{}.",
                                 mib(m.used), mib(limit),
                                 config.maxmemory_policy == MaxmemoryPolicy::kNoEviction
                                     ? ", and with maxmemory-policy noeviction writes will be "
                                       "refused"
                                     : "; keys are being evicted"));
}

}  // namespace

std::string memory_report(const MemoryOverview& memory, const Config& config) {
  std::vector<std::string> findings;
  judge_limit(memory, config, findings);
  if (memory.used < kSmallestJudgedBytes && findings.empty())
    return fmt::format("Only {:.1f} MiB are in use: too little to judge anything by.\n",
                       mib(memory.used));
  judge_peak(memory, findings);
  judge_fragmentation(memory, findings);
  if (findings.empty()) return "Nothing unusual.\n";
  std::string report;
  for (const std::string& finding : findings) report += "* " + finding + "\n";
  return report;
}

}  // namespace millrace
