// The master's side: who our replicas are, and the stream of changes to them. A server that follows
// a master is its replicas' leader all the same: then the stream is what the master sent, byte for
// byte.
//
//   Feed --on_command--> log (offset, backlog) --flush()--> each replica that is online
//                                                           held back for those who get a snapshot
//
// What a tick's commands bring about leaves in one push per replica, behind the tick's commands.
//
// A replica is a client that has said PSYNC. Its record lives until its connection ends. Requests
// of replicas (REPLCONF ACK) come by the ordinary way; the handlers are in commands/replication.cc.
//
// Thread: the one that runs commands.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "ae/core/event_loop.h"
#include "server/command/clients.h"
#include "server/command/command_encoder.h"
#include "server/command/feed.h"
#include "server/command/replication_view.h"
#include "server/command/services.h"
#include "server/ds/function_ref.h"
#include "server/repl/replica.h"
#include "server/repl/replication_log.h"
#include "server/repl/sync_decision.h"

namespace millrace {

class Leader final : private FeedSink {
 public:
  Leader(ae::EventLoop& loop, Services& services, ReplicationLog& log);
  ~Leader();
  Leader(const Leader&) = delete;
  Leader& operator=(const Leader&) = delete;

  // --- what replicas ask
  // The record behind this session; made where there is none.
  Replica& record(Session& session);
  Replica* find(SessionId session);
  // PSYNC. What is to be replied now; nothing where the answer comes with a snapshot.
  std::optional<std::string> sync(Session& session, const SyncRequest& request);
  // SYNC, of a replica that knows no better.
  void sync_whole(Session& session);
  void acknowledged(Session& session, int64_t offset, std::optional<int64_t> synced);

  // --- the stream
  // Bytes of our master's, to be passed on.
  void forward(std::string_view bytes);
  // To every replica, outside of what the data is: PING, REPLCONF GETACK.
  void say(std::initializer_list<std::string_view> words);
  // Everything so far is with the connections.
  void flush();
  // The stream goes on under another name or from another place: replicas come again.
  void disconnect_all();
  // Whether the stream is what our clients change, or what a master sends.
  void begin_leading();
  void end_leading() { services_.feed.detach(*this); }
  // The database that the stream's next command is for, if that goes without saying.
  std::optional<uint8_t> stream_db() const { return encoder_.database(); }
  // A backlog is there before any replica is.
  void expect_replicas();
  // The next command is preceded by its database.
  void forget_database() { encoder_.forget_database(); }

  // --- snapshots: what the one that makes them (snapshot_sender.h) needs
  void each(ds::FunctionRef<void(Replica&)> visitor);
  void each_in(Replica::State state, ds::FunctionRef<void(Replica&, Session&)> visitor);
  size_t count_in(Replica::State state) const;
  // It has been sent a snapshot of `offset`; what was held back follows it.
  void went_online(Replica& replica);
  void drop(Replica& replica, std::string_view why);

  // --- counting
  size_t replica_count() const;
  // What WAIT waits for: behind the last change or message. PING and GETACK come after it.
  int64_t written_offset() const { return written_offset_; }
  // Replicas that have acknowledged so much.
  size_t count_acked(int64_t offset) const;
  size_t count_synced(int64_t offset) const;
  size_t good_count() const;
  UnsentToReplicas unsent() const;
  void on_acknowledged(ae::Callback<void()> hook) { on_acknowledged_ = std::move(hook); }
  ReplicationCounters& counters() { return counters_; }
  const ReplicationCounters& counters() const { return counters_; }

  // Once a second.
  void tick();
  void refresh();  // the configuration has changed

  void add_facts(ReplicationFacts& facts) const;
  // Seconds since it acknowledged last; 0 before it is online.
  int64_t lag_s(const Replica& replica) const;
  std::string ip_of(const Replica& replica) const;
  std::string address_of(const Replica& replica) const;  // "ip:port", as logs name it

 private:
  using Replicas = std::map<uint64_t, Replica>;  // by session: in order of slot

  void on_command(uint8_t db, Words words) override;
  void on_message(uint8_t db, Words words) override;
  void left(Session& session);
  void begin_history();
  void take(Session& session, Replica& replica, Replica::State state);
  void resume(Session& session, Replica& replica, int64_t from);
  void explain(const SyncRequest& request, SyncDecision decision, const Replica& replica);

  // --- by the clock (leader_tick.cc)
  void send_alive_signs();
  void end_silent();
  void end_stalled();
  void drop_unused_backlog();
  void judge_replicas();
  bool follows() const { return services_.state.follows_master(); }

  ae::EventLoop& loop_;
  Services& services_;
  ReplicationLog& log_;
  CommandEncoder encoder_;
  std::string pending_;  // in the log, and not yet with the replicas
  Replicas replicas_;
  ReplicationCounters counters_;
  ae::Callback<void()> on_acknowledged_;
  int64_t written_offset_ = 0;
  uint64_t ticks_ = 0;
  ae::TimePoint alone_since_;  // the last replica left
};

}  // namespace millrace
