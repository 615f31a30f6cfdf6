// Publish/subscribe: the commands. Who is subscribed to what is kept in pubsub/pub_sub.h.
#include "server/pubsub/pub_sub.h"

#include <string>

#include "proto/byte_sink.h"
#include "server/command/arg_reader.h"
#include "server/command/clients.h"
#include "server/command/help.h"
#include "server/commands/families.h"
#include "server/db/glob.h"

namespace millrace {
namespace {

// --- confirmations

// How the three kinds differ in words.
struct Words {
  ChannelKind kind;
  std::string_view subscribed;
  std::string_view unsubscribed;
};
constexpr Words kChannels{ChannelKind::kChannel, "subscribe", "unsubscribe"};
constexpr Words kPatterns{ChannelKind::kPattern, "psubscribe", "punsubscribe"};
constexpr Words kShards{ChannelKind::kShard, "ssubscribe", "sunsubscribe"};

size_t counted(const Session& session, ChannelKind kind) {
  if (!session.has(SessionFlag::kSubscribed)) return 0;
  const Subscriptions& all = *session.extras->subscriptions;
  return kind == ChannelKind::kShard ? all.count(kind) : all.global_count();
}

// The confirmations of one command, one message for each name. They stand where a reply would, and
// come even to a client that wants no replies.
class Confirmations {
 public:
  explicit Confirmations(Context& c) : context_(c), writer_(bytes_, c.reply().resp()) {}
  ~Confirmations() {
    const Session& session = context_.session();
    if (session.silent()) {
      context_.services().clients.push(session, bytes_.view());
    } else {
      context_.reply().raw(bytes_.view());
    }
  }
  Confirmations(const Confirmations&) = delete;
  Confirmations& operator=(const Confirmations&) = delete;

  void add(std::string_view what, std::string_view name, size_t count) {
    begin(what);
    writer_.bulk(name);
    writer_.integer(int64_t(count));
  }
  // Nothing was there to be left.
  void add_none(std::string_view what, size_t count) {
    begin(what);
    writer_.null();
    writer_.integer(int64_t(count));
  }

 private:
  void begin(std::string_view what) {
    writer_.push(3);
    writer_.bulk(what);
  }

  Context& context_;
  proto::StringSink bytes_;
  proto::ReplyWriter writer_;
};

void subscribe(Context& c, const Words& words) {
  Confirmations confirmations(c);
  for (const std::string_view name : c.args().subspan(1)) {
    c.services().pub_sub.subscribe(c.session(), words.kind, name);
    confirmations.add(words.subscribed, name, counted(c.session(), words.kind));
  }
}

void unsubscribe(Context& c, const Words& words) {
  Confirmations confirmations(c);
  PubSub& pub_sub = c.services().pub_sub;
  const auto leave = [&](std::string_view name) {
    const std::string kept(name);  // the channel may go with its last subscriber
    pub_sub.unsubscribe(c.session(), words.kind, kept);
    confirmations.add(words.unsubscribed, kept, counted(c.session(), words.kind));
  };
  if (c.arg_count() > 1) {
    for (const std::string_view name : c.args().subspan(1)) leave(name);
    return;
  }
  const std::vector<std::string_view> all = pub_sub.names_of(c.session(), words.kind);
  for (const std::string_view name : all) leave(name);
  if (all.empty()) confirmations.add_none(words.unsubscribed, counted(c.session(), words.kind));
}

// SUBSCRIBE channel [channel ...]
void subscribe(Context& c) {
  subscribe(c, kChannels);
}

// UNSUBSCRIBE [channel [channel ...]]
void unsubscribe(Context& c) {
  unsubscribe(c, kChannels);
}

// PSUBSCRIBE pattern [pattern ...]
void psubscribe(Context& c) {
  subscribe(c, kPatterns);
}

// PUNSUBSCRIBE [pattern [pattern ...]]
void punsubscribe(Context& c) {
  unsubscribe(c, kPatterns);
}

// SSUBSCRIBE shardchannel [shardchannel ...]
void ssubscribe(Context& c) {
  subscribe(c, kShards);
}

// SUNSUBSCRIBE [shardchannel [shardchannel ...]]
void sunsubscribe(Context& c) {
  unsubscribe(c, kShards);
}

// --- publishing

// PUBLISH channel message
void publish(Context& c) {
  c.services().feed.message(c.args());
  c.reply().integer(int64_t(c.services().pub_sub.publish(c.arg(1), c.arg(2))));
}

// SPUBLISH shardchannel message
void spublish(Context& c) {
  c.services().feed.message(c.args());
  c.reply().integer(int64_t(c.services().pub_sub.publish_to_shard(c.arg(1), c.arg(2))));
}

// --- PUBSUB

void reply_names(Context& c, ChannelKind kind) {
  const auto list = c.reply().defer_array();
  size_t count = 0;
  c.services().pub_sub.each_name(kind, [&](std::string_view name) {
    if (c.arg_count() > 2 && !glob_matches(c.arg(2), name)) return;
    c.reply().bulk(name);
    ++count;
  });
  c.reply().finish(list, count);
}

void reply_counts(Context& c, ChannelKind kind) {
  c.reply().array(2 * (c.arg_count() - 2));
  for (const std::string_view name : c.args().subspan(2)) {
    c.reply().bulk(name);
    c.reply().integer(int64_t(c.services().pub_sub.subscriber_count(kind, name)));
  }
}

// PUBSUB CHANNELS [pattern]
void pubsub_channels(Context& c) {
  if (c.arg_count() > 3) return c.fail(errors::unknown_subcommand_or_arity("pubsub", c.arg(1)));
  reply_names(c, ChannelKind::kChannel);
}

// PUBSUB NUMSUB [channel [channel ...]]
void pubsub_numsub(Context& c) {
  reply_counts(c, ChannelKind::kChannel);
}

// PUBSUB NUMPAT
void pubsub_numpat(Context& c) {
  c.reply().integer(int64_t(c.services().pub_sub.pattern_count()));
}

// PUBSUB SHARDCHANNELS [pattern]
void pubsub_shardchannels(Context& c) {
  if (c.arg_count() > 3) return c.fail(errors::unknown_subcommand_or_arity("pubsub", c.arg(1)));
  reply_names(c, ChannelKind::kShard);
}

// PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]
void pubsub_shardnumsub(Context& c) {
  reply_counts(c, ChannelKind::kShard);
}

constexpr Group kGroup = Group::kPubSub;
constexpr CommandFlags kSubscribing = kPubSub | kNoScript | kLoading | kStale;
constexpr CommandFlags kPublishing = kPubSub | kLoading | kStale | kFast | kMayReplicate;
constexpr CommandFlags kAsking = kPubSub | kLoading | kStale;

constexpr CommandSpec kPubSubTable[] = {
    {.name = "channels",
     .handler = pubsub_channels,
     .arity = -2,
     .flags = kAsking,
     .since = "2.8.0",
     .group = kGroup,
     .summary = "Lists channels that have subscribers.",
     .complexity = "O(N) for N channels",
     .syntax = "[pattern]"},
    {.name = "numpat",
     .handler = pubsub_numpat,
     .arity = 2,
     .flags = kAsking,
     .since = "2.8.0",
     .group = kGroup,
     .summary = "Counts the patterns that have subscribers.",
     .complexity = "O(1)"},
    {.name = "numsub",
     .handler = pubsub_numsub,
     .arity = -2,
     .flags = kAsking,
     .since = "2.8.0",
     .group = kGroup,
     .summary = "Counts the subscribers of channels.",
     .complexity = "O(N) for N channels asked about",
     .syntax = "[channel [channel ...]]"},
    {.name = "shardchannels",
     .handler = pubsub_shardchannels,
     .arity = -2,
     .flags = kAsking,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Lists shard channels that have subscribers.",
     .complexity = "O(N) for N shard channels",
     .syntax = "[pattern]"},
    {.name = "shardnumsub",
     .handler = pubsub_shardnumsub,
     .arity = -2,
     .flags = kAsking,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Counts the subscribers of shard channels.",
     .complexity = "O(N) for N shard channels asked about",
     .syntax = "[shardchannel [shardchannel ...]]"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
};
static_assert(sane(kPubSubTable));

constexpr CommandSpec kTable[] = {
    {.name = "subscribe",
     .handler = subscribe,
     .arity = -2,
     .flags = kSubscribing,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Asks for the messages of channels.",
     .complexity = "O(N) for N channels",
     .syntax = "channel [channel ...]"},
    {.name = "unsubscribe",
     .handler = unsubscribe,
     .arity = -1,
     .flags = kSubscribing,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Leaves channels, all of them when none is named.",
     .complexity = "O(N) for N channels",
     .syntax = "[channel [channel ...]]"},
    {.name = "psubscribe",
     .handler = psubscribe,
     .arity = -2,
     .flags = kSubscribing,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Asks for the messages of all channels that match patterns.",
     .complexity = "O(N) for N patterns",
     .syntax = "pattern [pattern ...]"},
    {.name = "punsubscribe",
     .handler = punsubscribe,
     .arity = -1,
     .flags = kSubscribing,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Leaves patterns, all of them when none is named.",
     .complexity = "O(N) for N patterns",
     .syntax = "[pattern [pattern ...]]"},
    {.name = "publish",
     .handler = publish,
     .arity = 3,
     .flags = kPublishing,
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Sends a message to a channel.",
     .complexity = "O(N+M) for N subscribers and M patterns",
     .syntax = "channel message"},
    {.name = "ssubscribe",
     .handler = ssubscribe,
     .arity = -2,
     .flags = kSubscribing,
     .keys = keys_between(1, -1),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Asks for the messages of shard channels.",
     .complexity = "O(N) for N shard channels",
     .syntax = "shardchannel [shardchannel ...]"},
    {.name = "sunsubscribe",
     .handler = sunsubscribe,
     .arity = -1,
     .flags = kSubscribing,
     .keys = keys_between(1, -1),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Leaves shard channels, all of them when none is named.",
     .complexity = "O(N) for N shard channels",
     .syntax = "[shardchannel [shardchannel ...]]"},
    {.name = "spublish",
     .handler = spublish,
     .arity = 3,
     .flags = kPublishing,
     .keys = key_at(1),
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Sends a message to a shard channel.",
     .complexity = "O(N) for N subscribers",
     .syntax = "shardchannel message"},
    {.name = "pubsub",
     .arity = -2,
     .since = "2.8.0",
     .group = kGroup,
     .summary = "Tells of channels and subscribers.",
     .complexity = "Depends on the subcommand",
     .subcommands = kPubSubTable},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> pub_sub_commands() {
  return kTable;
}

}  // namespace millrace
