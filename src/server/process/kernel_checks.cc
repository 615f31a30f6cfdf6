#include "server/process/kernel_checks.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
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

// Handshakes that a server for more clients than usual should be able to have waiting: what comes
// in in some 40 ms of a reconnect storm. Beyond it the kernel drops what the client believes
// established, and the client tries again after a second, then three.
constexpr uint32_t kUsualClients = 10'000;
constexpr int kStormBacklog = 4096;

// Keepalive probes a second that nobody notices. Each is a timer and a packet of the kernel's at
// both ends, and connections that came together are probed together.
constexpr uint32_t kManyClients = 100'000;
constexpr uint32_t kProbesPerSecond = 1000;

std::optional<std::string> check_backlog(const Config& config, const std::string& root) {
  const std::optional<int> somaxconn = number(root, "proc/sys/net/core/somaxconn");
  if (!somaxconn || *somaxconn >= config.tcp_backlog) return std::nullopt;
  return fmt::format(
      "WARNING: The TCP backlog setting of {0} cannot be enforced because "
      "/proc/sys/net/core/somaxconn is set to the lower value of {1}. To raise it run 'sysctl "
      "net.core.somaxconn={0}' and add 'net.core.somaxconn = {0}' to /etc/sysctl.conf.",
      config.tcp_backlog, *somaxconn);
}

// With SYN cookies the queue of half-open handshakes has no limit that loses one. Without them the
// kernel keeps its last quarter for peers it knows.
std::optional<std::string> check_syn_backlog(const Config& config, const std::string& root) {
  const std::optional<int> cookies = number(root, "proc/sys/net/ipv4/tcp_syncookies");
  const std::optional<int> most = number(root, "proc/sys/net/ipv4/tcp_max_syn_backlog");
  const int64_t needed = (int64_t{config.tcp_backlog} * 4 + 2) / 3;
  if (!cookies || *cookies != 0 || !most || *most >= needed) return std::nullopt;
  return fmt::format(
      "WARNING: The TCP backlog setting of {0} cannot be reached by strangers' handshakes because "
      "SYN cookies are off and /proc/sys/net/ipv4/tcp_max_syn_backlog is {1}, of which they get "
      "three quarters. To change that run 'sysctl net.ipv4.tcp_syncookies=1', or 'sysctl "
      "net.ipv4.tcp_max_syn_backlog={2}', and add it to /etc/sysctl.conf.",
      config.tcp_backlog, *most, needed);
}

std::optional<std::string> check_storm(const Config& config, const std::string& root) {
  if (config.port == 0 || config.maxclients <= kUsualClients) return std::nullopt;
  const int somaxconn = number(root, "proc/sys/net/core/somaxconn").value_or(kStormBacklog);
  const int room = std::min(config.tcp_backlog, somaxconn);
  if (room >= kStormBacklog) return std::nullopt;
  std::string cure = fmt::format("set 'tcp-backlog {}'", kStormBacklog);
  if (somaxconn < kStormBacklog) {
    cure +=
        fmt::format(" and run 'sysctl net.core.somaxconn={}' (it is {})", kStormBacklog, somaxconn);
  }
  return fmt::format(
      "WARNING: With maxclients {} all clients that come back at once find room for {} in the "
      "backlog; the others are kept waiting by their own kernel for a second or more. To change "
      "that {}.",
      config.maxclients, room, cure);
}

std::optional<std::string> check_keepalive(const Config& config) {
  if (config.tcp_keepalive_s == 0 || config.maxclients < kManyClients) return std::nullopt;
  const uint32_t probes = config.maxclients / uint32_t(config.tcp_keepalive_s);
  if (probes <= kProbesPerSecond) return std::nullopt;
  return fmt::format(
      "WARNING: With 'tcp-keepalive {}' and maxclients {} the kernel sends up to {} keepalive "
      "probes "
      "a second, and those of connections that came together in bursts. Set 'tcp-keepalive {}' or "
      "more, or 0 and let clients ask for CLIENT HEARTBEAT.",
      config.tcp_keepalive_s, config.maxclients, probes,
      (config.maxclients + kProbesPerSecond - 1) / kProbesPerSecond);
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
           check_backlog(config, root), check_syn_backlog(config, root), check_storm(config, root),
           check_keepalive(config), check_overcommit(root), check_huge_pages(config, root)}) {
    if (warning) warnings.push_back(std::move(*warning));
  }
  return warnings;
}

bool disable_huge_pages() {
  return prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0;
}

}  // namespace millrace
