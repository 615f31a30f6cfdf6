#include "load/server_probe.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace load {
namespace {

std::string first_line(int pid, const char* name) {
  std::string line;
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
  std::getline(file, line);
  return line;
}

// proc(5): statm is in pages, and its second number is what is resident.
std::optional<uint64_t> resident_bytes(int pid) {
  std::istringstream statm(first_line(pid, "statm"));
  uint64_t size = 0, resident = 0;
  if (!(statm >> size >> resident)) return std::nullopt;
  return resident * uint64_t(::sysconf(_SC_PAGESIZE));
}

// The command's name stands in parentheses and may hold anything; utime and stime are the 14th and
// 15th field of the line, the 12th and 13th behind the name.
std::optional<ae::Nanoseconds> cpu(int pid) {
  const std::string line = first_line(pid, "stat");
  const size_t name_end = line.rfind(')');
  if (name_end == line.npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  int64_t user = 0, system = 0;
  if (!(fields >> user >> system)) return std::nullopt;
  return ae::Nanoseconds((user + system) * (1'000'000'000 / ::sysconf(_SC_CLK_TCK)));
}

}  // namespace

std::optional<ServerSample> sample_server(int pid) {
  const auto resident = resident_bytes(pid);
  const auto time = cpu(pid);
  if (!resident || !time) return std::nullopt;
  return ServerSample{ae::real_clock().now(), *resident, *time};
}

}  // namespace load
