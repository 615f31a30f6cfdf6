#include "server/observe/kernel_sockets.h"

#include <unistd.h>

#include <cstdio>

#include "ae/base/decimal.h"

namespace millrace {
namespace {

// The number behind `word` in a line of words and numbers.
std::optional<size_t> number_after(std::string_view line, std::string_view word) {
  const size_t at = line.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = line.substr(at + word.size());
  rest = rest.substr(0, rest.find(' '));
  const std::optional<int64_t> number = ae::parse_int64(rest);
  if (!number || *number < 0) return std::nullopt;
  return size_t(*number);
}

}  // namespace

std::optional<KernelSockets> parse_sockstat(std::string_view text, size_t page_bytes) {
  const size_t start = text.find("TCP: ");
  if (start == std::string_view::npos) return std::nullopt;
  std::string_view line = text.substr(start);
  line = line.substr(0, line.find('\n'));
  const auto allocated = number_after(line, " alloc ");
  const auto pages = number_after(line, " mem ");
  if (!allocated || !pages) return std::nullopt;
  return KernelSockets{*allocated, *pages * page_bytes};
}

std::optional<KernelSockets> read_kernel_sockets() {
  std::FILE* file = std::fopen("/proc/net/sockstat", "r");
  if (!file) return std::nullopt;
  char text[1024];  // half a dozen short lines
  const size_t length = std::fread(text, 1, sizeof text, file);
  std::fclose(file);
  return parse_sockstat({text, length}, size_t(sysconf(_SC_PAGESIZE)));
}

}  // namespace millrace
