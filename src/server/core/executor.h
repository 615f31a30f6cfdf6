// Runs a batch, in order, and hands each client its replies.
//
// Commands run here and nowhere else, on one thread, so a handler needs no lock. Where the batch
// comes from makes no difference: from the loop's own connections (net/client_io.h), or over a ring
// from an IO thread (net/io_pool.h).
#pragma once

#include "server/command/clients.h"
#include "server/core/batch_prefetch.h"
#include "server/core/blocked_clients.h"
#include "server/core/dispatch.h"
#include "server/core/reply_arena.h"
#include "server/core/request_batch.h"
#include "server/core/script_stage.h"

namespace millrace {

class Executor final : private ReplyArena::Spill {
 public:
  Executor(Services& services, Dispatcher& dispatcher, BlockedClients& blocked, ScriptStage& stage);

  // Runs all of `batch`, replies in `replies`. What was replied is with the connections afterwards
  // (ClientLink::reply), not yet sent. Not reentrant.
  void run(RequestBatch& batch, ReplyArena& replies);

 private:
  // One run of one batch.
  struct Run {
    RequestBatch& batch;
    ReplyArena& replies;
    BatchPrefetch prefetch{batch};
  };

  size_t run_client(Run& run, size_t first);
  void keep_rest(const RequestBatch& batch, Session& session, size_t first, Wait wait);
  Dispatcher::Outcome run_one(Run& run, Session& session, const Request& request,
                              proto::ReplyWriter& writer);
  Dispatcher::Outcome run_on_stage(Run& run, Session& session, const Request& request);
  void spill(std::string_view bytes) override;

  Services& services_;
  Dispatcher& dispatcher_;
  BlockedClients& blocked_;
  ScriptStage& stage_;
  Session* serving_ = nullptr;
};

}  // namespace millrace
