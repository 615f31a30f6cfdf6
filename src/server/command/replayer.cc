#include "server/command/replayer.h"

#include <utility>

#include "proto/reply_writer.h"
#include "server/command/command_runner.h"

namespace millrace {

Replayer::Replayer(Services& services) : services_(services) {
  session_.set(SessionFlag::kAuthenticated);
  session_.replays = true;
}

std::optional<std::string> Replayer::run(Words words) {
  const Command* command = services_.commands.resolve(words);
  if (!command || !command->spec->handler)
    return "Unknown command '" + std::string(words[0].substr(0, 128)) + "'";
  if (!command->spec->takes(words.size()))
    return "Wrong number of arguments for '" + command->full_name + "'";
  if (command->full_name == "multi") {
    if (in_transaction_) return "MULTI within MULTI";
    in_transaction_ = true;
    return std::nullopt;
  }
  if (command->full_name == "exec") {
    if (!in_transaction_) return "EXEC without MULTI";
    run_transaction();
  } else if (in_transaction_) {
    queued_.emplace_back(*command, words);
  } else {
    apply(*command, words);
  }
  return std::nullopt;
}

void Replayer::abandon_transaction() {
  in_transaction_ = false;
  queued_.clear();
}

void Replayer::run_transaction() {
  in_transaction_ = false;
  const std::vector<KeptRequest> requests = std::exchange(queued_, {});
  const Feed::Frame frame = services_.feed.begin(session_.db, services_.effects.changes());
  services_.feed.nothing();
  for (const KeptRequest& request : requests) apply(request.command(), request.args());
  services_.feed.end(frame, {}, services_.effects.changes());
}

void Replayer::apply(const Command& command, Words words) {
  ignored_.clear();
  proto::ReplyWriter reply(ignored_, proto::Resp::k2);
  services_.runner.run_inner(session_, command, words, reply, Within::kTransaction);
  if (!ignored_.view().starts_with('-')) return;
  ++failed_;
  last_error_ = ignored_.view().substr(1, ignored_.view().find('\r') - 1);
}

}  // namespace millrace
