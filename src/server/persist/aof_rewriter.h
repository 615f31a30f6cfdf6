// Writes the base anew in a child process, and keeps count of how that went: the part of a rewrite
// between the new increment, which is opened before, and the manifest, which is changed after.
//
//   parent: new increment ── fork ── appends to it ──────────── adopts the base
//   child:                     └── writes temp-rewriteaof-bg-PID.aof, ends ──┘
//
// The file name holds the child's number, so that what a killed child leaves is not in the way.
//
// Thread: the main loop's; write_aof_base() runs in the child.
#pragma once

#include <cstdint>
#include <string>

#include "ae/base/callback.h"
#include "ae/core/event_loop.h"
#include "server/command/append_only.h"
#include "server/command/services.h"
#include "server/persist/aof_catalog.h"
#include "server/persist/aof_rewrite_policy.h"
#include "server/persist/child_process.h"

namespace millrace {

class AofRewriter {
 public:
  enum class Outcome : uint8_t { kWritten, kFailed, kCancelled };

  AofRewriter(ae::EventLoop& loop, Services& services, ChildProcess& child)
      : loop_(loop), services_(services), child_(child) {}

  bool running() const { return running_; }
  // No other child may be running. False: the log says why not. `done` comes later, when the file
  // is at temporary(), or when it failed.
  bool start(const AofFiles& files, ae::Callback<void(Outcome)> done);
  // `done` has been called, with kCancelled, when this returns. Nothing if none is running.
  void kill();
  const std::string& temporary() const { return temporary_; }
  AofBase kind() const { return kind_; }

  // The base is in its place; or that failed, or the rewrite did.
  void settled(RewritePolicy::Outcome outcome);
  RewritePolicy& policy() { return policy_; }
  void fill(AppendOnlyStatus& status) const;

 private:
  void ended(const ChildResult& result);

  ae::EventLoop& loop_;
  Services& services_;
  ChildProcess& child_;
  RewritePolicy policy_;
  ae::Callback<void(Outcome)> done_;
  std::string temporary_;
  AofBase kind_ = AofBase::kSnapshot;
  bool running_ = false;
  int pid_ = 0;
  ae::TimePoint began_{};
  int64_t last_took_s_ = -1;
  bool last_ok_ = true;
  uint64_t count_ = 0;
  uint64_t last_cow_bytes_ = 0;
};

}  // namespace millrace
