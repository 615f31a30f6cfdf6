// Publish/subscribe: channels, patterns and shard channels, who is subscribed to what, and messages
// on their way. Each direction is kept once: a channel lists its subscribers, a subscriber's
// Subscriptions (command/session_extras.h) list its channels and its place in each, so that leaving
// a channel of a million costs no search.
//
//   channel "news"   | s7 | s3 | s9 |      s3: { news, place 1 }, { sport, place 0 }
//
// A message is encoded once, whoever gets it: RESP2 and RESP3 differ in its first byte.
//
// Costs: PUBLISH O(subscribers + patterns); subscribing O(log(own subscriptions)) and a shift of
// those behind it.
//
// Thread: the one that runs commands.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/command/clients.h"

namespace millrace {

struct Channel {
  ChannelKind kind;
  std::string name;
  std::vector<SessionId> subscribers;
};

class PubSub {
 public:
  explicit PubSub(Clients& clients);

  // False: it was (was not) subscribed already.
  bool subscribe(Session& session, ChannelKind kind, std::string_view name);
  bool unsubscribe(Session& session, ChannelKind kind, std::string_view name);
  // The names a session is subscribed to. Views are good until it leaves the channel.
  std::vector<std::string_view> names_of(const Session& session, ChannelKind kind) const;
  void leave_all(Session& session);

  // To the subscribers of the channel, and of patterns that match it; returns how many times it was
  // sent.
  size_t publish(std::string_view channel, std::string_view message);
  size_t publish_to_shard(std::string_view channel, std::string_view message);

  bool empty() const { return channel_count(ChannelKind::kChannel) + pattern_count() == 0; }
  size_t channel_count(ChannelKind kind) const { return of(kind).size(); }
  size_t pattern_count() const { return channel_count(ChannelKind::kPattern); }
  size_t subscriber_count(ChannelKind kind, std::string_view name) const;
  void each_name(ChannelKind kind, const std::function<void(std::string_view)>& visitor) const;
  size_t client_count() const { return clients_subscribed_; }

 private:
  using Index = std::unordered_map<std::string_view, std::unique_ptr<Channel>>;

  Index& of(ChannelKind kind) { return index_[size_t(kind)]; }
  const Index& of(ChannelKind kind) const { return index_[size_t(kind)]; }
  Channel& channel(ChannelKind kind, std::string_view name);
  void leave(Session& session, Channel& channel);
  void close_gap(Channel& channel, uint32_t place);
  size_t deliver(const Channel& channel, std::string message);

  Clients& clients_;
  std::array<Index, kChannelKinds> index_;
  size_t clients_subscribed_ = 0;
};

}  // namespace millrace
