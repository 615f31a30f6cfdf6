#include "server/ds/hyperloglog_trial.h"

#include <cmath>
#include <string_view>

#include "ae/base/prng.h"
#include "server/ds/hyperloglog.h"

namespace millrace::ds {
namespace {

constexpr uint64_t kMostElements = 100'000;
constexpr double kStandardError = 1.04 / 128;
// Farther off than six standard errors are two in a thousand million.
constexpr double kErrorsAllowed = 6;

// A value in memory of its own.
class Trial {
 public:
  explicit Trial(size_t most_sparse_bytes) : most_sparse_bytes_(most_sparse_bytes) {
    HyperLogLog::write_empty(resized(HyperLogLog::kEmptyBytes));
  }

  void add(uint64_t element) {
    const auto resize = [this](size_t length) { return resized(length); };
    HyperLogLog value(resized(bytes_.size()), resize, most_sparse_bytes_);
    value.add({reinterpret_cast<const char*>(&element), sizeof element});
  }
  uint64_t count() const { return HyperLogLogView(bytes_).count().value_or(UINT64_MAX); }
  bool merge_into(RegisterArray& registers) const {
    return HyperLogLogView(bytes_).merge_into(registers);
  }

 private:
  ae::MutableBytes resized(size_t length) {
    bytes_.resize(length);
    return {bytes_.data(), bytes_.size()};
  }

  std::string bytes_;
  size_t most_sparse_bytes_;
};

std::string number(uint64_t value) {
  return std::to_string(value);
}

std::string try_registers(ae::Prng& prng) {
  std::string dense(kDenseBytes, '\0');
  RegisterArray expected;
  for (size_t i = 0; i < 4 * kRegisters; ++i) {
    const size_t index = prng.below(kRegisters);
    const auto value = static_cast<uint8_t>(prng.below(64));
    if (dense_register(dense.data(), index) >= value) continue;
    set_dense_register(dense.data(), index, value);
    expected.raise(index, value);
  }
  for (size_t i = 0; i < kRegisters; ++i) {
    const uint8_t value = dense_register(dense.data(), i);
    if (value != expected[i])
      return "Register " + number(i) + " should be " + number(expected[i]) + " but is " +
             number(value);
  }
  return {};
}

bool have_equal_registers(const Trial& a, const Trial& b) {
  RegisterArray of_a, of_b;
  return a.merge_into(of_a) && b.merge_into(of_b) && of_a.histogram() == of_b.histogram();
}

std::string try_counts(ae::Prng& prng) {
  // One that gets dense at once, one that stays sparse for as long as ranks let it.
  Trial dense(0), sparse(SIZE_MAX);
  uint64_t added = 0;
  for (uint64_t checkpoint = 1; checkpoint <= kMostElements; checkpoint *= 10) {
    // The next random number of 64 is never one of the last.
    for (; added < checkpoint; ++added) {
      const uint64_t element = prng.next();
      dense.add(element);
      if (checkpoint <= 1000) sparse.add(element);
    }
    if (checkpoint <= 1000 && !have_equal_registers(dense, sparse))
      return "sparse and dense differ at " + number(checkpoint) + " elements";
    const double off = std::abs(double(dense.count()) - double(checkpoint));
    if (off > std::ceil(kErrorsAllowed * kStandardError * double(checkpoint)))
      return "Too big error. card:" + number(checkpoint) + " counted:" + number(dense.count());
  }
  return {};
}

}  // namespace

std::string try_hyperloglog(uint64_t seed) {
  ae::Prng prng(seed);
  std::string failure = try_registers(prng);
  return failure.empty() ? try_counts(prng) : failure;
}

}  // namespace millrace::ds
