// Every command of the server, run in this process: real tables, dispatcher, gates and data, and
// clients without sockets.
//
//   CommandRig rig;
//   Session& alice = rig.connect();
//   EXPECT_EQ(rig.run(alice, {"SET", "k", "v"}), "+OK\r\n");
//
// Time stands still until advance().
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ae/base/prng.h"
#include "ae/core/event_loop.h"
#include "proto/reply_writer.h"
#include "server/acl/acl.h"
#include "server/command/clients.h"
#include "server/command/lifecycle.h"
#include "server/command/services.h"
#include "server/command/watched_keys.h"
#include "server/config/config_store.h"
#include "server/core/blocked_clients.h"
#include "server/core/client_heartbeats.h"
#include "server/core/dispatch.h"
#include "server/core/gates.h"
#include "server/core/memory_guard.h"
#include "server/observe/command_stats.h"
#include "server/observe/latency_monitor.h"
#include "server/observe/load_meter.h"
#include "server/observe/monitor_feed.h"
#include "server/observe/slow_log.h"
#include "server/observe/tick_watch.h"
#include "server/persist/child_process.h"
#include "server/persist/forker.h"
#include "server/persist/storage.h"
#include "server/pubsub/pub_sub.h"
#include "server/pubsub/tracking.h"
#include "server/repl/migration.h"
#include "server/repl/replication.h"
#include "server/scripting/scripting.h"
#include "tests/server/fake_append_only.h"

namespace millrace {

// Remembers what was asked of each client's transport.
class FakeClientLink final : public ClientLink {
 public:
  struct Client {
    std::string pushed;
    bool closed = false;
    bool suspended = false;
  };
  std::unordered_map<uint64_t, Client> clients;  // by CLIENT ID
  size_t unread = 0;
  size_t unsent = 0;

  std::string peer_text(const Session& session) override {
    return "10.0.0.1:" + std::to_string(1000 + session.id);
  }
  std::string local_text(const Session&) override { return "10.0.0.2:6379"; }
  int descriptor(const Session& session) override { return int(session.id) + 10; }
  size_t unread_bytes(const Session&) override { return unread; }
  size_t unread_room(const Session&) override { return 0; }
  size_t output_bytes(const Session&) override { return unsent; }
  void reply(const Session&, std::string_view) override {}
  void push(const Session& session, std::string_view bytes) override {
    clients[session.id].pushed += bytes;
  }
  void close_now(Session& session) override {
    session.set(SessionFlag::kClosing);
    clients[session.id].closed = true;
  }
  void close_after_reply(Session& session) override { close_now(session); }
  void close_idle(Session& session) override { close_now(session); }
  void close_lost(Session& session) override { close_now(session); }
  bool is_suspended(const Session& session) override { return clients[session.id].suspended; }
  void suspend(Session& session, Wait, std::string_view) override {
    clients[session.id].suspended = true;
  }
  void resume(Session& session, Wait) override { clients[session.id].suspended = false; }
};

class FakeLifecycle final : public Lifecycle {
 public:
  bool shutting_down = false;
  bool refuses = false;
  ShutdownRequest request;

  ShutdownAnswer request_shutdown(ShutdownRequest asked) override {
    if (refuses) return ShutdownAnswer::kFailed;
    shutting_down = true;
    request = asked;
    return ShutdownAnswer::kEnds;
  }
  bool abort_shutdown() override { return std::exchange(shutting_down, false); }
  std::optional<int64_t> shutdown_in_ms() const override { return std::nullopt; }
  int port() const override { return 6379; }
  std::string_view executable() const override { return "/usr/bin/millrace-server"; }
  std::string_view config_file() const override { return ""; }
  std::string_view run_id() const override { return "0123456789012345678901234567890123456789"; }
  std::string_view event_backend() const override { return "epoll"; }
  Traffic traffic() const override {
    return {.read_bytes = 1000, .written_bytes = 2000, .reads = 10, .writes = 20};
  }
  Traffic traffic_of_threads() const override { return {}; }
  std::vector<IoThreadFacts> io_threads() const override { return {}; }
  std::span<const LoopView> loops() const override { return loop_views; }
  ClientMemory client_memory() override { return memory; }

  ClientMemory memory;

  std::vector<LoopView> loop_views;
};

// Says what the test wants and remembers what it was asked.
class FakeSaving final : public Saving {
 public:
  Outcome outcome = Outcome::kDone;
  Begun begun = Begun::kStarted;
  bool in_background = false;
  std::vector<std::string> asked;

  Outcome save() override {
    asked.emplace_back("save");
    return outcome;
  }
  Begun save_in_background(IfBusy if_busy) override {
    asked.emplace_back(if_busy == IfBusy::kSchedule ? "schedule" : "background");
    return begun;
  }
  bool saving_in_background() const override { return in_background; }
  void on_flushed_all() override { asked.emplace_back("flushed"); }
  Outcome reload(const Reload&) override {
    asked.emplace_back("reload");
    return outcome;
  }
};

class CommandRig {
 public:
  static constexpr int64_t kStartMs = 1'700'000'000'000;

  CommandRig() {
    advance(0);
    blocked.set_dispatcher(dispatcher, services);
    lifecycle.loop_views = {{"main", &loop->account()}};
    clients.on_pause_change([this] { gates.refresh(); });
    acl.on_change([this] { gates.refresh(); });
    store.on_change("requirepass", [this](const Config&, const Config& now) -> Refusal {
      acl.set_default_password(now.requirepass);
      return std::nullopt;
    });
    store.on_any_change([this](const Config&, const Config&) -> Refusal {
      gates.refresh();
      dispatcher.refresh();
      return std::nullopt;
    });
  }

  Session& connect() {
    Session& session = clients.open(services.tick.uptime_s);
    session.set(SessionFlag::kAuthenticated);
    session.set(SessionFlag::kLocal);
    return session;
  }

  // The reply as RESP bytes; "(waits)" for a request that met a pause.
  std::string run(Session& session, std::vector<std::string_view> args) {
    proto::StringSink sink;
    proto::ReplyWriter reply(sink, proto::Resp(session.resp));
    session.next_request();
    const Request request{.session = session.self, .command = table.resolve(args)};
    if (dispatcher.run(session, request, args, reply) == Dispatcher::Outcome::kWait)
      return "(waits)";
    return session.silent() ? "" : std::string(sink.view());
  }

  void advance(int64_t ms) {
    now_ms += ms;
    services.tick.unix_us = now_ms * 1000;
    services.tick.uptime_s = uint32_t((now_ms - kStartMs) / 1000);
    access_clock.set_now(now_ms);
  }

  int64_t now_ms = kStartMs;
  FakeClientLink link;
  FakeLifecycle lifecycle;
  FakeSaving saving;
  ConfigStore store;
  ae::Prng prng{42};
  AccessClock access_clock;
  Databases databases{16, access_clock};
  LazyFree lazy_free;
  Effects effects;
  Feed feed;
  FakeAppendOnly append_only;
  ServerState state;
  ServerStats stats;
  Clients clients{link};
  std::unique_ptr<ae::EventLoop> loop = std::move(*ae::EventLoop::create({}));
  ClientHeartbeats heartbeats{*loop, clients, stats};
  WatchedKeys watched_keys{clients, effects, databases};
  BlockedClients blocked{*loop, clients, effects, databases};
  PubSub pub_sub{clients};
  Tracking tracking{clients, effects};
  CommandTable table{command_families()};
  CommandStats command_stats{table.size()};
  Acl acl{table, store.config(), clients};
  SlowLog slow_log{store.config()};
  LatencyMonitor latency{store.config()};
  TickWatch ticks{loop->account()};
  LoadMeter load;
  MonitorFeed monitors{clients};
  Services services{.tick = {},
                    .config = store.config(),
                    .config_store = store,
                    .databases = databases,
                    .lazy_free = lazy_free,
                    .effects = effects,
                    .feed = feed,
                    .state = state,
                    .append_only = append_only,
                    .access_clock = access_clock,
                    .stats = stats,
                    .command_stats = command_stats,
                    .commands = table,
                    .clients = clients,
                    .acl = acl,
                    .heartbeats = heartbeats,
                    .watched_keys = watched_keys,
                    .blocking = blocked,
                    .runner = dispatcher,
                    .pub_sub = pub_sub,
                    .tracking = tracking,
                    .scripting = scripting,
                    .saving = saving,
                    .slow_log = slow_log,
                    .latency = latency,
                    .ticks = ticks,
                    .load = load,
                    .monitors = monitors,
                    .migrations = migrations,
                    .replication = replication,
                    .replicas = replication,
                    .lifecycle = lifecycle,
                    .prng = prng};
  Scripting scripting{services};
  MemoryGuard memory_guard{*loop, services};
  Gates gates{services, memory_guard};
  Dispatcher dispatcher{services, gates};
  ae::ConnectionTable connections{*loop};
  std::unique_ptr<Forker> forker = make_posix_forker();
  ChildProcess processes{*loop, services, *forker};
  Replication replication{{.loop = *loop,
                           .table = connections,
                           .services = services,
                           .storage = posix_storage(),
                           .processes = processes}};
  Migrations migrations{*loop, connections, services, 1};
};

}  // namespace millrace
