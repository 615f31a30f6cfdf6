#include "server/core/cron.h"

#include <numeric>

#include "server/command/clients.h"
#include "server/command/lifecycle.h"
#include "server/config/config.h"
#include "server/db/expiry.h"
#include "server/db/lazy_free.h"
#include "server/observe/latency_monitor.h"
#include "server/observe/load_meter.h"
#include "server/observe/memory_meter.h"
#include "server/observe/tick_watch.h"

namespace millrace {

void RateMeter::sample(uint64_t total, ae::TimePoint now) {
  const double seconds = std::chrono::duration<double>(now - last_time_).count();
  if (last_time_ != ae::TimePoint{} && seconds > 0)
    rates_[next_++ % kSamples] = double(total - std::min(total, last_total_)) / seconds;
  last_total_ = total;
  last_time_ = now;
}

double RateMeter::per_second() const {
  return std::accumulate(rates_.begin(), rates_.end(), 0.0) / kSamples;
}

Cron::Cron(ae::EventLoop& loop, Services& services) : loop_(loop), services_(services) {
  // Between two runs of the cron, whenever the loop is about to sleep: what was unlinked in this
  // tick.
  loop_.before_sleep([this] { free_some(); });
}

void Cron::start() {
  loop_.cancel(timer_);
  timer_ =
      loop_.add_periodic(ae::Nanoseconds(1'000'000'000 / services_.config.hz), [this] { run(); });
}

void Cron::run() {
  if (services_.cron_paused) return;
  const TickPartScope timed(services_.ticks, TickPart::kCron, loop_.clock());
  expire_keys();
  close_idle_clients();
  services_.clients.paused(services_.tick.unix_us / 1000);  // ends a pause whose time has passed
  sample();
  rest_when_idle();
}

// Expired keys come in waves (a million keys set in one minute expire in one minute), so a cycle
// goes on until few of the keys it looks at have expired; but in slices short enough that no client
// notices, with pauses between them that keep the share of the processor that Redis' cycle has.
void Cron::expire_keys() {
  if (expiring_ || !services_.active_expiry_enabled) return;
  const ServerState& state = services_.state;
  if (state.follows_master() || state.loading()) return;
  if (services_.clients.is_paused(services_.tick.unix_us / 1000)) return;
  if (state.script_is_busy()) return;  // it would see keys vanish
  const Config& config = services_.config;
  const ActiveExpiry::Options options{
      .effort = config.active_expire_effort,
      .lazy_free = config.lazyfree_lazy_expire ? &services_.lazy_free : nullptr};
  const std::string_view verb = config.lazyfree_lazy_expire ? "UNLINK" : "DEL";
  const auto on_expired = [&](size_t db, Entry& entry) {
    ++services_.stats.expired_keys;
    services_.effects.noted(uint8_t(db), Keyspace::key(entry.key()), KeyEventClass::kExpired,
                            "expired");
    services_.feed.key_went(uint8_t(db), entry.key(), verb);
  };
  const ae::TimePoint start = loop_.clock().now();
  ae::Nanoseconds took{0};
  while (!expiring_ && expiry_.step(services_.databases.list(), loop_.unix_ms(), options,
                                    on_expired) == ActiveExpiry::Progress::kMore) {
    took = loop_.clock().now() - start;
    expiring_ = took > kExpirySlice;
  }
  services_.ticks.part_took(TickPart::kExpiry, took);
  services_.stats.expired_stale_percent = expiry_.totals().stale_percent;
  services_.latency.sample("expire-cycle", uint64_t(took.count()) / 1000,
                           loop_.unix_us() / 1'000'000);
  if (!expiring_) return;
  ++services_.stats.expired_time_cap_reached;
  const int percent = 25 + 2 * (config.active_expire_effort - 1);
  loop_.add_timer(took * (100 - percent) / percent, [this] {
    expiring_ = false;
    expire_keys();
  });
}

void Cron::free_some() {
  if (services_.lazy_free.empty()) return;
  loop_.account().note_work();
  const TickPartScope timed(services_.ticks, TickPart::kFreeing, loop_.clock());
  services_.lazy_free.step();
  if (!services_.lazy_free.empty()) loop_.wake_next_tick();
}

void Cron::close_idle_clients() {
  const int timeout_s = services_.config.timeout_s;
  if (timeout_s <= 0) return;
  const uint32_t now_s = services_.tick.uptime_s;
  Clients& clients = services_.clients;
  size_t closed = 0;
  const auto look = [&](Session& session) {
    for (SessionFlag spared : {SessionFlag::kMonitor, SessionFlag::kClosing, SessionFlag::kBlocked,
                               SessionFlag::kSubscribed})
      if (session.has(spared)) return;
    if (session.replica) return;
    if (now_s - session.active_s <= uint32_t(timeout_s)) return;
    clients.link().close_idle(session);
    ++closed;
  };
  for (size_t seen = 0; seen < kClientsPerRun && closed < kClosedPerRun; seen += kClosedPerRun) {
    client_cursor_ = clients.visit(client_cursor_, kClosedPerRun, look);
    if (client_cursor_ == 0) break;
  }
  services_.stats.idle_clients_closed += closed;
}

void Cron::sample() {
  const ae::TimePoint now = loop_.now();
  services_.load.sample(services_.lifecycle.loops(), now);
  ServerStats& stats = services_.stats;
  commands_.sample(stats.commands_processed, now);
  const Traffic traffic = services_.lifecycle.traffic();
  input_.sample(traffic.read_bytes, now);
  output_.sample(traffic.written_bytes, now);
  stats.ops_per_second = uint64_t(commands_.per_second());
  stats.input_kib_per_second = input_.per_second() / 1024;
  stats.output_kib_per_second = output_.per_second() / 1024;
  stats.peak_memory_bytes = std::max(stats.peak_memory_bytes, memory::used_bytes());
}

// Once per pause: free blocks that the allocator keeps at hand for this thread pin pages on which
// nothing else is left.
void Cron::rest_when_idle() {
  const uint64_t commands = services_.stats.commands_processed;
  if (commands != commands_when_idle_) {
    commands_when_idle_ = commands;
    idle_since_ = loop_.now();
    rested_ = false;
  }
  if (rested_ || loop_.now() - idle_since_ < kIdleBeforeRest) return;
  rested_ = true;
  memory::rest();
}

}  // namespace millrace
