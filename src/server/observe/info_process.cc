// INFO of the process: server, clients, cpu.
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "server/command/blocking.h"
#include "server/command/clients.h"
#include "server/command/heartbeats.h"
#include "server/command/lifecycle.h"
#include "server/command/replication_view.h"
#include "server/config/config.h"
#include "server/observe/info.h"
#include "server/observe/kernel_sockets.h"
#include "server/pubsub/pub_sub.h"
#include "server/pubsub/tracking.h"
#include "server/version.h"

namespace millrace::info {
namespace {

constexpr int64_t kSecondsPerDay = 24 * 60 * 60;
// The LRU clock of OBJECT IDLETIME: seconds, 24 bits.
constexpr int64_t kLruClockMask = (1 << 24) - 1;

void operating_system(InfoText& text) {
  utsname system;
  if (uname(&system) != 0) return;
  text.line("os:{} {} {}", system.sysname, system.release, system.machine);
}

std::string_view supervisor_name(Supervision supervision) {
  switch (supervision) {
    case Supervision::kNone:
      return "no";
    case Supervision::kUpstart:
      return "upstart";
    case Supervision::kSystemd:
      return "systemd";
    default:
      return "unknown";
  }
}

std::string bound_to(const std::vector<std::string>& bind) {
  std::string addresses;
  for (const std::string& address : bind) addresses += ",bind=" + address;
  return addresses;
}

void listeners(const Config& config, int port, InfoText& text) {
  int number = 0;
  if (port != 0) text.line("listener{}:name=tcp{},port={}", number++, bound_to(config.bind), port);
  if (!config.unixsocket.empty())
    text.line("listener{}:name=unix,bind={}", number++, config.unixsocket);
  if (config.admin_port != 0)
    text.line("listener{}:name=admin-tcp{},port={}", number++, bound_to(config.admin_bind),
              config.admin_port);
  if (!config.admin_unixsocket.empty())
    text.line("listener{}:name=admin-unix,bind={}", number++, config.admin_unixsocket);
}

void cpu_time(InfoText& text, std::string_view suffix, int who) {
  rusage usage;
  if (getrusage(who, &usage) != 0) return;
  text.line("used_cpu_sys{}:{}.{:06}", suffix, usage.ru_stime.tv_sec, usage.ru_stime.tv_usec);
  text.line("used_cpu_user{}:{}.{:06}", suffix, usage.ru_utime.tv_sec, usage.ru_utime.tv_usec);
}

// The ledger: the clients' own, by kind; what lies beside them; and the kernel's part.
void client_memory(Services& services, InfoText& text) {
  const ClientMemory memory = services.lifecycle.client_memory();
  const size_t count = services.clients.count();
  text.field("mem_clients_own", memory.own());
  text.field("mem_clients_own_per_client", count == 0 ? 0 : memory.own() / count);
  text.field("mem_clients_sessions", memory.sessions);
  text.field("mem_clients_connections", memory.connections);
  text.field("mem_clients_registrations", memory.registrations);
  text.field("mem_clients_extensions", memory.extensions);
  text.field("mem_clients_kept_input", memory.kept_input);
  text.field("mem_clients_queued_output", memory.queued_output);
  text.field("mem_clients_extras", memory.extras);
  text.field("mem_clients_beside", memory.beside());
  text.field("mem_clients_spare_slots", memory.spare_slots);
  text.field("mem_clients_input_scratch", memory.input_scratch);
  text.field("mem_clients_receive_buffers", memory.receive_buffers);
  text.field("mem_clients_output_pool", memory.output_pool);
  text.field("mem_clients_reply_arena", memory.reply_arena);
  text.field("mem_clients_lists", memory.lists);
  const std::optional<KernelSockets> kernel = read_kernel_sockets();
  if (!kernel) return;
  text.field("machine_tcp_sockets", kernel->allocated);
  text.field("machine_tcp_buffer_bytes", kernel->buffer_bytes);
}

}  // namespace

void server(Services& services, InfoText& text) {
  const Config& config = services.config;
  const Lifecycle& lifecycle = services.lifecycle;
  text.field("redis_version", kRedisVersion);
  text.field("redis_git_sha1", "00000000");  // not recorded: what Redis, too, says of such a build
  text.field("redis_git_dirty", 0);
  text.field("server_name", "millrace");
  text.field("millrace_version", kVersion);
  text.field("redis_mode", "standalone");
  operating_system(text);
  text.field("arch_bits", sizeof(void*) * 8);
  text.field("monotonic_clock", "POSIX clock_gettime");
  text.field("multiplexing_api", lifecycle.event_backend());
  text.line("gcc_version:{}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
  text.field("process_id", getpid());
  text.field("process_supervised", supervisor_name(config.supervised));
  text.field("run_id", lifecycle.run_id());
  text.field("tcp_port", lifecycle.port());
  text.field("server_time_usec", services.tick.unix_us);
  text.field("uptime_in_seconds", services.tick.uptime_s);
  text.field("uptime_in_days", services.tick.uptime_s / kSecondsPerDay);
  text.field("hz", config.hz);
  text.field("configured_hz", config.hz);
  text.field("lru_clock", services.tick.unix_us / 1'000'000 & kLruClockMask);
  text.field("executable", lifecycle.executable());
  text.field("config_file", lifecycle.config_file());
  text.field("io_threads_active", config.io_threads > 1 ? 1 : 0);
  if (const auto left_ms = lifecycle.shutdown_in_ms())
    text.field("shutdown_in_milliseconds", *left_ms);
  listeners(config, lifecycle.port(), text);
}

void clients(Services& services, InfoText& text) {
  // As Redis counts: replicas are none of them, the link to a master is one.
  const ReplicationFacts replication = services.replicas.facts();
  const size_t masters = replication.follows && replication.master.up ? 1 : 0;
  text.field("connected_clients", services.clients.count() + masters - replication.replicas.size());
  text.field("cluster_connections", 0);
  text.field("maxclients", services.config.maxclients);
  text.field("admin_clients", services.clients.admin_count());
  text.field("heartbeat_clients", services.heartbeats.count());
  text.field("pubsub_clients", services.pub_sub.client_count());
  text.field("blocked_clients", services.blocking.client_count() + services.clients.parked_count());
  text.field("tracking_clients", services.tracking.client_count());
  text.field("clients_in_timeout_table", services.blocking.deadline_count());
  text.field("total_blocking_keys", services.blocking.key_count());
  text.field("total_blocking_keys_on_nokey", services.blocking.gone_key_count());
  client_memory(services, text);
}

void cpu(Services&, InfoText& text) {
  cpu_time(text, "", RUSAGE_SELF);
  cpu_time(text, "_children", RUSAGE_CHILDREN);
  cpu_time(text, "_main_thread", RUSAGE_THREAD);
}

}  // namespace millrace::info
