#include "server/config/memory_size.h"

#include <algorithm>
#include <array>

#include "ae/base/decimal.h"
#include "server/config/text.h"

namespace millrace {
namespace {

struct Unit {
  std::string_view name;
  int64_t bytes;
};

constexpr std::array<Unit, 8> kUnits = {{
    {"", 1},
    {"b", 1},
    {"k", 1000},
    {"kb", 1024},
    {"m", 1000 * 1000},
    {"mb", 1024 * 1024},
    {"g", 1000 * 1000 * 1000},
    {"gb", 1024 * 1024 * 1024},
}};

// What a rewritten file uses; the units of 1000 are for reading only.
constexpr std::array<Unit, 3> kWrittenUnits = {{
    {"gb", 1024 * 1024 * 1024},
    {"mb", 1024 * 1024},
    {"kb", 1024},
}};

const Unit* find_unit(std::string_view name) {
  const auto* found = std::ranges::find_if(
      kUnits, [name](const Unit& unit) { return equal_ignoring_case(unit.name, name); });
  return found == kUnits.end() ? nullptr : found;
}

}  // namespace

std::optional<int64_t> parse_memory_size(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const Unit* unit = find_unit(text.substr(digits));
  const std::optional<int64_t> count = ae::parse_int64(text.substr(0, digits));
  if (!unit || !count) return std::nullopt;
  int64_t bytes = 0;
  if (__builtin_mul_overflow(*count, unit->bytes, &bytes)) return std::nullopt;
  return bytes;
}

std::string format_memory_size(int64_t bytes) {
  for (const Unit& unit : kWrittenUnits) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0) {
      return std::to_string(bytes / unit.bytes).append(unit.name);
    }
  }
  return std::to_string(bytes);
}

}  // namespace millrace
