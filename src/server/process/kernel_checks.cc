#include "server/process/kernel_checks.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "server/config/config_file.h"

namespace millrace {
namespace {

std::optional<std::string> contents(const std::string& root, std::string_view path) {
  ae::Result<std::string> text = read_whole_file(root + std::string(path));
  if (!text) return std::nullopt;
  return std::move(*text);
}

std::optional<int> number(const std::string& root, std::string_view path) {
  const std::optional<std::string> text = contents(root, path);
  if (!text || text->empty()) return std::nullopt;
  return std::atoi(text->c_str());
}

std::optional<std::string> check_backlog(const Config& config, const std::string& root) {
  const std::optional<int> somaxconn = number(root, "proc/sys/net/core/somaxconn");
  if (!somaxconn || *somaxconn >= config.tcp_backlog) return std::nullopt;
  return fmt::format(
      "WARNING: The TCP backlog setting of {} cannot be enforced because "
      "/proc/sys/net/core/somaxconn is set to the lower value of {}.",
      config.tcp_backlog, *somaxconn);
}

std::optional<std::string> check_overcommit(const std::string& root) {
  const std::optional<int> overcommit = number(root, "proc/sys/vm/overcommit_memory");
  if (!overcommit || *overcommit == 1) return std::nullopt;
  return fmt::format(
      "WARNING: Memory overcommit is not enabled (/proc/sys/vm/overcommit_memory is {}). When "
      "memory "
      "is short, an allocation may fail that would have fitted. To enable it run 'sysctl "
      "vm.overcommit_memory=1' and add 'vm.overcommit_memory = 1' to /etc/sysctl.conf.",
      *overcommit);
}

std::optional<std::string> check_huge_pages(const Config& config, const std::string& root) {
  if (config.disable_thp) return std::nullopt;
  const std::optional<std::string> text =
      contents(root, "sys/kernel/mm/transparent_hugepage/enabled");
  if (!text || text->find("[always]") == text->npos) return std::nullopt;
  return "WARNING: Transparent huge pages are always on, and 'disable-thp no' keeps them for this "
         "process: it will use more memory than its data needs. To change that set 'disable-thp "
         "yes', or run 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled' as root.";
}

}  // namespace

std::vector<std::string> kernel_warnings(const Config& config, const std::string& root) {
  std::vector<std::string> warnings;
  for (std::optional<std::string>& warning : std::array{
           check_backlog(config, root), check_overcommit(root), check_huge_pages(config, root)}) {
    if (warning) warnings.push_back(std::move(*warning));
  }
  return warnings;
}

bool disable_huge_pages() {
  return prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0;
}

}  // namespace millrace
