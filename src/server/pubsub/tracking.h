// Client-side caching (CLIENT TRACKING): clients keep what they have read, and are told when it is
// no longer true.
//
//   default mode    the server remembers who has read which key; the first change of the key sends
//                   one message to each of them, and is forgotten
//   broadcast mode  a client names prefixes, and is told of every changed key that begins with one,
//                   once a tick; nothing is remembered
//
// A message is the push "invalidate" with the names of the keys, or with null after a flush. Where
// a client redirects, it goes to another client, who may speak RESP2 and then gets it as a message
// of the channel __redis__:invalidate. Names are without a database, as in Redis.
//
// Bound: tracking-table-max-keys; beyond it keys are forgotten with a message, as if they had
// changed. Costs nothing while nobody tracks.
//
// Thread: the one that runs commands.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/command/clients.h"
#include "server/command/effects.h"

namespace millrace {

class Tracking final : private ChangeObserver {
 public:
  Tracking(Clients& clients, Effects& effects);

  // Replaces what was in force; the terms are valid and belong together (client_tracking.cc).
  void start(Session& session, TrackingTerms terms);
  void stop(Session& session);

  // After a command of a session that tracks: its keys, if it read any, and the end of what CLIENT
  // CACHING said.
  void command_ran(Session& session, const Command& command,
                   std::span<const std::string_view> args);
  // The same for one of several within a transaction or a script.
  void inner_command_ran(Session& session, const Command& command,
                         std::span<const std::string_view> args);
  // Before the loop sleeps.
  void send_broadcasts();
  void set_max_keys(size_t most);

  size_t client_count() const { return clients_tracking_; }
  size_t key_count() const { return readers_.size(); }
  size_t item_count() const { return items_; }
  size_t prefix_count() const { return prefixes_.size(); }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Readers =
      std::unordered_map<std::string, std::vector<SessionId>, TextHash, std::equal_to<>>;
  struct Prefix {
    std::vector<SessionId> clients;
    // Changed in this tick, and by whom, for those who do not want to hear of their own changes.
    std::map<std::string, SessionId> changed;
  };

  void remember(Session& session, std::string_view key);
  void forget(Readers::iterator found, SessionId changed_by);
  void tell(Session& session, std::string_view keys);
  void tell_reader(Session& session, std::string_view key);
  Session* target_of(Session& session);
  void leave_prefixes(SessionId id, const TrackingTerms& terms);

  void on_change(const KeyChange& change) override;
  void on_emptied(int db) override;
  void on_swapped(uint8_t, uint8_t) override {}

  Clients& clients_;
  Effects& effects_;
  Readers readers_;
  std::map<std::string, Prefix, std::less<>> prefixes_;
  size_t items_ = 0;
  size_t clients_tracking_ = 0;
  size_t max_keys_ = 1'000'000;
  bool any_broadcast_ = false;  // something changed under a prefix
};

}  // namespace millrace
