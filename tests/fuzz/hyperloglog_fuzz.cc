// A value that somebody has SET: everything that reads it, then elements and registers that are
// added to it. Where the registers were whole they stay so, and have what was put into them.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <string>

#include "ae/base/assert.h"
#include "server/ds/hyperloglog.h"

namespace {

using millrace::ds::estimate_count;
using millrace::ds::HyperLogLog;
using millrace::ds::HyperLogLogView;
using millrace::ds::kRegisters;
using millrace::ds::RegisterArray;

constexpr int kMostOperations = 60;

std::string make_value(FuzzedDataProvider& data) {
  std::string value("HYLL\1\0\0\0\0\0\0\0\0\0\0\x80", HyperLogLogView::kHeaderBytes);
  if (data.ConsumeBool()) return value + data.ConsumeRandomLengthString(400);
  if (data.ConsumeBool()) return data.ConsumeRandomLengthString(400);
  value[4] = 0;
  value += data.ConsumeRandomLengthString(400);
  value.resize(HyperLogLogView::kDenseTotalBytes, '\x5a');
  return value;
}

// Nothing if the registers are not whole; all that reads them agrees on that.
std::optional<RegisterArray> read(const std::string& bytes) {
  const HyperLogLogView view(bytes);
  RegisterArray registers;
  const bool whole = view.merge_into(registers);
  const std::optional<std::uint64_t> count = view.count();
  AE_ASSERT(whole == count.has_value());
  if (view.is_sparse()) AE_ASSERT(view.sparse().describe().size() <= 8 * bytes.size());
  if (!whole) return std::nullopt;
  AE_ASSERT(*count == estimate_count(registers.histogram()));
  return registers;
}

void change(FuzzedDataProvider& data, std::string& bytes) {
  const auto resize = [&bytes](std::size_t length) {
    bytes.resize(length);
    return ae::MutableBytes(bytes.data(), bytes.size());
  };
  const auto limit = data.ConsumeIntegralInRange<std::size_t>(0, 500);
  HyperLogLog value(resize(bytes.size()), resize, limit);
  const std::optional<RegisterArray> before = read(bytes);
  const auto index = data.ConsumeIntegralInRange<std::size_t>(0, kRegisters - 1);
  const auto rank = data.ConsumeIntegralInRange<std::uint8_t>(1, 51);
  const HyperLogLog::Change made = value.raise(index, rank);
  const std::optional<RegisterArray> behind = read(bytes);
  AE_ASSERT(before.has_value() == behind.has_value());
  if (!before) return;
  AE_ASSERT(made != HyperLogLog::Change::kCorrupt);
  AE_ASSERT((*behind)[index] == std::max((*before)[index], rank));
  for (std::size_t i = 0; i < kRegisters; ++i)
    AE_ASSERT(i == index || (*behind)[i] == (*before)[i]);
  if (data.ConsumeBool())
    AE_ASSERT(value.add(data.ConsumeRandomLengthString(20)) != HyperLogLog::Change::kCorrupt);
  if (data.ConsumeIntegralInRange(0, 20) == 0) AE_ASSERT(value.make_dense());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  FuzzedDataProvider data(bytes, size);
  std::string value = make_value(data);
  if (!HyperLogLogView::fits(value)) return 0;
  read(value);
  for (int i = 0; i < kMostOperations && data.remaining_bytes() > 0; ++i) change(data, value);
  return 0;
}
