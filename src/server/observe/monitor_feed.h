// MONITOR: every command that runs, as a line to each client that asked to watch.
//
//   +1339518083.107412 [0 127.0.0.1:60866] "keys" "*"
//
// A watcher that does not read is closed by its output limit. Thread: the loop that runs commands.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "server/command/clients.h"

namespace millrace {

// Where a command comes from: "[0 127.0.0.1:60866]", "[0 lua]".
enum class FedFrom : uint8_t { kClient, kScript };

class MonitorFeed {
 public:
  explicit MonitorFeed(Clients& clients) : clients_(clients) {
    clients_.on_leave([this](Session& session) { remove(session.self); });
  }

  bool watched() const { return !watchers_.empty(); }
  void feed(const Session& session, const Command& command, std::span<const std::string_view> args,
            int64_t unix_us, FedFrom from = FedFrom::kClient);
  // A command that runs a script, before the commands of the script: feed() leaves it out.
  void feed_script(const Session& session, const Command& command,
                   std::span<const std::string_view> args, int64_t unix_us);
  void add(Session& session);
  void remove(SessionId id);

 private:
  void tell(std::string_view line);

  Clients& clients_;
  std::vector<SessionId> watchers_;
};

}  // namespace millrace
