// INFO memory.
#include <unistd.h>

#include "server/config/config.h"
#include "server/observe/info.h"
#include "server/observe/memory_overview.h"

namespace millrace::info {
namespace {

constexpr std::string_view policy_name(MaxmemoryPolicy policy) {
  constexpr std::string_view kNames[] = {"volatile-lru",   "volatile-lfu", "volatile-random",
                                         "volatile-ttl",   "allkeys-lru",  "allkeys-lfu",
                                         "allkeys-random", "noeviction"};
  return kNames[size_t(policy)];
}
static_assert(policy_name(MaxmemoryPolicy::kNoEviction) == "noeviction");

uint64_t machine_bytes() {
  return uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE));
}

void usage(const MemoryOverview& memory, InfoText& text) {
  text.bytes("used_memory", memory.used);
  text.bytes("used_memory_rss", memory.resident);
  text.bytes("used_memory_peak", memory.peak);
  text.percent("used_memory_peak_perc", memory.peak_percent());
  text.field("used_memory_overhead", memory.overhead);
  text.field("used_memory_startup", memory.startup);
  text.field("used_memory_dataset", memory.dataset());
  text.percent("used_memory_dataset_perc", memory.dataset_percent());
}

void scripts(const ScriptFacts& facts, InfoText& text) {
  text.field("used_memory_vm_eval", facts.eval.interpreter_bytes);
  text.bytes("used_memory_lua", facts.eval.interpreter_bytes);
  text.field("used_memory_scripts_eval", facts.eval.overhead_bytes);
  text.field("number_of_cached_scripts", facts.cached_scripts);
  text.field("number_of_functions", facts.function_count);
  text.field("number_of_libraries", facts.library_count);
  text.field("used_memory_vm_functions", facts.functions.interpreter_bytes);
  text.bytes("used_memory_vm_total",
             facts.eval.interpreter_bytes + facts.functions.interpreter_bytes);
  text.field("used_memory_functions", facts.functions.overhead_bytes);
  text.bytes("used_memory_scripts", facts.eval.overhead_bytes + facts.functions.overhead_bytes);
}

void allocator(const MemoryOverview& memory, InfoText& text) {
  const memory::AllocatorStats& heap = memory.allocator;
  text.ratio("allocator_frag_ratio", memory.allocator_fragmentation());
  text.field("allocator_frag_bytes", MemoryOverview::difference(heap.active, heap.allocated));
  text.ratio("allocator_rss_ratio", memory.allocator_rss());
  text.field("allocator_rss_bytes", MemoryOverview::difference(heap.resident, heap.active));
  text.ratio("rss_overhead_ratio", memory.rss_overhead());
  text.field("rss_overhead_bytes", MemoryOverview::difference(memory.resident, heap.resident));
  text.ratio("mem_fragmentation_ratio", memory.fragmentation());
  text.field("mem_fragmentation_bytes", MemoryOverview::difference(memory.resident, memory.used));
}

}  // namespace

void memory(Services& services, InfoText& text) {
  const MemoryOverview memory = MemoryOverview::take(services);
  const Config& config = services.config;
  usage(memory, text);
  text.field("allocator_allocated", memory.allocator.allocated);
  text.field("allocator_active", memory.allocator.active);
  text.field("allocator_resident", memory.allocator.resident);
  text.bytes("total_system_memory", machine_bytes());
  scripts(services.script_facts, text);
  text.bytes("maxmemory", config.maxmemory_bytes);
  text.field("maxmemory_policy", policy_name(config.maxmemory_policy));
  allocator(memory, text);
  text.field("mem_not_counted_for_evict", uncounted_bytes(services));
  text.field("mem_total_replication_buffers", memory.backlog + memory.unsent.sum());
  text.field("mem_clients_slaves", memory.unsent.sum());
  text.field("mem_replication_backlog", memory.backlog);
  text.field("mem_clients_normal", memory.normal_clients());
  text.field("mem_cluster_links", 0);
  text.field("mem_aof_buffer", memory.append_only_buffer);
  text.field("mem_allocator", memory::allocator_name());
  text.field("lazyfree_pending_objects", services.lazy_free.pending());
  text.field("lazyfreed_objects", services.lazy_free.freed());
}

}  // namespace millrace::info
