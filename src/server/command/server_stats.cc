#include "server/command/server_stats.h"

#include "server/command/lifecycle.h"

namespace millrace {

Traffic Traffic::of(const Lifecycle& lifecycle) {
  return {.read_bytes = lifecycle.bytes_read(),
          .written_bytes = lifecycle.bytes_written(),
          .reads = lifecycle.reads(),
          .writes = lifecycle.writes()};
}

void ServerStats::count_error(std::string_view error) {
  ++errors_replied;
  std::string_view code = error.substr(0, error.find(' '));
  auto found = errors_by_code.find(code);
  if (found != errors_by_code.end()) {
    ++found->second;
  } else if (errors_by_code.size() < kMaxErrorCodes) {
    errors_by_code.emplace(code, 1);
  }
}

}  // namespace millrace
