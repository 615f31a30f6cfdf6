// Replication: who is whose master, what replicas say, and how far they are. The parts are in
// server/repl.
#include <array>

#include "server/command/arg_reader.h"
#include "server/command/blocking.h"
#include "server/command/clients.h"
#include "server/commands/deadline.h"
#include "server/commands/families.h"
#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/repl/replication.h"

namespace millrace {
namespace {

Replication& replication(Context& c) {
  return c.services().replication;
}

std::string peer_of(Context& c) {
  return c.services().clients.link().peer_text(c.session());
}

// --- the role

void follow_nobody(Context& c) {
  if (replication(c).follows()) {
    replication(c).lead();
    log::notice("MASTER MODE enabled (user request from '{}')", peer_of(c));
  }
  c.reply().ok();
}

// REPLICAOF host port | NO ONE
void replicaof(Context& c) {
  Replication& repl = replication(c);
  if (repl.failover().under_way()) return c.fail("ERR REPLICAOF not allowed while failing over.");
  if (equals_ignoring_case(c.arg(1), "no") && equals_ignoring_case(c.arg(2), "one"))
    return follow_nobody(c);
  if (c.session().replica) return c.fail("ERR Command is not valid when client is a replica.");
  ArgReader args(c, 2);
  constexpr std::string_view kBadPort = "ERR Invalid master port";
  const int64_t port = args.integer(kBadPort);
  if (args.ok() && (port < 0 || port > UINT16_MAX)) args.error(kBadPort);
  if (!args.finish()) return;
  const MasterAddress master{std::string(c.arg(1)), uint16_t(port)};
  if (repl.follows() && repl.master() == master) {
    log::notice(
        "REPLICAOF would result into synchronization with the master we are already connected "
        "with. No operation performed.");
    return c.reply().status("OK Already connected to specified master");
  }
  repl.follow(master);
  log::notice("REPLICAOF {}:{} enabled (user request from '{}')", master.host, master.port,
              peer_of(c));
  c.reply().ok();
}

void role_of_replica(Context& c, const MasterLinkFacts& link) {
  c.reply().array(5);
  c.reply().bulk("slave");
  c.reply().bulk(link.host);
  c.reply().integer(link.port);
  c.reply().bulk(link.state);
  c.reply().integer(link.up ? link.applied_offset : -1);
}

// ROLE
void role(Context& c) {
  const ReplicationFacts facts = replication(c).facts();
  if (facts.follows) return role_of_replica(c, facts.master);
  size_t online = 0;
  for (const ReplicaFacts& replica : facts.replicas) online += replica.online;
  c.reply().array(3);
  c.reply().bulk("master");
  c.reply().integer(facts.offset);
  c.reply().array(online);
  for (const ReplicaFacts& replica : facts.replicas) {
    if (!replica.online) continue;
    c.reply().array(3);
    c.reply().bulk(replica.ip);
    c.reply().bulk_integer(replica.port);
    c.reply().bulk_integer(replica.offset);
  }
}

void abort_failover(Context& c) {
  Failover& failover = replication(c).failover();
  if (!failover.under_way()) return c.fail("ERR No failover in progress.");
  failover.abort("Failover manually aborted");
  c.reply().ok();
}

void read_target(FailoverTerms& terms, ArgReader& args) {
  const std::string host(args.word());
  const int64_t port = args.integer();
  // One that is no port is nobody's, as 0 is.
  terms.target = MasterAddress{host, port > 0 && port <= UINT16_MAX ? uint16_t(port) : uint16_t{0}};
}

void read_timeout(FailoverTerms& terms, ArgReader& args) {
  terms.timeout_ms = args.integer();
  if (terms.timeout_ms <= 0) args.error("ERR FAILOVER timeout must be greater than 0");
}

// FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]
void failover(Context& c) {
  if (c.arg_count() == 2 && equals_ignoring_case(c.arg(1), "abort")) return abort_failover(c);
  FailoverTerms terms;
  ArgReader args(c);
  while (args.more()) {
    if (terms.timeout_ms == 0 && args.take("TIMEOUT", 1)) {
      read_timeout(terms, args);
    } else if (!terms.target && args.take("TO", 2)) {
      read_target(terms, args);
    } else if (!terms.force && args.take("FORCE")) {
      terms.force = true;
    } else {
      args.syntax_error();
    }
  }
  if (!args.finish()) return;
  const auto refusal = replication(c).failover().begin(terms);
  refusal ? c.fail(*refusal) : c.reply().ok();
}

// --- what replicas say

void acknowledge(Context& c) {
  ArgReader args(c, 2);
  const int64_t offset = args.integer();
  std::optional<int64_t> synced;
  if (args.take("FACK", 1)) synced = args.integer();
  // Nobody reads an answer here: it would be taken for a part of the stream.
  if (args.ok() && c.session().replica)
    replication(c).leader().acknowledged(c.session(), offset, synced);
}

void read_capability(Replica& replica, std::string_view name) {
  if (equals_ignoring_case(name, "eof")) replica.knows_eof = true;
  if (equals_ignoring_case(name, "psync2")) replica.knows_psync2 = true;
}

// As long as a name or an address can be.
constexpr size_t kMaxHostBytes = 255;

// The words that name what shall be there, with spaces between them; 7.2 knows one.
SnapshotContents read_contents(ArgReader& args) {
  const std::string_view words = args.word();
  if (words.find_first_not_of(' ') == std::string_view::npos) return SnapshotContents::kNothing;
  if (!equals_ignoring_case(words, "functions"))
    args.error("ERR Unsupported rdb-filter-only option: " + std::string(words));
  return SnapshotContents::kFunctions;
}

void read_option(Replica& replica, ArgReader& args) {
  if (args.take("listening-port", 1)) {
    replica.listening_port = uint16_t(args.integer_between(0, UINT16_MAX, errors::kNotInteger));
  } else if (args.take("ip-address", 1)) {
    const std::string_view ip = args.word();
    if (ip.size() > kMaxHostBytes)
      args.error("ERR REPLCONF ip-address provided by replica instance is too long: " +
                 std::to_string(ip.size()) + " bytes");
    replica.announced_ip = ip;
  } else if (args.take("capa", 1)) {
    read_capability(replica, args.word());
  } else if (args.take("rdb-only", 1)) {
    replica.wants_snapshot_only = args.integer() == 1;
  } else if (args.take("rdb-filter-only", 1)) {
    replica.contents = read_contents(args);
  } else {
    args.error("ERR Unrecognized REPLCONF option: " + std::string(args.peek()));
  }
}

// REPLCONF option value [option value ...]
void replconf(Context& c) {
  if (c.arg_count() % 2 == 0) return c.fail(errors::kSyntax);
  ArgReader args(c);
  if (args.take("ACK")) return acknowledge(c);
  if (args.take("GETACK")) return;  // a master's word, and this is none
  while (args.more()) read_option(replication(c).leader().record(c.session()), args);
  if (args.finish()) c.reply().ok();
}

// What stands in the way of a copy; answered.
bool refuse_sync(Context& c) {
  if (c.session().replica) return true;
  if (const auto refusal = replication(c).refusal_to_sync()) {
    c.fail(*refusal);
    return true;
  }
  log::notice("Replica {} asks for synchronization", peer_of(c));
  return false;
}

// PSYNC id offset FAILOVER: our master hands over to us.
bool take_over(Context& c) {
  Replication& repl = replication(c);
  if (c.arg_count() < 4 || !equals_ignoring_case(c.arg(3), "failover")) return true;
  log::warning("Failover request received for replid {}.", c.arg(1));
  if (!repl.follows()) return c.fail("ERR PSYNC FAILOVER can't be sent to a master."), false;
  if (c.arg(1) != repl.log().history().id())
    return c.fail("ERR PSYNC FAILOVER replid must match my replid."), false;
  repl.lead();
  return true;
}

// PSYNC id offset [FAILOVER]
void psync(Context& c) {
  ArgReader args(c, 2);
  const int64_t offset = args.integer();
  if (!args.ok()) return void(args.finish());
  if (!take_over(c) || refuse_sync(c)) return;
  Replication& repl = replication(c);
  const auto line = repl.leader().sync(c.session(), {c.arg(1), offset});
  if (line) return c.reply().status(std::string_view(*line).substr(1, line->size() - 3));
  repl.snapshots().tick();
}

// SYNC
void sync(Context& c) {
  if (refuse_sync(c)) return;
  Leader& leader = replication(c).leader();
  leader.record(c.session()).speaks_psync = false;
  leader.sync_whole(c.session());
  replication(c).snapshots().tick();
}

// --- waiting for them

// WAIT numreplicas timeout
// Run again (command/blocking.h) it has a fourth argument: the offset it waits for.
void wait(Context& c) {
  Replication& repl = replication(c);
  if (repl.follows())
    return c.fail(
        "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if "
        "a replica is configured to be writable (which is not the default) writes to replicas are "
        "just local and are not propagated.");
  ArgReader args(c);
  const int64_t wanted = args.integer();
  const int64_t deadline_ms = read_deadline_ms(args, c.now_ms());
  const int64_t offset = args.more() ? args.integer() : repl.leader().written_offset();
  if (!args.finish()) return;
  const size_t acked = repl.leader().count_acked(offset);
  if (int64_t(acked) >= wanted || !c.may_block() || c.services().blocking.is_last_run())
    return c.reply().integer(int64_t(acked));
  const std::string from = std::to_string(offset);
  const std::array<std::string_view, 4> again = {c.arg(0), c.arg(1), c.arg(2), from};
  c.block({.keys = {},
           .type = Type::kString,
           .deadline_ms = deadline_ms,
           .runs_at_deadline = true,
           .args = again});
  repl.waiters().add(c.session().self);
}

constexpr CommandFlags kReplicaTalk = kAdmin | kNoScript | kNoAsyncLoading | kNoMulti;

constexpr CommandSpec kTable[] = {
    {.name = "failover",
     .handler = failover,
     .arity = -1,
     .flags = kAdmin | kNoScript | kStale,
     .since = "6.2.0",
     .group = Group::kServer,
     .summary = "Hands the role of the master over to one of its replicas.",
     .complexity = "O(1)",
     .syntax = "[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]"},
    {.name = "psync",
     .handler = psync,
     .arity = -3,
     .flags = kReplicaTalk,
     .since = "2.8.0",
     .group = Group::kServer,
     .summary = "Asks for the stream of changes, from an offset on; said by replicas.",
     .complexity = "O(1)",
     .syntax = "replicationid offset"},
    {.name = "replconf",
     .handler = replconf,
     .arity = -1,
     .flags = kAdmin | kNoScript | kLoading | kStale | kAllowBusy,
     .since = "3.0.0",
     .group = Group::kServer,
     .summary = "What replicas say of themselves and of what they have.",
     .complexity = "O(1)"},
    {.name = "replicaof",
     .handler = replicaof,
     .arity = 3,
     .flags = kAdmin | kNoScript | kStale | kNoAsyncLoading,
     .since = "5.0.0",
     .group = Group::kServer,
     .summary = "Makes the server a replica of another, or a master.",
     .complexity = "O(1)",
     .syntax = "host port"},
    {.name = "role",
     .handler = role,
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast,
     .since = "2.8.12",
     .group = Group::kServer,
     .summary = "Tells the server's role in replication.",
     .complexity = "O(1)"},
    {.name = "slaveof",
     .handler = replicaof,
     .arity = 3,
     .flags = kAdmin | kNoScript | kStale | kNoAsyncLoading,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Makes the server a replica of another, or a master.",
     .complexity = "O(1)",
     .syntax = "host port"},
    {.name = "sync",
     .handler = sync,
     .arity = 1,
     .flags = kReplicaTalk,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Asks for a snapshot and the stream of changes; said by old replicas.",
     .complexity = "O(1)"},
    {.name = "wait",
     .handler = wait,
     .arity = 3,
     .flags = kNoScript | kBlocking,
     .since = "3.0.0",
     .group = Group::kGeneric,
     .summary = "Waits until replicas have what was written so far.",
     .complexity = "O(1)",
     .syntax = "numreplicas timeout"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> replication_commands() {
  return kTable;
}

}  // namespace millrace
