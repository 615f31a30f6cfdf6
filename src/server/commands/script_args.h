// "numkeys [key [key ...]] [arg [arg ...]]": the end of EVAL, EVALSHA and FCALL.
#pragma once

#include <span>
#include <string_view>

#include "ae/base/decimal.h"
#include "server/command/context.h"

namespace millrace {

struct ScriptArgs {
  std::span<const std::string_view> keys;
  std::span<const std::string_view> arguments;
};

// Reads the count at position 2. An error has been answered if context.failed(); `no_number` is the
// text where the count is no number.
inline ScriptArgs read_script_args(Context& c, std::string_view no_number) {
  constexpr size_t kFirst = 3;
  const std::optional<int64_t> count = ae::parse_int64(c.arg(2));
  if (!count) {
    c.fail(no_number);
  } else if (*count > int64_t(c.arg_count() - kFirst)) {
    c.fail("ERR Number of keys can't be greater than number of args");
  } else if (*count < 0) {
    c.fail("ERR Number of keys can't be negative");
  } else {
    const auto rest = c.args().subspan(kFirst);
    return {rest.first(size_t(*count)), rest.subspan(size_t(*count))};
  }
  return {};
}

}  // namespace millrace
