// Runs a batch, in order, and hands each client its replies.
//
// Commands run here and nowhere else, so a handler needs no lock. This executor is inline: called
// by the loop that reads. An IO pool puts rings in front of it and changes nothing behind.
#pragma once

#include "server/command/clients.h"
#include "server/core/batch_prefetch.h"
#include "server/core/dispatch.h"
#include "server/core/reply_arena.h"
#include "server/core/request_batch.h"

namespace millrace {

class Executor {
 public:
  Executor(Services& services, Dispatcher& dispatcher);

  RequestBatch& batch() { return batch_; }
  // Runs everything in the batch and empties it. Replies are with their connections afterwards, not
  // yet sent. Not reentrant.
  void run();

  // See ReplyArena.
  ReplyArena& replies() { return replies_; }

 private:
  size_t run_client(size_t first);
  void park(Session& session, size_t first);
  bool run_one(Session& session, const Request& request, proto::ReplyWriter& writer);

  Services& services_;
  Dispatcher& dispatcher_;
  RequestBatch batch_;
  BatchPrefetch prefetch_{batch_};
  ReplyArena replies_;
  Session* serving_ = nullptr;
};

}  // namespace millrace
