// The arguments that SCAN, HSCAN, SSCAN and ZSCAN share: a cursor, MATCH, COUNT.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "server/command/arg_reader.h"
#include "server/db/glob.h"

namespace millrace {

struct ScanArgs {
  // Elements looked at per call when the client does not say; Redis' number.
  static constexpr int64_t kDefaultCount = 10;
  // Buckets visited per element asked for, so that a call on a sparse table ends; Redis' number.
  static constexpr int64_t kVisitsPerElement = 10;

  uint64_t cursor = 0;
  int64_t count = kDefaultCount;
  std::string_view pattern = "*";
  std::string_view type;  // SCAN's TYPE

  bool matches(std::string_view name) const {
    return pattern == "*" || glob_matches(pattern, name);
  }
};

// A cursor is an unsigned number; anything else answers "ERR invalid cursor".
inline std::optional<uint64_t> read_cursor(Context& c, std::string_view text) {
  uint64_t cursor = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, cursor);
  if (error == std::errc() && stop == end && !text.empty()) return cursor;
  c.fail("ERR invalid cursor");
  return std::nullopt;
}

enum class ScanType : uint8_t { kNotTaken, kTaken };

// Reads [MATCH pattern] [COUNT count] [TYPE type] from argument `first` on. Nothing: answered an
// error.
inline std::optional<ScanArgs> read_scan_args(Context& c, size_t first, ScanType type_option) {
  ScanArgs scan;
  ArgReader args(c, first);
  while (args.more()) {
    if (args.take("MATCH", 1)) {
      scan.pattern = args.word();
    } else if (args.take("COUNT", 1)) {
      scan.count = args.integer();
      if (args.ok() && scan.count < 1) args.syntax_error();
    } else if (type_option == ScanType::kTaken && args.take("TYPE", 1)) {
      scan.type = args.word();
    } else {
      args.syntax_error();
    }
  }
  if (!args.finish()) return std::nullopt;
  return scan;
}

}  // namespace millrace
