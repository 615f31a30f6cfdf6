// Runs a batch, in order, and hands each client its replies.
//
// While request i runs, the bucket of request i + kBucketAhead and the entry of request
// i + kEntryAhead are on their way from memory: on a keyspace larger than the cache, waiting for those two
// lines is most of the cost of a command. (Staged prefetching, as in S. Chen et al., "Improving Hash Join
// Performance through Prefetching", 2004.)
//
// Commands run here and nowhere else, so a handler needs no lock. This executor is inline: called by
// the loop that reads. An IO pool puts rings in front of it and changes nothing behind.
#pragma once

#include "server/core/clients.h"
#include "server/core/dispatch.h"
#include "server/core/reply_arena.h"
#include "server/core/request_batch.h"

namespace millrace {

class Executor {
 public:
  // Distances in requests: far enough that the line is there when it is needed (some 100 ns at 20 to
  // 100 ns per request), near enough to stay within the core's dozen outstanding misses.
  static constexpr size_t kBucketAhead = 24;
  static constexpr size_t kEntryAhead = 12;

  Executor(Services& services, Dispatcher& dispatcher);

  RequestBatch& batch() { return batch_; }
  // Runs everything in the batch and empties it. Replies are with their connections afterwards, not yet
  // sent. Not reentrant.
  void run();

  // See ReplyArena.
  ReplyArena& replies() { return replies_; }

 private:
  size_t run_client(size_t first);
  void prefetch_ahead(size_t position) const;
  void park(Session& session, size_t first);
  bool run_one(Session& session, const Request& request, proto::ReplyWriter& writer);

  Services& services_;
  Dispatcher& dispatcher_;
  RequestBatch batch_;
  ReplyArena replies_;
  Session* serving_ = nullptr;
};

}  // namespace millrace
