// INFO of the data and its copies: persistence, replication, modules, cluster, keyspace.
#include <array>

#include "ae/base/prng.h"
#include "server/observe/info.h"

namespace millrace::info {
namespace {

// Redis averages what its expiry cycle came across; here keys are drawn when somebody asks.
constexpr size_t kTtlSamples = 64;

int64_t average_ttl_ms(const Keyspace& keyspace, ae::Prng& prng, int64_t now_ms) {
  std::array<Entry*, kTtlSamples> sample;
  const size_t count = keyspace.sample_expiring(prng, sample);
  int64_t sum_ms = 0;
  for (size_t i = 0; i < count; ++i)
    sum_ms += std::max<int64_t>(sample[i]->expire_at_ms() - now_ms, 0);
  return count == 0 ? 0 : sum_ms / int64_t(count);
}

}  // namespace

void persistence(Services& services, InfoText& text) {
  text.field("loading", 0);
  text.field("async_loading", 0);
  text.field("rdb_changes_since_last_save", services.effects.changes());
  text.field("rdb_bgsave_in_progress", 0);
  text.field("rdb_saves", 0);
  text.field("aof_enabled", 0);
  text.field("aof_rewrite_in_progress", 0);
  text.field("aof_rewrite_scheduled", 0);
}

void replication(Services&, InfoText& text) {
  text.field("role", "master");
  text.field("connected_slaves", 0);
  text.field("master_failover_state", "no-failover");
  text.field("master_repl_offset", 0);
  text.field("repl_backlog_active", 0);
}

void modules(Services&, InfoText&) {}

void cluster(Services&, InfoText& text) {
  text.field("cluster_enabled", 0);
}

void keyspace(Services& services, InfoText& text) {
  for (size_t i = 0; i < services.databases.count(); ++i) {
    const Keyspace& keyspace = services.databases[i];
    if (keyspace.size() == 0) continue;
    text.line("db{}:keys={},expires={},avg_ttl={}", i, keyspace.size(), keyspace.expiring(),
              average_ttl_ms(keyspace, services.prng, services.tick.unix_us / 1000));
  }
}

}  // namespace millrace::info
