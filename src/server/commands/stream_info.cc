// XINFO: what there is to know about a stream, its groups and their consumers.
#include <algorithm>

#include "server/command/help.h"
#include "server/commands/families.h"
#include "server/commands/stream_args.h"

namespace millrace {
namespace {

using ds::Consumer;
using ds::ConsumerGroup;
using ds::Direction;
using ds::Stream;
using ds::StreamId;

// The stream under argument 2; null: an error was answered.
const Stream* read_stream(Context& c) {
  const Entry* entry = c.read(2, Type::kStream);
  if (!entry) c.fail(errors::kNoSuchKey);
  return entry ? &entry->stream() : nullptr;
}

// --- named values

class Fields {
 public:
  explicit Fields(proto::ReplyWriter& reply) : reply_(reply) {}

  void number(std::string_view name, int64_t value) {
    reply_.bulk(name);
    reply_.integer(value);
  }
  void count(std::string_view name, uint64_t value) { number(name, int64_t(value)); }
  void id(std::string_view name, StreamId value) {
    reply_.bulk(name);
    reply_id(reply_, value);
  }
  void text(std::string_view name, std::string_view value) {
    reply_.bulk(name);
    reply_.bulk(value);
  }
  template <typename Number>
  void number_if_known(std::string_view name, std::optional<Number> value) {
    reply_.bulk(name);
    value ? reply_.integer(int64_t(*value)) : reply_.null();
  }
  // What follows is the value.
  proto::ReplyWriter& named(std::string_view name) {
    reply_.bulk(name);
    return reply_;
  }

 private:
  proto::ReplyWriter& reply_;
};

// --- XINFO STREAM

// Nothing: the short form. Otherwise how many entries and pending ones are shown, 0: all.
using FullCount = std::optional<uint64_t>;

// False: an error was answered.
bool read_full(Context& c, FullCount& count) {
  constexpr uint64_t kUsual = 10;
  const size_t words = c.arg_count() - 3;
  if (words == 0) return true;
  ArgReader args(c, 3);
  const bool full = args.take("FULL");
  const bool counted = words == 3 && args.take("COUNT", 1);
  if (!full || (words != 1 && !counted)) {
    c.fail(errors::unknown_subcommand_or_arity("xinfo", c.arg(1)));
    return false;
  }
  const int64_t number = counted ? args.integer() : -1;
  count = number < 0 ? kUsual : uint64_t(number);
  return args.finish();
}

void reply_facts(Fields& fields, const Stream& stream) {
  fields.count("length", stream.size());
  // Named after what Redis' index is; here it is blocks, and nodes of a tree of ids.
  fields.count("radix-tree-keys", stream.block_count());
  fields.count("radix-tree-nodes", stream.index_nodes());
  fields.id("last-generated-id", stream.last_id());
  fields.id("max-deleted-entry-id", stream.max_deleted_id());
  fields.count("entries-added", stream.entries_added());
  fields.id("recorded-first-entry-id", stream.first_id());
}

void reply_end_entry(proto::ReplyWriter& reply, const Stream& stream, Direction direction) {
  ds::StreamWalk walk(stream, {}, StreamId::max(), direction);
  walk.next() ? reply_entry(reply, walk.entry()) : reply.null();
}

void reply_short(Context& c, const Stream& stream) {
  c.reply().map(10);
  Fields fields(c.reply());
  reply_facts(fields, stream);
  fields.count("groups", stream.groups().size());
  reply_end_entry(fields.named("first-entry"), stream, Direction::kForward);
  reply_end_entry(fields.named("last-entry"), stream, Direction::kBackward);
}

uint64_t shown_of(uint64_t size, uint64_t count) {
  return count == 0 ? size : std::min(size, count);
}

enum class Owner : uint8_t { kHidden, kShown };

void reply_pending_list(proto::ReplyWriter& reply, const ds::IdMap<ds::Pending>& pending,
                        uint64_t count, Owner owner) {
  uint64_t left = shown_of(pending.size(), count);
  reply.array(left);
  for (auto at = pending.first(); left != 0; ++at, --left) {
    reply.array(owner == Owner::kShown ? 4 : 3);
    reply_id(reply, at.id());
    if (owner == Owner::kShown) reply.bulk(at.value()->owner->name);
    reply.integer(at.value()->delivered_ms);
    reply.integer(int64_t(at.value()->deliveries));
  }
}

void reply_full_consumer(proto::ReplyWriter& reply, const Consumer& consumer, uint64_t count) {
  reply.map(5);
  Fields fields(reply);
  fields.text("name", consumer.name);
  fields.number("seen-time", consumer.seen_ms);
  fields.number("active-time", consumer.active_ms.value_or(-1));
  fields.count("pel-count", consumer.pending.size());
  reply_pending_list(fields.named("pending"), consumer.pending, count, Owner::kHidden);
}

void reply_full_group(proto::ReplyWriter& reply, const Stream& stream, std::string_view name,
                      const ConsumerGroup& group, uint64_t count) {
  reply.map(7);
  Fields fields(reply);
  fields.text("name", name);
  fields.id("last-delivered-id", group.last_id);
  fields.number_if_known("entries-read", group.entries_read);
  fields.number_if_known("lag", stream.lag(group));
  fields.count("pel-count", group.pending().size());
  reply_pending_list(fields.named("pending"), group.pending(), count, Owner::kShown);
  fields.named("consumers").array(group.consumers().size());
  for (const auto& [consumer_name, consumer] : group.consumers())
    reply_full_consumer(reply, consumer, count);
}

void reply_full(Context& c, const Stream& stream, uint64_t count) {
  proto::ReplyWriter& reply = c.reply();
  reply.map(9);
  Fields fields(reply);
  reply_facts(fields, stream);
  ds::StreamWalk walk(stream, {}, StreamId::max(), Direction::kForward);
  reply_entries(fields.named("entries"), walk, count);
  fields.named("groups").array(stream.groups().size());
  for (const auto& [name, group] : stream.groups())
    reply_full_group(reply, stream, name, group, count);
}

// XINFO STREAM key [FULL [COUNT count]]
void info_stream(Context& c) {
  const Stream* stream = read_stream(c);
  if (!stream) return;
  FullCount count;
  if (!read_full(c, count)) return;
  count ? reply_full(c, *stream, *count) : reply_short(c, *stream);
}

// XINFO GROUPS key
void info_groups(Context& c) {
  const Stream* stream = read_stream(c);
  if (!stream) return;
  c.reply().array(stream->groups().size());
  for (const auto& [name, group] : stream->groups()) {
    c.reply().map(6);
    Fields fields(c.reply());
    fields.text("name", name);
    fields.count("consumers", group.consumers().size());
    fields.count("pending", group.pending().size());
    fields.id("last-delivered-id", group.last_id);
    fields.number_if_known("entries-read", group.entries_read);
    fields.number_if_known("lag", stream->lag(group));
  }
}

// XINFO CONSUMERS key group
void info_consumers(Context& c) {
  const Stream* stream = read_stream(c);
  if (!stream) return;
  const ConsumerGroup* group = stream->find_group(c.arg(3));
  if (!group) return c.fail(no_group_for_key(c.arg(3), c.arg(2)));
  const auto since = [&](int64_t ms) { return std::max<int64_t>(c.now_ms() - ms, 0); };
  c.reply().array(group->consumers().size());
  for (const auto& [name, consumer] : group->consumers()) {
    c.reply().map(4);
    Fields fields(c.reply());
    fields.text("name", name);
    fields.count("pending", consumer.pending.size());
    fields.number("idle", since(consumer.seen_ms));
    fields.number("inactive", consumer.active_ms ? since(*consumer.active_ms) : -1);
  }
}

constexpr Group kGroup = Group::kStream;

constexpr CommandSpec kSubcommands[] = {
    {.name = "consumers",
     .handler = info_consumers,
     .arity = 4,
     .flags = kReadOnly,
     .keys = key_at(2),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Lists the consumers of a group.",
     .complexity = "O(N) for N consumers",
     .syntax = "key group"},
    {.name = "groups",
     .handler = info_groups,
     .arity = 3,
     .flags = kReadOnly,
     .keys = key_at(2),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Lists the consumer groups of a stream.",
     .complexity = "O(N) for N groups",
     .syntax = "key"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
    {.name = "stream",
     .handler = info_stream,
     .arity = -3,
     .flags = kReadOnly,
     .keys = key_at(2),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Tells about a stream; all of it with FULL.",
     .complexity = "O(1); with FULL O(N) for what is shown",
     .syntax = "key [FULL [COUNT count]]"},
};
static_assert(sane(kSubcommands));

constexpr CommandSpec kTable[] = {
    {.name = "xinfo",
     .arity = -2,
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Commands that tell about streams.",
     .complexity = "Depends on the subcommand.",
     .subcommands = kSubcommands},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> stream_info_commands() {
  return kTable;
}

}  // namespace millrace
