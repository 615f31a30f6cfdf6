// Where requests run that may run a script: on a stack of their own (fiber.h), so that one which
// does not end can be laid aside in the middle, with all that is on the stack, and taken up again.
//
//   run()          the script runs ..................... and ends: as any request
//                  ............ busy-reply-threshold: step_aside(), and run() says kBlocked
//   before sleep   goes on for a slice, steps aside      -> a tick: others are read and refused
//                  goes on ... ends                      -> its reply, and it is read again
//
// Why so. The alternative is a tick within the script: the loop, the connections, the batch and the
// executor would all have to bear being entered while they are in use. Here every one of them runs
// as ever and sees a client that waits. A coroutine of Lua will not do: one cannot leave it through
// pcall, sort or a metamethod, and EXEC may run more after the script.
//
// What keeps it atomic: while a script is laid aside the gates refuse everything that could look at
// the data or change it (ServerState::busy_script), no key expires and no waiting client is served.
// The clock it sees stands still. Its session stays in the table even if its connection ends
// (Clients::pin), for the script's stack refers to it.
//
// Cost of a request that ends in time: a copy of its words and two crossings.
//
// Thread: the one that runs commands.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ae/core/event_loop.h"
#include "proto/byte_sink.h"
#include "server/command/fiber.h"
#include "server/command/kept_request.h"
#include "server/command/services.h"
#include "server/core/dispatch.h"
#include "server/core/request_batch.h"

namespace millrace {

class BlockedClients;

class ScriptStage {
 public:
  ScriptStage(ae::EventLoop& loop, Services& services, Dispatcher& dispatcher,
              BlockedClients& blocked);
  // Nothing may be laid aside: see end().
  ~ScriptStage() = default;

  // Whether a request belongs here. Not while another is laid aside: it will be refused.
  bool is_for(const Session& session, const Command& command) const;
  // As Dispatcher::run; the reply is in reply() until drop_reply(), which comes before the next
  // run. kBlocked: it was laid aside, and will be sent its reply.
  Dispatcher::Outcome run(Session& session, const Request& request,
                          std::span<const std::string_view> args);
  std::string_view reply() const { return reply_->view(); }
  void drop_reply();

  // From within a script: others are served, then it returns. Nothing happens if the script does
  // not run here.
  void step_aside();
  // Runs what is laid aside to its end, which somebody has to bring about (Scripting::kill_now).
  void end();

 private:
  // The request on the stage.
  struct Act {
    SessionId session;
    Request request;
    KeptRequest kept;
    Dispatcher::Outcome outcome = Dispatcher::Outcome::kDone;
    Tick tick = {};           // what the clock says as long as it runs
    std::string pushes = {};  // to its own client, to come behind the reply
  };

  void play();
  void go_on();
  void deliver();

  ae::EventLoop& loop_;
  Services& services_;
  Dispatcher& dispatcher_;
  BlockedClients& blocked_;
  Fiber fiber_;
  bool playing_ = false;  // it runs at this moment
  std::optional<Act> act_;
  std::unique_ptr<proto::StringSink> reply_ = std::make_unique<proto::StringSink>();
};

}  // namespace millrace
