#include "server/process/process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "server/observe/log.h"
#include "server/process/allocator.h"
#include "server/process/crash_report.h"
#include "server/process/daemonize.h"
#include "server/process/descriptor_limit.h"
#include "server/process/kernel_checks.h"
#include "server/process/pid_file.h"
#include "server/process/process_title.h"
#include "server/process/supervision.h"
#include "server/version.h"

namespace millrace::process {
namespace {

Refusal enter_directory(const Config& config) {
  if (chdir(config.dir.c_str()) == 0) return std::nullopt;
  return fmt::format("Can't chdir to '{}': {}", config.dir, std::strerror(errno));
}

// A relative path starts at `dir`, also after a CONFIG SET dir.
std::string in_directory(const Config& config, const std::string& path) {
  return path.empty() ? path : (std::filesystem::path(config.dir) / path).string();
}

Refusal open_log(const Config& config) {
  const log::Options options = {config.loglevel, in_directory(config, config.logfile),
                                config.syslog_enabled, config.syslog_ident, config.syslog_facility};
  const ae::Status opened = log::open(options);
  if (opened) return std::nullopt;
  return fmt::format("Can't open the log file '{}': {}", config.logfile,
                     std::strerror(opened.error().code));
}

Refusal leave_terminal_if_asked(const Config& config) {
  const Supervision supervisor = supervision::begin(config.supervised);
  if (!config.daemonize || supervisor != Supervision::kNone) return std::nullopt;
  const ae::Status status = daemonize(config.logfile.empty() ? "none" : config.logfile);
  if (!status) return "Can't daemonize: " + status.error().message();
  // Failed assertions speak to standard error; with a log file they are not lost.
  if (!config.logfile.empty()) dup2(log::descriptor(), STDERR_FILENO);
  return std::nullopt;
}

void announce(const ConfigStore& store) {
  log::notice("Millrace is starting");
  log::notice("Millrace version={}, bits={}, pid={}, just started", kVersion, sizeof(void*) * 8,
              getpid());
  if (store.path().empty()) {
    log::notice(
        "No config file: everything is as the defaults and the command line say. To name "
        "one: {} /path/to/millrace.conf",
        executable_name());
  } else {
    log::notice("Configuration loaded from {}", store.path());
  }
}

uint64_t reserved(const Config& config) {
  return kReservedDescriptors + admin_descriptors(config) + io_thread_descriptors(config);
}

Refusal reserve_clients(ConfigStore& store) {
  const uint32_t wanted = store.config().maxclients;
  SystemDescriptorLimit limit;
  const DescriptorGrant grant = reserve_descriptors(limit, wanted, reserved(store.config()));
  if (grant.maxclients > 0) widen_descriptor_table(std::min(grant.needed, grant.descriptors));
  std::vector<std::string> lines = describe(grant, wanted);
  if (grant.maxclients == wanted) {
    for (const std::string& line : lines) log::notice("{}", line);
    return std::nullopt;
  }
  std::string last = std::move(lines.back());
  lines.pop_back();
  for (const std::string& line : lines) log::warning("{}", line);
  if (grant.maxclients == 0) return last;
  log::warning("{}", last);
  store.adjust([&](Config& config) { config.maxclients = grant.maxclients; });
  return std::nullopt;
}

void check_kernel(const Config& config) {
  if (config.disable_thp && !disable_huge_pages()) {
    log::warning("Can't disable transparent huge pages for this process: {}", std::strerror(errno));
  }
  for (const std::string& warning : kernel_warnings(config, "/")) log::warning("{}", warning);
}

// The pidfile that was written, to be removed by finish().
std::string& published_pid_file() {
  static std::string& path = *new std::string;
  return path;
}

void publish_pid(const Config& config) {
  std::string path = in_directory(config, config.pidfile);
  if (path.empty() && config.daemonize) path = kDefaultPidFile;
  if (path.empty()) return;
  const ae::Status written = write_pid_file(path);
  if (written) {
    published_pid_file() = std::move(path);
  } else {
    log::warning("Failed to write PID file {}: {}", path, std::strerror(written.error().code));
  }
}

// --- what CONFIG SET may change. Each function is also what the start does.

Refusal apply_crash_report(const Config&, const Config& now) {
  now.crash_log_enabled ? install_crash_report() : remove_crash_report();
  return std::nullopt;
}

// Where the allocator has no such thread there is nothing to switch, and the default is "yes".
Refusal apply_purging(const Config&, const Config& now) {
  (void)set_background_purging(now.jemalloc_bg_thread ? BackgroundPurging::kOn
                                                      : BackgroundPurging::kOff);
  return std::nullopt;
}

Refusal apply_log_level(const Config&, const Config& now) {
  log::set_level(now.loglevel);
  return std::nullopt;
}

Refusal apply_directory(const Config&, const Config& now) {
  if (chdir(now.dir.c_str()) == 0) return std::nullopt;
  return std::strerror(errno);
}

Refusal apply_maxclients(const Config&, const Config& now) {
  SystemDescriptorLimit limit;
  const DescriptorGrant grant = reserve_descriptors(limit, now.maxclients, reserved(now));
  if (grant.maxclients == now.maxclients) {
    widen_descriptor_table(grant.needed);
    return std::nullopt;
  }
  return fmt::format(
      "The operating system is not able to handle the specified number of clients, try with {}",
      grant.maxclients);
}

void show_title(const ConfigStore& store) {
  const Config& config = store.config();
  if (!config.set_proc_title) return;
  set_process_title(expand_title(config, executable_name(), store.path()));
}

void watch(ConfigStore& store) {
  store.on_change("crash-log-enabled", apply_crash_report);
  store.on_change("jemalloc-bg-thread", apply_purging);
  store.on_change("loglevel", apply_log_level);
  store.on_change("dir", apply_directory);
  store.on_change("maxclients", apply_maxclients);
  store.on_change({"proc-title-template", "port", "bind"},
                  [&store](const Config&, const Config&) -> Refusal {
                    show_title(store);
                    return std::nullopt;
                  });
}

}  // namespace

std::optional<std::string> prepare(ConfigStore& store) {
  const Config& config = store.config();
  // A reader that went away is an error of write(2), not the end of the server. The log's reader
  // too.
  signal(SIGPIPE, SIG_IGN);
  if (Refusal refusal = enter_directory(config)) return refusal;
  if (Refusal refusal = open_log(config)) return refusal;
  if (Refusal refusal = leave_terminal_if_asked(config)) return refusal;
  announce(store);
  (void)apply_crash_report(config, config);
  if (Refusal refusal = reserve_clients(store)) return refusal;
  check_kernel(config);
  publish_pid(config);
  show_title(store);
  (void)apply_purging(config, config);
  watch(store);
  log::set_role(log::Role::kServer);
  return std::nullopt;
}

void finish() {
  if (published_pid_file().empty()) return;
  log::notice("Removing the pid file.");
  remove_pid_file(published_pid_file());
}

}  // namespace millrace::process
