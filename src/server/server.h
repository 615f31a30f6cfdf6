// The composition root: constructs the parts of the server, wires them, owns them. No logic of its
// own.
//
//   millrace::ConfigStore config; ...
//   auto server = millrace::Server::create(config, {});
//   int status = (*server)->run();
//
// The loop's seams (clock, sockets, poller) come in through ae::LoopOptions, so the same server
// runs on the simulator.
//
// Thread: the one that calls run(). IO threads are made and ended here (net/io_pool.h) and share
// nothing with the rest but their rings.
#pragma once

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ae/base/prng.h"
#include "ae/core/event_loop.h"
#include "ae/core/signals.h"
#include "ae/net/connection_table.h"
#include "server/acl/acl.h"
#include "server/command/clients.h"
#include "server/command/lifecycle.h"
#include "server/command/services.h"
#include "server/command/table.h"
#include "server/command/watched_keys.h"
#include "server/config/config_store.h"
#include "server/core/blocked_clients.h"
#include "server/core/client_eviction.h"
#include "server/core/client_heartbeats.h"
#include "server/core/cron.h"
#include "server/core/dispatch.h"
#include "server/core/executor.h"
#include "server/core/gates.h"
#include "server/core/memory_guard.h"
#include "server/core/script_stage.h"
#include "server/core/subscription_rights.h"
#include "server/db/expiry.h"
#include "server/db/lazy_free.h"
#include "server/net/admin_lane.h"
#include "server/net/client_io.h"
#include "server/net/client_link.h"
#include "server/net/client_router.h"
#include "server/net/endpoints.h"
#include "server/net/io_link.h"
#include "server/net/io_pool.h"
#include "server/net/reception.h"
#include "server/observe/command_stats.h"
#include "server/observe/latency_monitor.h"
#include "server/observe/load_meter.h"
#include "server/observe/monitor_feed.h"
#include "server/observe/slow_log.h"
#include "server/observe/tick_watch.h"
#include "server/persist/append_only_file.h"
#include "server/persist/child_process.h"
#include "server/persist/file_worker.h"
#include "server/persist/snapshot_loading.h"
#include "server/persist/snapshots.h"
#include "server/process/oom_score.h"
#include "server/pubsub/keyspace_events.h"
#include "server/pubsub/pub_sub.h"
#include "server/pubsub/tracking.h"
#include "server/repl/migration.h"
#include "server/repl/replication.h"
#include "server/scripting/scripting.h"
#include "server/shutdown.h"

namespace millrace {

// The seams to files and processes; the real ones where null.
struct DiskSeams {
  Storage* storage = nullptr;
  std::unique_ptr<Forker> forker = nullptr;
  std::unique_ptr<FileWorker> file_worker = nullptr;
  // What was promised cannot be kept any more; the log has the reason. In a test this returns, and
  // what the server says afterwards would not have been said.
  ae::Callback<void()> on_fatal = [] { std::_Exit(EXIT_FAILURE); };
};

class Server final : private Lifecycle {
 public:
  // An error is a sentence for the operator.
  // `start_loop` makes the loops of IO threads: threads of their own, where nothing is said.
  static ae::Result<std::unique_ptr<Server>> create(ConfigStore& config, ae::LoopOptions options,
                                                    DiskSeams disk = {},
                                                    ae::LoopStarter start_loop = start_loop_thread);
  ~Server();

  // Opens the endpoints of the configuration and begins to load the data. Empty: it has come to
  // that.
  std::optional<std::string> open();
  // Serves until a shutdown is asked for; returns the exit status.
  int run();

  ae::EventLoop& loop() { return *loop_; }
  ClientIo& client_io() { return client_io_; }
  Services& services() { return services_; }

 private:
  Server(ConfigStore& config, std::unique_ptr<ae::EventLoop> loop, DiskSeams disk,
         ae::LoopStarter start_loop);
  static ae::Result<std::unique_ptr<ae::LoopHost>> start_loop_thread(ae::LoopHostOptions options);

  void wire();
  void refresh_tick();
  size_t io_threads_wanted() const { return size_t(services_.config.io_threads) - 1; }
  ae::Nanoseconds long_tick() const;
  void list_loops();
  std::optional<std::string> listen(const Config& config);
  bool listen_anew(const Config& before, const Config& now);
  void watch_configuration();
  bool set_oom_score();
  std::optional<std::string> open_endpoints();
  void close_endpoints();
  size_t flush();
  std::optional<std::string> load_data();
  void loaded();
  void announce_ready();
  void watch_signals();
  void on_signal(int signal);

  // Lifecycle
  ShutdownAnswer request_shutdown(ShutdownRequest request) override {
    return shutdown_.request(request);
  }
  bool abort_shutdown() override { return shutdown_.abort(); }
  std::optional<int64_t> shutdown_in_ms() const override { return shutdown_.in_ms(); }
  int port() const override { return services_.config.port; }
  std::string_view executable() const override { return executable_; }
  std::string_view config_file() const override { return config_store_.path(); }
  std::string_view run_id() const override { return run_id_; }
  std::string_view event_backend() const override { return loop_->poller().name(); }
  Traffic traffic() const override;
  Traffic traffic_of_threads() const override { return threads_.traffic(); }
  std::vector<IoThreadFacts> io_threads() const override { return threads_.facts(); }
  std::span<const LoopView> loops() const override { return loops_; }
  ClientMemory client_memory() override;

  ConfigStore& config_store_;
  std::unique_ptr<ae::EventLoop> loop_;
  ae::Prng prng_;
  ae::ConnectionTable table_;
  ConnectionLink link_;
  ClientRouter router_;
  Clients clients_;
  AccessClock access_clock_;
  Databases databases_;
  LazyFree lazy_free_;
  Effects effects_;
  Feed feed_;
  ServerState state_;
  ServerStats stats_;
  CommandTable commands_;
  CommandStats command_stats_;
  Acl acl_;
  SlowLog slow_log_;
  LatencyMonitor latency_;
  TickWatch ticks_;
  LoadMeter load_;
  MonitorFeed monitors_;
  ClientHeartbeats heartbeats_;
  WatchedKeys watched_keys_;
  BlockedClients blocked_;
  PubSub pub_sub_;
  KeyspaceEvents keyspace_events_;
  Tracking tracking_;
  Services services_;
  Scripting scripting_;
  Storage& storage_;
  std::unique_ptr<Forker> forker_;
  ChildProcess child_;
  OomScore oom_score_;
  Snapshots snapshots_;
  std::unique_ptr<FileWorker> file_worker_;
  AppendOnlyFile append_only_;
  SnapshotLoading loading_;
  MemoryGuard memory_guard_;
  Gates gates_;
  Dispatcher dispatcher_;
  ScriptStage script_stage_;
  Executor executor_;
  ClientDoor door_;
  ClientIo client_io_;
  IoPool threads_;
  std::vector<LoopView> loops_;
  IoLink io_link_;
  Reception reception_;
  Endpoints endpoints_;
  AdminLane admin_lane_;
  ClientEviction client_eviction_;
  Cron cron_;
  Replication replication_;
  Migrations migrations_;
  Shutdown shutdown_;
  std::unique_ptr<ae::SignalSet> signals_;
  ae::TimePoint started_;
  int exit_status_ = 0;
  std::string run_id_, executable_;
};

}  // namespace millrace
