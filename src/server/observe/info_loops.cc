// INFO of the loops: where their time goes. loops: how busy each of them is. looplatency: how long
// their ticks take, by phase. What the phases are is in ae/core/tick_account.h; docs/latency.md
// tells how to read it.
#include "ae/core/tick_account.h"
#include "server/command/lifecycle.h"
#include "server/observe/info.h"
#include "server/observe/load_meter.h"

namespace millrace::info {
namespace {

int64_t us(ae::Nanoseconds time) {
  return time.count() / 1000;
}

// loop_main:useful_perc=12.34,busy_perc=12.40,ticks_per_sec=9100 ... of the last second or two;
// then since the start.
void load(const LoopView& loop, const LoadMeter::Recent& recent, InfoText& text) {
  const ae::TickAccount& account = *loop.account;
  text.line(
      "loop_{}:useful_perc={:.2f},busy_perc={:.2f},ticks_per_sec={:.0f},ticks={},useful_ticks={},"
      "useful_usec={},busy_usec={},idle_usec={}",
      loop.name, recent.useful_percent(), recent.busy_percent(), recent.ticks_per_second(),
      account.ticks(), account.useful_ticks(), us(account.useful()), us(account.busy()),
      us(account.idle()));
}

void phases(const LoopView& loop, InfoText& text) {
  std::string times;
  for (size_t i = 0; i < ae::kPhases; ++i) {
    if (i > 0) times += ',';
    times +=
        fmt::format("{}={}", ae::kPhaseNames[i], us(loop.account->durations(ae::Phase(i)).sum()));
  }
  text.line("loop_{}_phases_usec:{}", loop.name, times);
}

// loop_main_read_usec:count=100,mean=7.241,max=90.112,p50=6.911,p99=40.959
void distribution(const LoopView& loop, std::string_view what,
                  const ae::TickAccount::Durations& durations, const Config& config,
                  InfoText& text) {
  if (durations.total() == 0) return;
  text.line("loop_{}_{}_usec:count={},mean={:.3f},max={:.3f},{}", loop.name, what,
            durations.total(), double(durations.mean().count()) / 1000,
            double(durations.max().count()) / 1000, percentiles_us(durations, config));
}

}  // namespace

void loops(Services& services, InfoText& text) {
  for (const LoopView& loop : services.lifecycle.loops()) {
    load(loop, services.load.recent(loop.number), text);
    phases(loop, text);
  }
}

void loop_latency(Services& services, InfoText& text) {
  for (const LoopView& loop : services.lifecycle.loops()) {
    const ae::TickAccount& account = *loop.account;
    distribution(loop, "tick", account.durations(), services.config, text);
    for (size_t i = 0; i < ae::kPhases; ++i)
      distribution(loop, ae::kPhaseNames[i], account.durations(ae::Phase(i)), services.config,
                   text);
    distribution(loop, "late", account.lateness(), services.config, text);
  }
}

}  // namespace millrace::info
