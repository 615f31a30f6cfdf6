// The rare part of a session: what most clients never have. Changed by Clients::change_extras only,
// which counts its memory and gives it back when it is empty.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ae/net/connection.h"
#include "server/command/key_index.h"
#include "server/command/session.h"
#include "server/command/transaction.h"
#include "server/command/user_id.h"

namespace millrace {

// The keys of WATCH; watched_keys.h keeps the other direction.
struct WatchedKey : KeptKey {
  using KeptKey::KeptKey;
  // Its time had come when WATCH was said: that it goes is no change.
  bool was_gone = false;
};

struct Watches {
  std::vector<WatchedKey> keys;
  bool broken = false;  // one of them has changed

  size_t memory_bytes() const;
};

// What a client is subscribed to; pubsub/channels.h keeps the other direction.
struct Channel;
enum class ChannelKind : uint8_t { kChannel, kPattern, kShard };
inline constexpr size_t kChannelKinds = 3;

struct Subscription {
  Channel* channel;
  uint32_t place;  // among the channel's subscribers
};

struct Subscriptions {
  std::array<std::vector<Subscription>, kChannelKinds> of;  // each ordered by address

  size_t count(ChannelKind kind) const { return of[size_t(kind)].size(); }
  // What the confirmations of (P)SUBSCRIBE count.
  size_t global_count() const {
    return count(ChannelKind::kChannel) + count(ChannelKind::kPattern);
  }
  bool empty() const { return global_count() == 0 && count(ChannelKind::kShard) == 0; }
  size_t memory_bytes() const;
};

// CLIENT TRACKING; pubsub/tracking.h keeps who has read what.
struct TrackingTerms {
  bool broadcast = false;
  bool opt_in = false;
  bool opt_out = false;
  bool no_loop = false;
  bool caching = false;  // CLIENT CACHING was said for the next command
  bool broken_redirect = false;
  uint64_t redirect = 0;  // by CLIENT ID; 0: to itself
  SessionId redirect_session;
  std::vector<std::string> prefixes;

  size_t memory_bytes() const;
};

struct SessionExtras {
  std::string name;
  std::string library_name;
  std::string library_version;
  ae::ConnectionId heartbeat;  // its place in core/client_heartbeats.h
  UserId user;                 // with Session::named_user
  std::unique_ptr<Transaction> transaction;
  std::unique_ptr<Watches> watches;
  std::unique_ptr<Subscriptions> subscriptions;
  std::unique_ptr<TrackingTerms> tracking;

  bool empty() const {
    return name.empty() && library_name.empty() && library_version.empty() && !heartbeat.valid() &&
           !user.valid() && !transaction && !watches && !subscriptions && !tracking;
  }
  // With all that hangs on it.
  size_t memory_bytes() const;
};

}  // namespace millrace
