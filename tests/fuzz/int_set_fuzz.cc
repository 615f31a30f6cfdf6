// Two uses of the same bytes: as an intset from outside, and as a list of operations that are done
// to an intset and to a std::set, which must stay equal.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <set>
#include <string_view>

#include "ae/base/assert.h"
#include "server/ds/int_set.h"

namespace {

using millrace::ds::IntSet;

constexpr std::size_t kMaxOperations = 500;

void read_as_int_set(std::string_view bytes) {
  const std::optional<IntSet> set = IntSet::from_bytes(bytes);
  if (!set) return;
  AE_ASSERT(set->check());
  AE_ASSERT(set->raw() == bytes);
  set->for_each([&set](std::int64_t member) { AE_ASSERT(set->contains(member)); });
}

std::int64_t pick_value(FuzzedDataProvider& data) {
  if (data.ConsumeBool()) return data.ConsumeIntegral<std::int8_t>();
  return data.ConsumeIntegral<std::int64_t>() >> data.ConsumeIntegralInRange(0, 63);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  read_as_int_set({reinterpret_cast<const char*>(bytes), size});
  FuzzedDataProvider data(bytes, size);
  IntSet set;
  std::set<std::int64_t> model;
  for (std::size_t i = 0; i < kMaxOperations && data.remaining_bytes() > 0; ++i) {
    const std::int64_t value = pick_value(data);
    AE_ASSERT(set.contains(value) == (model.count(value) == 1));
    if (data.ConsumeBool()) {
      AE_ASSERT(set.insert(value) == model.insert(value).second);
    } else {
      AE_ASSERT(set.erase(value) == (model.erase(value) == 1));
    }
  }
  AE_ASSERT(set.check() && set.size() == model.size());
  auto expected = model.begin();
  set.for_each([&expected](std::int64_t member) { AE_ASSERT(member == *expected++); });
  return 0;
}
