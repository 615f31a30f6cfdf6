// One request: resolved -> admitted -> run -> settled. The hub of the server; it should never know
// more than these four words. (Between MULTI and EXEC a request is admitted and then queued.)
//
// Time. A command's duration is taken one by one only where it can vary: commands flagged kFast or
// kUntimed are sampled (observe/command_stats.h), because two clock reads would cost as much as the
// GET between them. With `slowlog-log-slower-than` or `latency-monitor-threshold` below
// kExactBelowUs every command is timed.
#pragma once

#include <span>
#include <string_view>

#include "proto/reply_writer.h"
#include "server/command/command_runner.h"
#include "server/command/services.h"
#include "server/core/gates.h"
#include "server/core/request_batch.h"

namespace millrace {

class Context;

class Dispatcher final : public CommandRunner {
 public:
  enum class Outcome : uint8_t { kDone, kWait, kBlocked };
  // An untimed command takes well under this, so a threshold above it cannot miss one.
  static constexpr int64_t kExactBelowUs = 1000;

  Dispatcher(Services& services, Gates& gates);

  // Runs one request of `session` and writes its reply. kWait: it met a pause and did not run.
  // kBlocked: it ran and waits for a key; its reply comes later.
  Outcome run(Session& session, const Request& request, std::span<const std::string_view> args,
              proto::ReplyWriter& reply);
  // Runs a request that waited for a key once more. False: it still waits, and replied nothing.
  bool run_again(Session& session, const Command& command, std::span<const std::string_view> args,
                 proto::ReplyWriter& reply);
  bool run_inner(Session& session, const Command& command, std::span<const std::string_view> args,
                 proto::ReplyWriter& reply, Within within) override;
  bool make_room() override { return gates_.make_room(); }
  // To be called when the configuration changes.
  void refresh();

 private:
  Outcome refuse_unresolved(Session& session, const Command* command,
                            std::span<const std::string_view> args, proto::ReplyWriter& reply);
  void refuse(Session& session, const Command& command, std::string_view error,
              proto::ReplyWriter& reply);
  void abort_transaction(Session& session);
  void queue(Session& session, const Command& command, std::span<const std::string_view> args,
             proto::ReplyWriter& reply);
  void execute(Context& context);
  bool must_time(const Command& command);
  void run_fed(Context& context, const Command& command);
  void run_timed(Context& context, const Command& command);

  Services& services_;
  Gates& gates_;
  bool time_all_ = false;
};

}  // namespace millrace
