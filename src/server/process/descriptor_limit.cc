#include "server/process/descriptor_limit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "server/config/config_file.h"

namespace millrace {
namespace {

// What Linux gives a process that nobody gave more, and what to assume if getrlimit fails.
constexpr uint64_t kUsualSoftLimit = 1024;

// /proc/sys/fs/nr_open of an untouched kernel.
constexpr uint64_t kUsualHighestPossible = 1024 * 1024;

uint32_t clients_within(uint64_t descriptors, uint32_t wanted, uint64_t reserved) {
  if (descriptors <= reserved) return 0;
  return static_cast<uint32_t>(std::min<uint64_t>(wanted, descriptors - reserved));
}

// The highest of these that is granted: all that is needed, the most the kernel has, the hard
// limit.
void raise(DescriptorLimit& limit, DescriptorLimit::Values now, uint64_t needed,
           DescriptorGrant& grant) {
  const uint64_t ceiling = std::min(needed, limit.highest_possible());
  for (const uint64_t soft : {needed, ceiling, std::min(needed, now.hard)}) {
    if (soft <= grant.descriptors) continue;
    const ae::Status raised = limit.set({soft, std::max(soft, now.hard)});
    if (raised) {
      grant.descriptors = soft;
      return;
    }
    if (grant.error == 0) grant.error = raised.error().code;
  }
}

}  // namespace

ae::Result<DescriptorLimit::Values> SystemDescriptorLimit::get() const {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return ae::fail(errno, "getrlimit");
  return Values{limit.rlim_cur, limit.rlim_max};
}

ae::Status SystemDescriptorLimit::set(Values values) {
  const rlimit limit{values.soft, values.hard};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return ae::fail(errno, "setrlimit");
  return {};
}

uint64_t SystemDescriptorLimit::highest_possible() const {
  const ae::Result<std::string> text = read_whole_file("/proc/sys/fs/nr_open");
  const uint64_t value = text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
  return value != 0 ? value : kUsualHighestPossible;
}

uint64_t admin_descriptors(const Config& config) {
  if (!config.has_admin_lane()) return 0;
  constexpr uint64_t kUnixSocketAndRefusal = 2;
  return kMaxAdminClients + config.admin_bind.size() + kUnixSocketAndRefusal;
}

uint64_t io_thread_descriptors(const Config& config) {
  constexpr uint64_t kEach = 3;
  const bool own_listeners = config.io_threads_accept == AcceptPlacement::kReusePort;
  const uint64_t listeners = own_listeners ? config.bind.size() : 0;
  return uint64_t(config.io_threads - 1) * (kEach + listeners);
}

DescriptorGrant reserve_descriptors(DescriptorLimit& limit, uint32_t wanted_maxclients,
                                    uint64_t reserved) {
  const uint64_t needed = uint64_t{wanted_maxclients} + reserved;
  const auto now = limit.get().value_or(DescriptorLimit::Values{kUsualSoftLimit, kUsualSoftLimit});
  DescriptorGrant grant = {
      .before = now.soft, .descriptors = now.soft, .maxclients = 0, .needed = needed, .error = 0};
  if (now.soft < needed) raise(limit, now, needed, grant);
  grant.maxclients = clients_within(grant.descriptors, wanted_maxclients, reserved);
  return grant;
}

void widen_descriptor_table(uint64_t descriptors) {
  const int some = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (some == -1) return;
  const int highest = fcntl(some, F_DUPFD_CLOEXEC, static_cast<int>(descriptors - 1));
  if (highest != -1) close(highest);
  close(some);
}

std::vector<std::string> describe(const DescriptorGrant& grant, uint32_t wanted_maxclients) {
  const uint64_t needed = grant.needed;
  if (grant.maxclients == wanted_maxclients) {
    if (grant.descriptors == grant.before) return {};
    return {
        fmt::format("Increased maximum number of open files to {} (it was originally set to {}).",
                    grant.descriptors, grant.before)};
  }
  std::vector<std::string> lines = {
      fmt::format("You requested maxclients of {} requiring at least {} max file descriptors.",
                  wanted_maxclients, needed),
      fmt::format("Server can't set maximum open files to {} because of OS error: {}.", needed,
                  std::strerror(grant.error))};
  if (grant.maxclients == 0) {
    lines.push_back(
        fmt::format("Your current 'ulimit -n' of {} is not enough for the server to start. Please "
                    "increase your "
                    "open file limit to at least {}. Exiting.",
                    grant.descriptors, needed));
  } else {
    lines.push_back(fmt::format(
        "Current maximum open files is {}. maxclients has been reduced to {} to compensate for low "
        "ulimit. If you need higher maxclients increase 'ulimit -n'.",
        grant.descriptors, grant.maxclients));
  }
  return lines;
}

}  // namespace millrace
