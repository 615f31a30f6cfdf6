// LATENCY: spikes of named events (observe/latency_monitor.h), how long each command takes
// (observe/command_stats.h), and what filled the longest ticks (observe/tick_watch.h; ours).
#include <algorithm>
#include <vector>

#include "server/command/arg_reader.h"
#include "server/command/help.h"
#include "server/commands/families.h"
#include "server/observe/command_stats.h"
#include "server/observe/latency_monitor.h"
#include "server/observe/latency_report.h"
#include "server/observe/tick_watch.h"

namespace millrace {
namespace {

// LATENCY LATEST
void latency_latest(Context& c) {
  const auto& events = c.services().latency.events();
  c.reply().array(events.size());
  for (const auto& [name, event] : events) {
    c.reply().array(4);
    c.reply().bulk(name);
    c.reply().integer(event.latest().unix_s);
    c.reply().integer(event.latest().ms);
    c.reply().integer(event.max_ms);
  }
}

// LATENCY HISTORY event
void latency_history(Context& c) {
  const LatencyMonitor::Event* event = c.services().latency.find(c.arg(2));
  if (!event) return c.reply().empty_array();
  c.reply().array(event->count);
  for (size_t i = 0; i < event->count; ++i) {
    c.reply().array(2);
    c.reply().integer(event->at(i).unix_s);
    c.reply().integer(event->at(i).ms);
  }
}

// LATENCY RESET [event [event ...]]
void latency_reset(Context& c) {
  LatencyMonitor& latency = c.services().latency;
  size_t forgotten = c.arg_count() == 2 ? latency.reset_all() : 0;
  for (std::string_view event : c.args().subspan(2)) forgotten += latency.reset(event);
  c.reply().integer(int64_t(forgotten));
}

// LATENCY GRAPH event
void latency_graph(Context& c) {
  const LatencyMonitor::Event* event = c.services().latency.find(c.arg(2));
  if (!event) return c.fail("ERR No samples available for event '" + std::string(c.arg(2)) + "'");
  c.reply().verbatim("txt", latency_chart(c.arg(2), *event, c.now_ms() / 1000));
}

// LATENCY DOCTOR
void latency_doctor(Context& c) {
  c.reply().verbatim("txt", latency_report(c.services().latency, c.now_ms() / 1000));
}

// --- LATENCY HISTOGRAM

bool has_histogram(Context& c, const Command& command) {
  return c.services().command_stats.row(command.id).histogram != nullptr;
}

// Of a container its subcommands are shown.
void collect(Context& c, const Command& command, std::vector<const Command*>& shown) {
  if (has_histogram(c, command)) shown.push_back(&command);
  for (const Command& subcommand : command.subcommands) collect(c, subcommand, shown);
}

std::vector<const Command*> commands_asked_for(Context& c) {
  const CommandTable& table = c.services().commands;
  std::vector<const Command*> shown;
  if (c.arg_count() == 2) {
    for (const Command& command : table.commands()) collect(c, command, shown);
  }
  for (std::string_view name : c.args().subspan(2))
    if (const Command* command = table.find(name)) collect(c, *command, shown);
  return shown;
}

struct HistogramRow {
  uint64_t limit_us;
  uint64_t count;  // of calls that took at most so long
};

// Redis' form: for each power of two of microseconds that something falls into, cumulative.
std::vector<HistogramRow> by_power_of_two(const LatencyHistogram& histogram) {
  std::vector<HistogramRow> rows;
  uint64_t seen = 0;
  uint64_t limit_us = 1;
  histogram.each_bucket([&](ae::Nanoseconds end, uint64_t count) {
    while (ae::Microseconds(limit_us) < end) limit_us *= 2;
    seen += count;
    if (rows.empty() || rows.back().limit_us != limit_us) rows.push_back({limit_us, 0});
    rows.back().count = seen;
  });
  return rows;
}

// Commands that are timed once in a while are shown as if all their calls had been like those.
void reply_histogram(Context& c, const CommandStats::Row& row) {
  const std::vector<HistogramRow> buckets = by_power_of_two(*row.histogram);
  c.reply().map(2);
  c.reply().bulk("calls");
  c.reply().integer(int64_t(row.calls));
  c.reply().bulk("histogram_usec");
  c.reply().map(buckets.size());
  for (const auto& [limit_us, timed] : buckets) {
    c.reply().integer(int64_t(limit_us));
    c.reply().integer(int64_t(row.scaled_to_calls(timed)));
  }
}

// LATENCY HISTOGRAM [command [command ...]]
void latency_histogram(Context& c) {
  const std::vector<const Command*> shown = commands_asked_for(c);
  c.reply().map(shown.size());
  for (const Command* command : shown) {
    c.reply().bulk(command->full_name);
    reply_histogram(c, c.services().command_stats.row(command->id));
  }
}

// --- LATENCY TICKS

void reply_amount(Context& c, std::string_view name, int64_t amount) {
  c.reply().bulk(name);
  c.reply().integer(amount);
}

void reply_us(Context& c, std::string_view name, ae::Nanoseconds time) {
  reply_amount(c, name, time.count() / 1000);
}

void reply_slowest_command(Context& c, const LongTick& tick) {
  c.reply().bulk("slowest_command");
  if (tick.command.empty()) return c.reply().null();
  c.reply().map(4);
  c.reply().bulk("name");
  c.reply().bulk(tick.command);
  c.reply().bulk("key");
  tick.has_key ? c.reply().bulk(tick.key) : c.reply().null();
  reply_us(c, "usec", tick.command_took);
  reply_amount(c, "client_id", int64_t(tick.client_id));
}

void reply_tick(Context& c, const LongTick& tick) {
  const ae::TickRecord& record = tick.record;
  c.reply().map(9);
  c.reply().bulk("loop");
  c.reply().bulk(tick.loop);
  reply_amount(c, "unix_time_ms", record.woke_unix_us / 1000);
  reply_us(c, "usec", tick.length());
  c.reply().bulk("filled_by");
  c.reply().bulk(tick.filled_by());
  reply_us(c, "late_usec", record.late);
  c.reply().bulk("phases_usec");
  c.reply().map(ae::kPhases);
  for (size_t i = 0; i < ae::kPhases; ++i) reply_us(c, ae::kPhaseNames[i], record.time[i]);
  c.reply().bulk("work");
  c.reply().map(5);
  reply_amount(c, "commands", int64_t(tick.commands));
  reply_amount(c, "events", record.work_of(ae::Phase::kRead));
  reply_amount(c, "tasks", record.work_of(ae::Phase::kMailbox));
  reply_amount(c, "timers", record.work_of(ae::Phase::kTimers));
  reply_amount(c, "closings", record.work_of(ae::Phase::kReap));
  c.reply().bulk("housekeeping_usec");
  c.reply().map(kTickParts);
  for (size_t i = 0; i < kTickParts; ++i) reply_us(c, kTickPartNames[i], tick.parts[i]);
  reply_slowest_command(c, tick);
}

// LATENCY TICKS [count | RESET]
void latency_ticks(Context& c) {
  TickLog& log = c.services().ticks.log();
  ArgReader args(c, 2);
  if (args.take("RESET")) {
    if (args.finish()) c.reply().integer(int64_t(log.reset()));
    return;
  }
  const int64_t wanted = args.more() ? args.integer_between(0, INT64_MAX) : INT64_MAX;
  if (!args.finish()) return;
  const std::vector<LongTick> worst = log.worst(c.services().tick.unix_us);
  const size_t count = size_t(std::min(wanted, int64_t(worst.size())));
  c.reply().array(count);
  for (size_t i = 0; i < count; ++i) reply_tick(c, worst[i]);
}

constexpr CommandFlags kControl = kAdmin | kNoScript | kLoading | kStale;
constexpr Group kGroup = Group::kServer;

constexpr CommandSpec kSubcommands[] = {
    {.name = "doctor",
     .handler = latency_doctor,
     .arity = 2,
     .flags = kControl,
     .since = "2.8.13",
     .group = kGroup,
     .summary = "Says in words what the latency spikes look like.",
     .complexity = "O(1)"},
    {.name = "graph",
     .handler = latency_graph,
     .arity = 3,
     .flags = kControl,
     .since = "2.8.13",
     .group = kGroup,
     .summary = "Draws the latency spikes of an event.",
     .complexity = "O(1)",
     .syntax = "event"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "2.8.13",
     .group = kGroup,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
    {.name = "histogram",
     .handler = latency_histogram,
     .arity = -2,
     .flags = kControl,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Shows how the durations of commands are distributed.",
     .complexity = "O(N) for N commands",
     .syntax = "[command [command ...]]"},
    {.name = "history",
     .handler = latency_history,
     .arity = 3,
     .flags = kControl,
     .since = "2.8.13",
     .group = kGroup,
     .summary = "Shows the latency spikes of an event: time and milliseconds.",
     .complexity = "O(1)",
     .syntax = "event"},
    {.name = "latest",
     .handler = latency_latest,
     .arity = 2,
     .flags = kControl,
     .since = "2.8.13",
     .group = kGroup,
     .summary = "Shows the last and the longest latency spike of every event.",
     .complexity = "O(1)"},
    {.name = "reset",
     .handler = latency_reset,
     .arity = -2,
     .flags = kControl,
     .since = "2.8.13",
     .group = kGroup,
     .summary = "Forgets the latency spikes of the events named, or of all.",
     .complexity = "O(1)",
     .syntax = "[event [event ...]]"},
    {.name = "ticks",
     .handler = latency_ticks,
     .arity = -2,
     .flags = kControl,
     .since = "7.2.0",
     .group = kGroup,
     .summary = "Shows the longest ticks of the last hour and what filled them, or forgets them.",
     .complexity = "O(1)",
     .syntax = "[count | RESET]"},
};
static_assert(sane(kSubcommands));

constexpr CommandSpec kTable[] = {
    {.name = "latency",
     .arity = -2,
     .since = "2.8.13",
     .group = kGroup,
     .summary = "Commands about latency.",
     .complexity = "Depends on the subcommand.",
     .subcommands = kSubcommands},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> latency_commands() {
  return kTable;
}

}  // namespace millrace
