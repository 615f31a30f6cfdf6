#include "server/pubsub/pub_sub.h"

#include <algorithm>
#include <initializer_list>

#include "ae/base/assert.h"
#include "proto/byte_sink.h"
#include "proto/reply_writer.h"
#include "server/db/glob.h"

namespace millrace {
namespace {

std::vector<Subscription>::iterator place_of(std::vector<Subscription>& list,
                                             const Channel* channel) {
  return std::lower_bound(list.begin(), list.end(), channel,
                          [](const Subscription& s, const Channel* c) {
                            return std::less<const Channel*>()(s.channel, c);
                          });
}

bool holds(const std::vector<Subscription>& list, std::vector<Subscription>::iterator at,
           const Channel* channel) {
  return at != list.end() && at->channel == channel;
}

std::string encode(std::initializer_list<std::string_view> words) {
  proto::StringSink sink;
  proto::ReplyWriter writer(sink, proto::Resp::k3);
  writer.push(words.size());
  for (const std::string_view word : words) writer.bulk(word);
  return sink.take();
}

}  // namespace

PubSub::PubSub(Clients& clients) : clients_(clients) {
  clients_.on_leave([this](Session& session) { leave_all(session); });
}

// --- subscribing

Channel& PubSub::channel(ChannelKind kind, std::string_view name) {
  const auto found = of(kind).find(name);
  if (found != of(kind).end()) return *found->second;
  auto made = std::make_unique<Channel>(Channel{kind, std::string(name), {}});
  Channel& channel = *made;
  of(kind).emplace(channel.name, std::move(made));
  return channel;
}

bool PubSub::subscribe(Session& session, ChannelKind kind, std::string_view name) {
  Channel& joined = channel(kind, name);
  bool is_new = false;
  clients_.change_extras(session, [&](SessionExtras& extras) {
    if (!extras.subscriptions) extras.subscriptions = std::make_unique<Subscriptions>();
    std::vector<Subscription>& list = extras.subscriptions->of[size_t(kind)];
    const auto at = place_of(list, &joined);
    if (holds(list, at, &joined)) return;
    list.insert(at, {&joined, uint32_t(joined.subscribers.size())});
    is_new = true;
  });
  if (!is_new) return false;
  joined.subscribers.push_back(session.self);
  if (!session.has(SessionFlag::kSubscribed)) ++clients_subscribed_;
  session.set(SessionFlag::kSubscribed);
  return true;
}

bool PubSub::unsubscribe(Session& session, ChannelKind kind, std::string_view name) {
  const auto found = of(kind).find(name);
  if (found == of(kind).end() || !session.has(SessionFlag::kSubscribed)) return false;
  Channel& left = *found->second;
  std::vector<Subscription>& list = session.extras->subscriptions->of[size_t(kind)];
  if (!holds(list, place_of(list, &left), &left)) return false;
  leave(session, left);
  return true;
}

void PubSub::leave(Session& session, Channel& channel) {
  clients_.change_extras(session, [&](SessionExtras& extras) {
    std::vector<Subscription>& list = extras.subscriptions->of[size_t(channel.kind)];
    const auto at = place_of(list, &channel);
    const uint32_t place = at->place;
    list.erase(at);
    if (list.empty()) list.shrink_to_fit();
    close_gap(channel, place);
    if (!extras.subscriptions->empty()) return;
    extras.subscriptions.reset();
    session.clear(SessionFlag::kSubscribed);
    --clients_subscribed_;
  });
  if (channel.subscribers.empty()) of(channel.kind).erase(channel.name);
}

// The last one takes the free place, and is told of it.
void PubSub::close_gap(Channel& channel, uint32_t place) {
  const SessionId last = channel.subscribers.back();
  channel.subscribers.pop_back();
  if (place == channel.subscribers.size()) return;
  channel.subscribers[place] = last;
  std::vector<Subscription>& list =
      clients_.find(last)->extras->subscriptions->of[size_t(channel.kind)];
  place_of(list, &channel)->place = place;
}

void PubSub::leave_all(Session& session) {
  while (session.has(SessionFlag::kSubscribed)) {
    for (const std::vector<Subscription>& list : session.extras->subscriptions->of) {
      if (list.empty()) continue;
      leave(session, *list.back().channel);
      break;  // the last of all took the lists with it
    }
  }
}

std::vector<std::string_view> PubSub::names_of(const Session& session, ChannelKind kind) const {
  std::vector<std::string_view> names;
  if (!session.has(SessionFlag::kSubscribed)) return names;
  for (const Subscription& subscription : session.extras->subscriptions->of[size_t(kind)])
    names.push_back(subscription.channel->name);
  return names;
}

// --- publishing

size_t PubSub::deliver(const Channel& channel, std::string message) {
  for (const SessionId id : channel.subscribers) {
    const Session* session = clients_.find(id);
    AE_ASSERT(session);  // who ends leaves first
    message[0] = session->resp == 3 ? '>' : '*';
    clients_.push(*session, message);
  }
  return channel.subscribers.size();
}

size_t PubSub::publish(std::string_view channel, std::string_view message) {
  size_t receivers = 0;
  if (const auto found = of(ChannelKind::kChannel).find(channel);
      found != of(ChannelKind::kChannel).end())
    receivers += deliver(*found->second, encode({"message", channel, message}));
  for (const auto& [pattern, subscribed] : of(ChannelKind::kPattern)) {
    if (glob_matches(pattern, channel))
      receivers += deliver(*subscribed, encode({"pmessage", pattern, channel, message}));
  }
  return receivers;
}

size_t PubSub::publish_to_shard(std::string_view channel, std::string_view message) {
  const auto found = of(ChannelKind::kShard).find(channel);
  if (found == of(ChannelKind::kShard).end()) return 0;
  return deliver(*found->second, encode({"smessage", channel, message}));
}

// --- looking

size_t PubSub::subscriber_count(ChannelKind kind, std::string_view name) const {
  const auto found = of(kind).find(name);
  return found == of(kind).end() ? 0 : found->second->subscribers.size();
}

void PubSub::each_name(ChannelKind kind,
                       const std::function<void(std::string_view)>& visitor) const {
  for (const auto& [name, channel] : of(kind)) visitor(name);
}

}  // namespace millrace
