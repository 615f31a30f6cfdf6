// Two uses of the same bytes: as a listpack from outside, and as a list of operations that are done
// to a listpack and to a vector, which must stay equal.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/assert.h"
#include "server/ds/listpack.h"

namespace {

using millrace::ds::Cursor;
using millrace::ds::Element;
using millrace::ds::Listpack;
using millrace::ds::ListpackView;

// Enough to pass every boundary of the encodings; more only makes the fuzzer slow.
constexpr std::size_t kMaxOperations = 200;

void read_as_listpack(std::string_view bytes) {
  const std::optional<Listpack> pack = Listpack::from_bytes(bytes);
  if (!pack) return;
  AE_ASSERT(pack->check());
  std::size_t elements = 0;
  for (Cursor at = pack->last(); at; at = pack->previous(at)) ++elements;
  AE_ASSERT(elements == pack->size());
  pack->for_each([&pack](const Element& element) {
    Element::TextBuffer buffer;
    AE_ASSERT(pack->find(element.text(buffer)));
  });
}

std::string pick_value(FuzzedDataProvider& data) {
  if (data.ConsumeBool()) return std::to_string(data.ConsumeIntegral<std::int64_t>());
  if (data.ConsumeBool()) return data.ConsumeRandomLengthString(300);
  return std::string(data.ConsumeIntegralInRange<std::size_t>(0, 20000), 'x');
}

void check_equal(ListpackView pack, const std::vector<std::string>& model) {
  AE_ASSERT(pack.check());
  AE_ASSERT(pack.size() == model.size());
  std::size_t index = 0;
  pack.for_each([&](const Element& element) { AE_ASSERT(element == model[index++]); });
}

void change(FuzzedDataProvider& data, Listpack& pack, std::vector<std::string>& model) {
  const auto index = data.ConsumeIntegralInRange<std::size_t>(0, model.size());
  const Cursor at = pack.seek(static_cast<std::int64_t>(index));
  const auto place = model.begin() + static_cast<std::ptrdiff_t>(index);
  switch (data.ConsumeIntegralInRange(0, 3)) {
    case 0: {
      const std::string value = pick_value(data);
      if (at) {
        pack.insert_before(at, value);
      } else {
        pack.append(value);
      }
      model.insert(place, value);
      return;
    }
    case 1:
      if (!at) return;
      *place = pick_value(data);
      return pack.replace(at, *place);
    case 2: {
      const auto count = data.ConsumeIntegralInRange<std::size_t>(0, model.size() - index);
      pack.erase_range(static_cast<std::int64_t>(index), count);
      model.erase(place, place + static_cast<std::ptrdiff_t>(count));
      return;
    }
    default: {
      const std::string value = pick_value(data);
      pack.prepend(value);
      model.insert(model.begin(), value);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  read_as_listpack({reinterpret_cast<const char*>(bytes), size});
  FuzzedDataProvider data(bytes, size);
  Listpack pack;
  std::vector<std::string> model;
  for (std::size_t i = 0; i < kMaxOperations && data.remaining_bytes() > 0; ++i) {
    change(data, pack, model);
    check_equal(pack, model);
  }
  return 0;
}
