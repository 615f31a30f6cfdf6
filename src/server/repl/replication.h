// Replication as the rest of the server knows it: whether this server is a master or follows one,
// the changes of role, and what is told of both.
//
//                +-- FollowerLink: bytes of a master --+
//   role --------+                                     +--> ReplicationLog --> Leader --> replicas
//                +-- Feed: changes of our clients -----+
//
// The parts do not know of each other; what one means for another is said here.
//
// Formats and rules: docs/replication.md. Thread: the main loop's.
#pragma once

#include <optional>
#include <string>

#include "server/command/replication_view.h"
#include "server/repl/ack_waiters.h"
#include "server/repl/failover.h"
#include "server/repl/farewell.h"
#include "server/repl/follower_link.h"
#include "server/repl/leader.h"
#include "server/repl/replication_log.h"
#include "server/repl/snapshot_sender.h"

namespace millrace {

class Replication final : public ReplicationView,
                          private FollowerLink::Owner,
                          private Failover::Owner {
 public:
  struct Parts {
    ae::EventLoop& loop;
    ae::ConnectionTable& table;
    Services& services;
    Storage& storage;
    ChildProcess& processes;
    uint64_t seed = 0;
  };
  explicit Replication(Parts parts);
  ~Replication();
  Replication(const Replication&) = delete;
  Replication& operator=(const Replication&) = delete;

  // --- the start: the role before the data is loaded, what its snapshot tells, and the link
  void take_configured_role();
  void recall(const ReplicationPoint& loaded);
  void begin();
  // ... and the end: what a master sends from here on is not taken. begin() takes it back.
  void stop_following() { link_.stop(); }

  // --- the role
  bool follows() const { return services_.state.follows_master(); }
  const MasterAddress& master() const { return link_.master(); }
  bool link_is_up() const { return link_.is_up(); }
  void follow(MasterAddress master) override;
  // Promotion: what has been applied stays, and our own changes begin.
  void lead() override;
  // The link to the master as a client of ours; nothing while it is not up.
  std::optional<MasterClient> master_client() const { return link_.as_client(); }
  // Ends the connection to the master; it is made again. False: there is none.
  bool cut_link();
  // The configuration has changed.
  void refresh();

  Leader& leader() { return leader_; }
  SnapshotSender& snapshots() { return snapshots_; }
  AckWaiters& waiters() { return waiters_; }
  Failover& failover() { return failover_; }
  Farewell& farewell() { return farewell_; }
  const Farewell& farewell() const { return farewell_; }
  const ReplicationLog& log() const { return log_; }
  // Whether a replica may copy from us now; else why not.
  std::optional<std::string> refusal_to_sync() const;

  // CONFIG RESETSTAT
  void reset_counters() { leader_.counters() = {}; }

  // --- ReplicationView
  ReplicationFacts facts() const override;
  const ReplicationCounters& counters() const override { return leader_.counters(); }
  std::optional<ReplicationPoint> point() const override;
  UnsentToReplicas unsent() const override { return leader_.unsent(); }

 private:
  // --- FollowerLink::Owner
  FollowerHandshake::Terms terms() override;
  void data_goes() override;
  void data_came(const std::optional<ResumePoint>& point) override;
  void goes_on(std::string_view id) override;
  void refused(std::string_view problem) override { failover_.abort(problem); }
  void applied(std::string_view bytes) override { leader_.forward(bytes); }
  int64_t applied_offset() const override { return log_.offset(); }
  void link_changed() override { set_state(); }

  void tick();
  void begin_following();
  void set_state();
  size_t backlog_bytes() const { return size_t(services_.config.repl_backlog_size_bytes); }
  MasterLinkFacts master_facts() const;

  ae::EventLoop& loop_;
  Services& services_;
  ReplicationLog log_;
  Leader leader_;
  SnapshotSender snapshots_;
  AckWaiters waiters_;
  FollowerLink link_;
  Failover failover_;
  Farewell farewell_;
  // False: a copy was begun and did not come to its end, or is still to be made.
  bool has_data_ = true;
  ae::TimerId timer_;
};

}  // namespace millrace
