// Snapshots for replicas that have nothing to go on with. A child writes it, and all who waited
// when it began get it.
//
//   child --socket--> SnapshotSender --push--> replicas             $EOF:<mark> ... <mark>
//                          |
//                          +--file--> and from it, when it is whole  $<length> ...
//
// Without a disk the bytes go to the replicas as they come (repl-diskless-sync yes): the slowest
// sets the pace, since nothing is read from the child while somebody has more than kAhead unread.
// With one (or for a replica that does not know the mark) they go into a file first. Changes made
// meanwhile are held back by the leader, and follow.
//
// Replicas that come while a snapshot is made wait for the next one.
//
// Thread: the main loop's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ae/core/event_loop.h"
#include "server/persist/storage.h"
#include "server/repl/leader.h"
#include "server/repl/received_file.h"
#include "server/repl/snapshot_child.h"

namespace millrace {

class SnapshotSender final : private ae::FileHandler {
 public:
  // Read from the child at a time.
  static constexpr size_t kPieceBytes = 64 * 1024;
  // Output of a replica above which nothing more is read.
  static constexpr size_t kAhead = 1 << 20;
  // How often a replica that is behind is looked at, and a child that has said all.
  static constexpr ae::Nanoseconds kLook = ae::Milliseconds(1);

  SnapshotSender(ae::EventLoop& loop, Services& services, Storage& storage, ChildProcess& processes,
                 ReplicationLog& log, Leader& leader);
  ~SnapshotSender();
  SnapshotSender(const SnapshotSender&) = delete;
  SnapshotSender& operator=(const SnapshotSender&) = delete;

  bool under_way() const { return child_ != nullptr; }
  // Once a second, and when a replica begins to wait.
  void tick();

 private:
  bool is_due() const;
  void begin();
  SnapshotContents contents_wanted_first();
  template <typename Visit>
  void each_to_serve(Visit&& visit);  // those who wait for these contents
  void join(Replica& replica, Session& session);
  void on_file_event(ae::FileId file, uint32_t token, ae::Events ready) override;
  void take(std::string_view bytes);
  void look();
  bool is_somebody_behind();
  void all_said();
  void succeeded();
  void failed(std::string_view why);
  void end();

  // --- from the file
  void begin_sending();
  void send_more();

  ae::EventLoop& loop_;
  Services& services_;
  Storage& storage_;
  ChildProcess& processes_;
  ReplicationLog& log_;
  Leader& leader_;
  std::unique_ptr<SnapshotChild> child_;
  std::unique_ptr<ReceivedFile> spool_;  // null: straight to the replicas
  std::unique_ptr<File> source_;         // the spooled file, being sent
  std::string mark_;
  SnapshotContents contents_ = SnapshotContents::kAll;  // of the one under way
  ae::FileId watched_;
  bool said_all_ = false;  // the child's stream has ended
  ae::TimerId timer_;
};

}  // namespace millrace
