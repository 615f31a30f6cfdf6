// MEMORY: what keys take, where the rest is, and what the allocator says.
#include <fmt/format.h>

#include "server/command/arg_reader.h"
#include "server/command/help.h"
#include "server/commands/families.h"
#include "server/observe/memory_doctor.h"
#include "server/observe/memory_overview.h"

namespace millrace {
namespace {

// MEMORY USAGE key [SAMPLES count]
// The collections keep count of their bytes, so the answer is exact and SAMPLES has nothing to say.
void memory_usage(Context& c) {
  ArgReader args(c, 3);
  while (args.more()) {
    if (!args.take("SAMPLES", 1) || args.integer() < 0) args.syntax_error();
  }
  if (!args.finish()) return;
  const Entry* entry = c.peek(c.key(2));
  entry ? c.reply().integer(int64_t(entry->memory_bytes())) : c.reply().null();
}

void reply_size(Context& c, std::string_view name, int64_t bytes) {
  c.reply().bulk(name);
  c.reply().integer(bytes);
}

void reply_real(Context& c, std::string_view name, double value) {
  c.reply().bulk(name);
  c.reply().real(value);
}

void reply_totals(Context& c, const MemoryOverview& memory) {
  reply_size(c, "peak.allocated", int64_t(memory.peak));
  reply_size(c, "total.allocated", int64_t(memory.used));
  reply_size(c, "startup.allocated", int64_t(memory.startup));
  reply_size(c, "replication.backlog", int64_t(memory.backlog));
  reply_size(c, "clients.slaves", int64_t(memory.unsent.sum()));
  reply_size(c, "clients.normal", int64_t(memory.normal_clients()));
  reply_size(c, "cluster.links", 0);  // no cluster
  reply_size(c, "aof.buffer", int64_t(memory.append_only_buffer));
  const ScriptFacts& scripts = c.services().script_facts;
  reply_size(c, "lua.caches", int64_t(scripts.eval.overhead_bytes));
  reply_size(c, "functions.caches", int64_t(scripts.functions.overhead_bytes));
}

void reply_databases(Context& c, const MemoryOverview& memory) {
  for (const MemoryOverview::Database& database : memory.databases) {
    c.reply().bulk(fmt::format("db.{}", database.index));
    c.reply().map(2);
    reply_size(c, "overhead.hashtable.main", int64_t(database.table_bytes));
    reply_size(c, "overhead.hashtable.expires", 0);  // a bit in the same table
  }
}

void reply_dataset(Context& c, const MemoryOverview& memory) {
  reply_size(c, "overhead.total", int64_t(memory.overhead));
  reply_size(c, "keys.count", int64_t(memory.keys));
  reply_size(c, "keys.bytes-per-key", int64_t(memory.bytes_per_key()));
  reply_size(c, "dataset.bytes", int64_t(memory.dataset()));
  reply_real(c, "dataset.percentage", memory.dataset_percent());
  reply_real(c, "peak.percentage", memory.peak_percent());
}

void reply_allocator(Context& c, const MemoryOverview& memory) {
  const memory::AllocatorStats& heap = memory.allocator;
  reply_size(c, "allocator.allocated", int64_t(heap.allocated));
  reply_size(c, "allocator.active", int64_t(heap.active));
  reply_size(c, "allocator.resident", int64_t(heap.resident));
  reply_real(c, "allocator-fragmentation.ratio", memory.allocator_fragmentation());
  reply_size(c, "allocator-fragmentation.bytes",
             MemoryOverview::difference(heap.active, heap.allocated));
  reply_real(c, "allocator-rss.ratio", memory.allocator_rss());
  reply_size(c, "allocator-rss.bytes", MemoryOverview::difference(heap.resident, heap.active));
  reply_real(c, "rss-overhead.ratio", memory.rss_overhead());
  reply_size(c, "rss-overhead.bytes", MemoryOverview::difference(memory.resident, heap.resident));
  reply_real(c, "fragmentation", memory.fragmentation());
  reply_size(c, "fragmentation.bytes", MemoryOverview::difference(memory.resident, memory.used));
}

// MEMORY STATS
void memory_stats(Context& c) {
  constexpr size_t kFixedPairs = 10 + 6 + 11;  // totals, dataset, allocator
  const MemoryOverview memory = MemoryOverview::take(c.services());
  c.reply().map(kFixedPairs + memory.databases.size());
  reply_totals(c, memory);
  reply_databases(c, memory);
  reply_dataset(c, memory);
  reply_allocator(c, memory);
}

// MEMORY DOCTOR
void memory_doctor(Context& c) {
  c.reply().verbatim("txt", memory_report(MemoryOverview::take(c.services()), c.config()));
}

// MEMORY MALLOC-STATS
void memory_malloc_stats(Context& c) {
  c.reply().verbatim("txt", memory::allocator_report());
}

// MEMORY PURGE
void memory_purge(Context& c) {
  memory::purge();
  c.reply().ok();
}

constexpr Group kGroup = Group::kServer;

constexpr CommandSpec kSubcommands[] = {
    {.name = "doctor",
     .handler = memory_doctor,
     .arity = 2,
     .since = "4.0.0",
     .group = kGroup,
     .summary = "Says in words what is unusual about the memory.",
     .complexity = "O(1)"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "4.0.0",
     .group = kGroup,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
    {.name = "malloc-stats",
     .handler = memory_malloc_stats,
     .arity = 2,
     .since = "4.0.0",
     .group = kGroup,
     .summary = "Shows the allocator's own report.",
     .complexity = "Depends on the allocator."},
    {.name = "purge",
     .handler = memory_purge,
     .arity = 2,
     .since = "4.0.0",
     .group = kGroup,
     .summary = "Asks the allocator to give unused pages back.",
     .complexity = "Depends on the allocator."},
    {.name = "stats",
     .handler = memory_stats,
     .arity = 2,
     .since = "4.0.0",
     .group = kGroup,
     .summary = "Shows where the memory is.",
     .complexity = "O(1)"},
    {.name = "usage",
     .handler = memory_usage,
     .arity = -3,
     .flags = kReadOnly,
     .keys = key_at(2),
     .since = "4.0.0",
     .group = kGroup,
     .summary = "Tells how many bytes a key and its value take.",
     .complexity = "O(1); O(N) for a list of N nodes",
     .syntax = "key [SAMPLES count]"},
};
static_assert(sane(kSubcommands));

constexpr CommandSpec kTable[] = {
    {.name = "memory",
     .arity = -2,
     .since = "4.0.0",
     .group = kGroup,
     .summary = "Commands about memory.",
     .complexity = "Depends on the subcommand.",
     .subcommands = kSubcommands},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> memory_commands() {
  return kTable;
}

}  // namespace millrace
