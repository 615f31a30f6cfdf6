#include "server/server.h"

#include <unistd.h>
#include <csignal>
#include <fstream>

#include "ae/core/completions.h"
#include "ae/threads/loop_thread.h"
#include "server/observe/log.h"
#include "server/observe/memory_meter.h"
#include "server/persist/abandoned_files.h"
#include "server/process/supervision.h"

namespace millrace {
namespace {

uint64_t seed_from_kernel() {
  uint64_t seed = 0;
  std::ifstream("/dev/urandom", std::ios::binary).read(reinterpret_cast<char*>(&seed), sizeof seed);
  return seed;
}

std::string make_run_id(ae::Prng& prng) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string id;
  for (int i = 0; i < 40; ++i) id += kHex[prng.below(kHex.size())];
  return id;
}

std::string path_of_executable() {
  char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, size_t(length)) : std::string();
}

ae::ConnectionOptions connection_options(const Config& config) {
  ae::ConnectionOptions options;
  options.max_kept_input = size_t(config.client_query_buffer_limit_bytes);
  // A client may send all of a long pipeline before it reads the first reply. Whoever stopped to
  // read it would wait for one who waits for him, so unread replies are bounded as unread requests
  // are, where client-output-buffer-limit says nothing.
  options.high_watermark = options.max_kept_input;
  options.low_watermark = options.high_watermark / 2;
  return options;
}

AccessClock::Settings access_settings(const Config& config) {
  const bool lfu = config.maxmemory_policy == MaxmemoryPolicy::kAllKeysLfu ||
                   config.maxmemory_policy == MaxmemoryPolicy::kVolatileLfu;
  return {.measure = lfu ? AccessClock::Measure::kFrequency : AccessClock::Measure::kRecency,
          .lfu_log_factor = config.lfu_log_factor,
          .lfu_decay_minutes = config.lfu_decay_time_min};
}

}  // namespace

ae::Result<std::unique_ptr<Server>> Server::create(ConfigStore& config, ae::LoopOptions options,
                                                   DiskSeams disk, ae::LoopStarter start_loop) {
  if (!options.poller) options.backend = config.config().event_backend;
  auto loop = ae::EventLoop::create(std::move(options));
  if (!loop) return ae::fail(loop.error());
  return std::unique_ptr<Server>(
      new Server(config, std::move(*loop), std::move(disk), std::move(start_loop)));
}

ae::Result<std::unique_ptr<ae::LoopHost>> Server::start_loop_thread(ae::LoopHostOptions options) {
  auto thread = ae::LoopThread::start(std::move(options));
  if (!thread) return ae::fail(thread.error());
  return std::unique_ptr<ae::LoopHost>(std::move(*thread));
}

Server::Server(ConfigStore& config, std::unique_ptr<ae::EventLoop> loop, DiskSeams disk,
               ae::LoopStarter start_loop)
    : config_store_(config),
      loop_(std::move(loop)),
      prng_(seed_from_kernel()),
      table_(*loop_, connection_options(config.config())),
      link_(table_, config.config()),
      router_(link_),
      clients_(router_),
      databases_(size_t(config.config().databases), access_clock_),
      commands_(command_families(), config.config().rename_command),
      command_stats_(commands_.size()),
      acl_(commands_, config.config(), clients_),
      slow_log_(config.config()),
      latency_(config.config()),
      ticks_(loop_->account()),
      monitors_(clients_),
      heartbeats_(*loop_, clients_, stats_),
      watched_keys_(clients_, effects_, databases_),
      blocked_(*loop_, clients_, effects_, databases_),
      pub_sub_(clients_),
      keyspace_events_(pub_sub_, effects_, databases_),
      tracking_(clients_, effects_),
      services_{.tick = {},
                .config = config.config(),
                .config_store = config,
                .databases = databases_,
                .lazy_free = lazy_free_,
                .effects = effects_,
                .feed = feed_,
                .state = state_,
                .append_only = append_only_,
                .access_clock = access_clock_,
                .stats = stats_,
                .command_stats = command_stats_,
                .commands = commands_,
                .clients = clients_,
                .acl = acl_,
                .heartbeats = heartbeats_,
                .watched_keys = watched_keys_,
                .blocking = blocked_,
                .runner = dispatcher_,
                .pub_sub = pub_sub_,
                .tracking = tracking_,
                .scripting = scripting_,
                .saving = snapshots_,
                .slow_log = slow_log_,
                .latency = latency_,
                .ticks = ticks_,
                .load = load_,
                .monitors = monitors_,
                .migrations = migrations_,
                .replication = replication_,
                .replicas = replication_,
                .lifecycle = *this,
                .prng = prng_},
      scripting_(services_),
      storage_(disk.storage ? *disk.storage : posix_storage()),
      forker_(disk.forker ? std::move(disk.forker) : make_posix_forker()),
      child_(*loop_, services_, *forker_),
      snapshots_(*loop_, services_, storage_, child_),
      file_worker_(disk.file_worker ? std::move(disk.file_worker) : std::make_unique<FileThread>()),
      append_only_({.loop = *loop_,
                    .services = services_,
                    .storage = storage_,
                    .worker = *file_worker_,
                    .child = child_,
                    .on_fatal = std::move(disk.on_fatal)}),
      loading_(*loop_, services_, storage_),
      memory_guard_(*loop_, services_),
      gates_(services_, memory_guard_),
      dispatcher_(services_, gates_),
      script_stage_(*loop_, services_, dispatcher_, blocked_),
      executor_(services_, dispatcher_, blocked_, script_stage_),
      door_(services_),
      client_io_(table_, services_, executor_, door_, link_),
      threads_({.loop = *loop_,
                .services = services_,
                .executor = executor_,
                .door = door_,
                .start = std::move(start_loop),
                .connections = connection_options(config.config()),
                .before_replies = [this] { append_only_.commit(); }}),
      io_link_(threads_),
      reception_(loop_->os(), door_, client_io_, threads_),
      endpoints_(*loop_,
                 [this](int fd, Origin origin) { reception_.accept(fd, origin, Lane::kOrdinary); }),
      admin_lane_(*loop_, clients_,
                  [this](int fd, Origin origin) { reception_.accept(fd, origin, Lane::kAdmin); }),
      client_eviction_(*loop_, services_),
      cron_(*loop_, services_),
      replication_({.loop = *loop_,
                    .table = table_,
                    .services = services_,
                    .storage = storage_,
                    .processes = child_,
                    .seed = seed_from_kernel()}),
      migrations_(*loop_, table_, services_, seed_from_kernel()),
      shutdown_({.loop = *loop_,
                 .services = services_,
                 .replication = replication_,
                 .snapshots = snapshots_,
                 .append_only = append_only_,
                 .close_endpoints = [this] { close_endpoints(); },
                 .open_endpoints =
                     [this] {
                       if (auto problem = open_endpoints()) log::warning("{}", *problem);
                     },
                 .flush = [this] { return flush(); }}),
      started_(loop_->now()),
      run_id_(make_run_id(prng_)),
      executable_(path_of_executable()) {
  wire();
  watch_configuration();
  cron_.start();
}

// Who tells whom.
void Server::wire() {
  router_.set_threads(io_link_);
  blocked_.set_dispatcher(dispatcher_, services_);
  gates_.set_script_flags([this](const Command& command, Gates::Args args) {
    return scripting_.flags_of(command, args);
  });
  scripting_.on_step_aside([this] { script_stage_.step_aside(); });
  threads_.on_change([this] { list_loops(); });
  list_loops();
  refresh_tick();
  loop_->after_sleep([this] {
    refresh_tick();
    ticks_.begin(stats_);
  });
  loop_->account().on_long_tick(long_tick(),
                                [this](const ae::TickRecord& tick) { ticks_.keep(tick, stats_); });
  loop_->before_sleep([this] { tracking_.send_broadcasts(); });
  table_.set_before_flush([this] { append_only_.commit(); });
  loading_.on_history([this](const ReplicationPoint& point) { replication_.recall(point); });
  append_only_.on_synced([this] { replication_.waiters().retry(); });
  clients_.on_pause_change([this] { gates_.refresh(); });
  state_.on_change([this] {
    gates_.refresh();
    (void)set_oom_score();  // the role may be another
  });
  child_.on_begin_in_child(
      [this] { (void)oom_score_.apply(services_.config, OomScore::Part::kChild); });
  acl_.on_change([this] { gates_.refresh(); });
  acl_.on_narrowed([this](const Session& session, const acl::User& now) {
    return exceeds_rights(pub_sub_, session, now);
  });
  loop_->before_sleep([this] { shutdown_.look(); });  // behind all who have something to send
}

// A script that is laid aside has a stack to unwind. The threads borrow the main loop's listeners.
Server::~Server() {
  scripting_.kill_now();
  script_stage_.end();
  threads_.stop_listening();
}

void Server::refresh_tick() {
  services_.tick.unix_us = loop_->unix_us();
  services_.tick.uptime_s =
      uint32_t(std::chrono::duration_cast<ae::Seconds>(loop_->now() - started_).count());
  access_clock_.set_now(loop_->unix_ms());
}

void Server::list_loops() {
  loops_ = threads_.loops();
  loops_.insert(loops_.begin(), {"main", &loop_->account()});
}

ae::Nanoseconds Server::long_tick() const {
  return ae::Milliseconds(services_.config.latency_ticks_threshold_ms);
}

Traffic Server::traffic() const {
  Traffic sum = threads_.traffic();
  const auto& own = table_.stats();
  sum.read_bytes += own.read_bytes;
  sum.written_bytes += own.written_bytes;
  sum.reads += own.reads;
  sum.writes += own.writes;
  return sum;
}

ClientMemory Server::client_memory() {
  ClientMemory memory{.sessions = clients_.session_bytes(),
                      .extras = clients_.extras_bytes(),
                      .spare_slots = clients_.spare_slot_bytes()};
  client_io_.add_memory(memory);
  threads_.add_memory(memory);
  return memory;
}

std::optional<std::string> Server::open() {
  const Config& config = services_.config;
  if (config.port == 0 && config.unixsocket.empty())
    return "Configured to not listen anywhere, exiting.";
  if (commands_.problem()) return commands_.problem();
  if (auto problem = acl_.load_configured()) return problem;
  if (auto problem = open_endpoints()) return problem;
  if (auto problem = load_data()) return problem;
  replication_.begin();  // later, where there is something to load
  return std::nullopt;
}

// The lane first: its descriptors are there while there are any.
std::optional<std::string> Server::open_endpoints() {
  if (auto problem = admin_lane_.open(services_.config)) return problem;
  if (auto problem = threads_.resize(io_threads_wanted())) return problem;
  return listen(services_.config);
}

void Server::close_endpoints() {
  threads_.stop_listening();
  endpoints_.close();
  admin_lane_.close();
}

// Sends what can be sent; returns the bytes that then still wait.
size_t Server::flush() {
  table_.flush();
  return table_.stats().queued_output_bytes + threads_.queued_output_bytes();
}

std::optional<std::string> Server::listen(const Config& config) {
  if (auto problem = endpoints_.open(Endpoints::of_clients(config), config)) return problem;
  return threads_.listen(endpoints_);
}

// False: not possible, and everything is as it was. Who is connected stays connected.
bool Server::listen_anew(const Config& before, const Config& now) {
  threads_.stop_listening();
  endpoints_.close();
  const auto problem = listen(now);
  if (!problem) return true;
  log::warning("{}", *problem);
  threads_.stop_listening();
  endpoints_.close();
  if (auto worse = listen(before)) log::warning("{}", *worse);
  return false;
}

// False: it could not be set, and why is in the log.
bool Server::set_oom_score() {
  const auto part = state_.follows_master() ? OomScore::Part::kReplica : OomScore::Part::kMaster;
  const auto problem = oom_score_.apply(services_.config, part);
  if (problem) log::warning("{}", *problem);
  return !problem;
}

// Which parts must hear of which directives. A refusal is a sentence for CONFIG SET's answer.
void Server::watch_configuration() {
  auto refresh = [this](const Config&, const Config&) -> Refusal {
    memory_guard_.refresh();
    snapshots_.refresh();
    append_only_.refresh();
    gates_.refresh();
    replication_.refresh();
    dispatcher_.refresh();
    loop_->account().set_long_tick(long_tick());
    client_io_.refresh();
    threads_.refresh();
    access_clock_.configure(access_settings(services_.config));
    command_stats_.set_tracking(services_.config.latency_tracking);
    slow_log_.trim();
    keyspace_events_.set(services_.config.notify_keyspace_events);
    tracking_.set_max_keys(services_.config.tracking_table_max_keys);
    acl_.log().trim(services_.config.acllog_max_len);
    return std::nullopt;
  };
  config_store_.on_any_change(refresh);
  config_store_.on_change("requirepass", [this](const Config&, const Config& now) -> Refusal {
    acl_.set_default_password(now.requirepass);
    return std::nullopt;
  });
  config_store_.on_change("appendonly", [this](const Config&, const Config& now) -> Refusal {
    if (now.appendonly) return append_only_.turn_on();
    append_only_.turn_off();
    return std::nullopt;
  });
  config_store_.on_change({"oom-score-adj", "oom-score-adj-values"},
                          [this](const Config&, const Config&) -> Refusal {
                            if (set_oom_score()) return std::nullopt;
                            return "Failed to apply new oom_score_adj configuration, check server "
                                   "logs.";
                          });
  config_store_.on_change("hz", [this](const Config&, const Config&) -> Refusal {
    cron_.start();
    return std::nullopt;
  });
  config_store_.on_change({"port", "bind"},
                          [this](const Config& before, const Config& now) -> Refusal {
                            if (listen_anew(before, now)) return std::nullopt;
                            if (before.port != now.port)
                              return "Unable to listen on this port. Check server logs.";
                            return "Failed to bind to specified addresses. Check server logs.";
                          });
  config_store_.on_change("io-threads", [this](const Config&, const Config&) -> Refusal {
    return threads_.resize(io_threads_wanted());
  });
  config_store_.on_change("tcp-keepalive", [this](const Config&, const Config& now) -> Refusal {
    endpoints_.set_keepalive(now.tcp_keepalive_s);
    admin_lane_.set_keepalive(now.tcp_keepalive_s);
    threads_.set_keepalive(now.tcp_keepalive_s);
    return std::nullopt;
  });
  refresh(services_.config, services_.config);
}

int Server::run() {
  watch_signals();
  memory::mark_startup();
  (void)set_oom_score();
  if (!state_.loading()) announce_ready();
  loop_->run();
  return exit_status_;
}

std::optional<std::string> Server::load_data() {
  remove_abandoned_files(storage_, services_.config.dir, process_lives);
  replication_.take_configured_role();
  if (services_.config.appendonly) {
    append_only_.start([this] { loaded(); });
    return std::nullopt;
  }
  return loading_.begin([this](const std::string& problem) {
    if (problem.empty()) return loaded();
    log::warning("{}", problem);
    log::warning("Fatal error loading the DB, check server logs. Exiting.");
    exit_status_ = 1;
    loop_->stop();
  });
}

void Server::loaded() {
  snapshots_.mark_saved();
  announce_ready();
  replication_.begin();
}

void Server::announce_ready() {
  log::notice("Ready to accept connections");
  supervision::notify_ready();
}

void Server::watch_signals() {
  signals_ =
      std::make_unique<ae::SignalSet>(*loop_, std::initializer_list<int>{SIGTERM, SIGINT, SIGHUP},
                                      [this](int signal) { on_signal(signal); });
}

void Server::on_signal(int signal) {
  if (signal == SIGHUP) {
    log::notice("Received SIGHUP: reading the configuration again.");
    for (const std::string& line : config_store_.reload()) log::notice("{}", line);
    return;
  }
  log::warning("Received {} scheduling shutdown...", signal == SIGINT ? "SIGINT" : "SIGTERM");
  const Config& config = services_.config;
  ShutdownMode mode = signal == SIGINT ? config.shutdown_on_sigint : config.shutdown_on_sigterm;
  shutdown_.request(
      {.now = mode == ShutdownMode::kNow,
       .save = mode == ShutdownMode::kNoSave ? FinalSave::kNo : FinalSave::kIfConfigured});
}

}  // namespace millrace
