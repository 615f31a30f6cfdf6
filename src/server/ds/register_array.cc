#include "server/ds/register_array.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace millrace::ds {
namespace {

// Eight registers are six bytes.
constexpr size_t kGroup = 8;
constexpr size_t kGroupBytes = 6;
constexpr uint64_t kRegisterMask = 63;

uint64_t load_group(const char* from) {
  uint64_t group = 0;
  std::memcpy(&group, from, kGroupBytes);
  return group;
}

uint8_t register_of(uint64_t group, size_t i) {
  return static_cast<uint8_t>(group >> 6 * i & kRegisterMask);
}

// Counts into tables side by side: neighbouring registers are often equal, and an increment that
// waits for the one before it takes five cycles.
class Tally {
 public:
  void count(size_t i, uint8_t value) { ++counts_[i % kTables][value]; }
  void count_zeros(uint32_t zeros) { counts_[0][0] += zeros; }
  RegisterHistogram sum() const {
    RegisterHistogram sum = counts_[0];
    for (size_t table = 1; table < kTables; ++table)
      for (size_t value = 0; value < sum.size(); ++value) sum[value] += counts_[table][value];
    return sum;
  }

 private:
  static constexpr size_t kTables = 4;
  std::array<RegisterHistogram, kTables> counts_ = {};
};

// No hash gives nothing but values beyond the highest; the answer is what infinity becomes in
// Redis.
constexpr uint64_t kBeyondCounting = uint64_t{1} << 63;

// --- the two series of the estimator; each is summed until it does not change any more

// x + x^2 + 2 x^4 + 4 x^8 + ...: what the registers at 0 add, x being their share.
double series_of_lowest(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double sum = x, before, weight = 1;
  do {
    x *= x;
    before = sum;
    sum += x * weight;
    weight += weight;
  } while (sum != before);
  return sum;
}

// (1 - x - (1 - x^1/2)^2 / 2 - (1 - x^1/4)^2 / 4 - ...) / 3: what those at the highest value add, x
// being the share of the others.
double series_of_highest(double x) {
  if (x == 0 || x == 1) return 0;
  double sum = 1 - x, before, weight = 1;
  do {
    x = std::sqrt(x);
    before = sum;
    weight *= 0.5;
    sum -= (1 - x) * (1 - x) * weight;
  } while (sum != before);
  return sum / 3;
}

}  // namespace

uint64_t estimate_count(const RegisterHistogram& histogram) {
  constexpr double kHalfByLn2 = 0.721347520444481703680;
  constexpr auto kCount = static_cast<double>(kRegisters);
  double harmonic = kCount * series_of_highest((kCount - histogram[kHighestRank]) / kCount);
  for (unsigned rank = kHighestRank - 1; rank >= 1; --rank)
    harmonic = (harmonic + histogram[rank]) * 0.5;
  harmonic += kCount * series_of_lowest(histogram[0] / kCount);
  if (harmonic == 0) return kBeyondCounting;
  return static_cast<uint64_t>(std::llround(kHalfByLn2 * kCount * kCount / harmonic));
}

uint8_t dense_register(const char* dense, size_t index) {
  return register_of(load_group(dense + index / kGroup * kGroupBytes), index % kGroup);
}

void set_dense_register(char* dense, size_t index, uint8_t value) {
  char* const at = dense + index / kGroup * kGroupBytes;
  const size_t shift = 6 * (index % kGroup);
  const uint64_t group = load_group(at) & ~(kRegisterMask << shift);
  const uint64_t changed = group | static_cast<uint64_t>(value) << shift;
  std::memcpy(at, &changed, kGroupBytes);
}

RegisterHistogram dense_histogram(const char* dense) {
  Tally tally;
  for (size_t at = 0; at < kDenseBytes; at += kGroupBytes) {
    const uint64_t group = load_group(dense + at);
    for (size_t i = 0; i < kGroup; ++i) tally.count(i, register_of(group, i));
  }
  return tally.sum();
}

void RegisterArray::merge_dense(const char* dense) {
  for (size_t first = 0; first < kRegisters; first += kGroup, dense += kGroupBytes) {
    const uint64_t group = load_group(dense);
    // No branch: which of the two is the higher cannot be foreseen.
    for (size_t i = 0; i < kGroup; ++i)
      values_[first + i] = std::max(values_[first + i], register_of(group, i));
  }
}

void RegisterArray::pack(char* dense) const {
  for (size_t first = 0; first < kRegisters; first += kGroup, dense += kGroupBytes) {
    uint64_t group = 0;
    for (size_t i = 0; i < kGroup; ++i) group |= uint64_t{values_[first + i]} << 6 * i;
    std::memcpy(dense, &group, kGroupBytes);
  }
}

RegisterHistogram RegisterArray::histogram() const {
  Tally tally;
  for (size_t first = 0; first < kRegisters; first += kGroup) {
    uint64_t group;
    static_assert(sizeof group == kGroup);
    std::memcpy(&group, &values_[first], kGroup);
    if (group == 0) {  // most are, until there are thousands of elements
      tally.count_zeros(kGroup);
      continue;
    }
    for (size_t i = 0; i < kGroup; ++i) tally.count(i, values_[first + i]);
  }
  return tally.sum();
}

}  // namespace millrace::ds
