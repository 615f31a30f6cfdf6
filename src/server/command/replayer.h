// Runs commands of a stream that others have made of changes (command/feed.h): an append-only file,
// a master. They are trusted: no gates, no rights, no replies.
//
//   Replayer replayer(services);
//   if (auto problem = replayer.run(words)) ...   // a sentence: what does not belong there
//
// What stands between MULTI and EXEC runs when EXEC comes, so that a stream that ends in between
// leaves no half of it. A command that fails is counted, not fatal: it failed where it came from,
// too.
//
// Thread: the main loop's.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/byte_sink.h"
#include "server/command/kept_request.h"
#include "server/command/services.h"
#include "server/command/session.h"

namespace millrace {

class Replayer {
 public:
  using Words = std::span<const std::string_view>;

  explicit Replayer(Services& services);

  std::optional<std::string> run(Words words);
  bool in_transaction() const { return in_transaction_; }
  // The stream ended within a transaction: what was queued is forgotten. The database stays.
  void abandon_transaction();

  uint8_t db() const { return session_.db; }
  void select(uint8_t db) { session_.db = db; }
  uint64_t failed_commands() const { return failed_; }
  const std::string& last_error() const { return last_error_; }

 private:
  void run_transaction();
  void apply(const Command& command, Words words);

  Services& services_;
  Session session_;
  bool in_transaction_ = false;
  std::vector<KeptRequest> queued_;
  proto::StringSink ignored_;
  uint64_t failed_ = 0;
  std::string last_error_;
};

}  // namespace millrace
