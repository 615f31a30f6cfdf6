#include "server/observe/memory_overview.h"

#include <algorithm>

#include "ae/net/connection_record.h"
#include "server/command/append_only.h"
#include "server/command/clients.h"
#include "server/command/lifecycle.h"

namespace millrace {
namespace {

// The connection's record and the loop's registration.
constexpr size_t kConnectionBytes =
    ae::SlotMap<ae::ConnectionRecord, ae::ConnectionId>::kSlotBytes +
    ae::EventLoop::kRegistrationBytes;

}  // namespace

size_t uncounted_bytes(const Services& services) {
  return services.replicas.unsent().sum() + services.append_only.buffered();
}

size_t idle_client_bytes() {
  return SessionTable::kSlotBytes + kConnectionBytes;
}

MemoryOverview MemoryOverview::take(const Services& services) {
  MemoryOverview overview;
  overview.used = memory::used_bytes();
  overview.peak = std::max<size_t>(services.stats.peak_memory_bytes, overview.used);
  overview.startup = memory::startup_bytes();
  overview.resident = memory::resident_bytes();
  overview.allocator = memory::allocator_stats();
  overview.clients = services.lifecycle.client_memory();
  const ReplicationFacts replication = services.replicas.facts();
  if (replication.backlog_active) overview.backlog = replication.backlog_bytes;
  overview.unsent = services.replicas.unsent();
  overview.append_only_buffer = services.append_only.buffered();
  // Of what lies beside the clients, the scratch and the lists are there from the start.
  overview.overhead = overview.startup + overview.clients.own() + overview.clients.spare_slots +
                      overview.clients.output_pool + overview.clients.reply_arena +
                      overview.backlog + overview.unsent.held + overview.append_only_buffer;
  for (size_t i = 0; i < services.databases.count(); ++i) {
    const Keyspace& keyspace = services.databases[i];
    if (keyspace.size() == 0) continue;
    overview.keys += keyspace.size();
    overview.databases.push_back({i, keyspace.table_bytes()});
    overview.overhead += keyspace.table_bytes();
  }
  return overview;
}

double MemoryOverview::dataset_percent() const {
  const size_t added = used > startup ? used - startup : 0;
  return std::min(100.0, 100 * ratio(dataset(), added));
}

double MemoryOverview::peak_percent() const {
  return 100 * ratio(used, peak);
}

size_t MemoryOverview::bytes_per_key() const {
  return keys == 0 || used < startup ? 0 : (used - startup) / keys;
}

}  // namespace millrace
