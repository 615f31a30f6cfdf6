// The bytes are a list of operations that are done to a QuickList and to a deque, which must stay
// equal.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>

#include "ae/base/assert.h"
#include "server/ds/quick_list.h"

namespace {

using millrace::ds::Direction;
using millrace::ds::Element;
using millrace::ds::End;
using millrace::ds::ListLimit;
using millrace::ds::QuickList;
using millrace::ds::Side;
using Model = std::deque<std::string>;

constexpr std::size_t kMaxOperations = 200;

std::string pick_value(FuzzedDataProvider& data) {
  if (data.ConsumeBool()) return std::to_string(data.ConsumeIntegralInRange(-200, 200));
  return std::string(data.ConsumeIntegralInRange<std::size_t>(0, 10000), 'x');
}

void check_equal(const QuickList& list, const Model& model) {
  AE_ASSERT(list.check());
  AE_ASSERT(list.size() == model.size());
  std::size_t index = 0;
  list.for_range(0, SIZE_MAX,
                 [&](const Element& element) { AE_ASSERT(element == model[index++]); });
  AE_ASSERT(index == model.size());
}

void pop(QuickList& list, Model& model, End end) {
  const bool popped = list.pop(end, [&](const Element& element) {
    AE_ASSERT(element == (end == End::kFront ? model.front() : model.back()));
  });
  AE_ASSERT(popped == !model.empty());
  if (!popped) return;
  if (end == End::kFront) return model.pop_front();
  model.pop_back();
}

void remove_matching(FuzzedDataProvider& data, QuickList& list, Model& model) {
  const std::string value = pick_value(data);
  const auto matches = static_cast<std::size_t>(std::count(model.begin(), model.end(), value));
  AE_ASSERT(list.remove_matching(value, 0) == matches);
  model.erase(std::remove(model.begin(), model.end(), value), model.end());
}

void change(FuzzedDataProvider& data, QuickList& list, Model& model, const ListLimit& limit) {
  const auto index = data.ConsumeIntegralInRange<std::size_t>(0, model.size());
  const auto place = model.begin() + static_cast<std::ptrdiff_t>(index);
  const auto at = list.seek(static_cast<std::int64_t>(index));
  switch (data.ConsumeIntegralInRange(0, 8)) {
    case 0:
      model.push_front(pick_value(data));
      return list.push(End::kFront, model.front(), limit);
    case 1:
      model.push_back(pick_value(data));
      return list.push(End::kBack, model.back(), limit);
    case 2:
      return pop(list, model, data.ConsumeBool() ? End::kFront : End::kBack);
    case 3:
      if (!at) return;
      return list.insert(at, Side::kBefore, *model.insert(place, pick_value(data)), limit);
    case 4:
      if (!at) return;
      return list.insert(at, Side::kAfter, *model.insert(place + 1, pick_value(data)), limit);
    case 5:
      if (!at) return;
      *place = pick_value(data);
      return list.replace(at, *place, limit);
    case 6: {
      const auto count = data.ConsumeIntegralInRange<std::size_t>(0, model.size() - index);
      AE_ASSERT(list.erase_range(index, count) == count);
      model.erase(place, place + static_cast<std::ptrdiff_t>(count));
      return;
    }
    case 7:
      return remove_matching(data, list, model);
    default:
      return list.settle_after_removal(limit);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  FuzzedDataProvider data(bytes, size);
  const ListLimit limit(data.ConsumeIntegralInRange(-5, 20));
  QuickList list;
  Model model;
  for (std::size_t i = 0; i < kMaxOperations && data.remaining_bytes() > 0; ++i) {
    change(data, list, model, limit);
    check_equal(list, model);
  }
  return 0;
}
