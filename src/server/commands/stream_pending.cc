// What consumers of a group have been given and not yet acknowledged: XACK ends it, XPENDING shows
// it, XCLAIM and XAUTOCLAIM give it to another consumer.
#include <algorithm>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/stream_args.h"
#include "server/commands/stream_feed.h"

namespace millrace {
namespace {

using ds::Consumer;
using ds::ConsumerGroup;
using ds::Pending;
using ds::Stream;
using ds::StreamId;

struct GroupOf {
  Stream* stream = nullptr;
  ConsumerGroup* group = nullptr;  // null: no such key, or no such group
};

// The group under arguments 1 and 2, as far as there is one; or an error was answered.
GroupOf find_group(Context& c) {
  Entry* entry = c.read(1, Type::kStream);
  if (!entry) return {};
  return {&entry->stream(), entry->stream().find_group(c.arg(2))};
}

// The same, and without a group an error is answered.
GroupOf require_group(Context& c) {
  const GroupOf found = find_group(c);
  if (!found.group) c.fail(no_such_group(c.arg(1), c.arg(2)));
  return found;
}

int64_t idle_ms(const Context& c, const Pending& pending) {
  return c.now_ms() - pending.delivered_ms;
}

// XACK key group id [id ...]
void xack(Context& c) {
  const GroupOf found = find_group(c);
  if (c.failed()) return;
  if (!found.group) return c.reply().integer(0);
  // All or none, as the ids may be wrong.
  for (size_t i = 3; i < c.arg_count(); ++i)
    if (!read_id(c, c.arg(i))) return;
  int64_t acknowledged = 0;
  for (size_t i = 3; i < c.arg_count(); ++i)
    acknowledged += found.group->acknowledge(*read_id(c, c.arg(i)));
  count_changes(c, uint64_t(acknowledged));
  c.reply().integer(acknowledged);
}

// --- XPENDING

struct PendingQuery {
  int64_t min_idle_ms = 0;
  IdRange range;
  uint64_t count = 0;
  std::optional<std::string_view> consumer;
};

// [IDLE min-idle-time] start end count [consumer]. Nothing: an error was answered.
std::optional<PendingQuery> read_pending_query(Context& c) {
  PendingQuery query;
  ArgReader args(c, 3);
  if (args.take("IDLE")) {
    query.min_idle_ms = args.integer();
    if (args.left() < 3) args.syntax_error();
  }
  const std::string_view start = args.word();
  const std::string_view end = args.word();
  query.count = uint64_t(std::max<int64_t>(args.integer(), 0));
  if (!args.ok()) return std::nullopt;
  const auto range = read_id_range(c, start, end);
  if (!range) return std::nullopt;
  query.range = *range;
  if (args.more()) query.consumer = args.word();
  return query;
}

void reply_summary(Context& c, const ConsumerGroup& group) {
  proto::ReplyWriter& reply = c.reply();
  reply.array(4);
  reply.integer(int64_t(group.pending().size()));
  if (group.pending().empty()) {
    reply.null();
    reply.null();
    return reply.null_array();
  }
  reply_id(reply, group.pending().first().id());
  reply_id(reply, group.pending().last().id());
  const auto array = reply.defer_array();
  size_t count = 0;
  for (const auto& [name, consumer] : group.consumers()) {
    if (consumer.pending.empty()) continue;
    reply.array(2);
    reply.bulk(name);
    reply.bulk_integer(int64_t(consumer.pending.size()));
    ++count;
  }
  reply.finish(array, count);
}

void reply_pending(Context& c, const ConsumerGroup& group, const PendingQuery& query) {
  const Consumer* consumer = query.consumer ? group.find_consumer(*query.consumer) : nullptr;
  if (query.consumer && !consumer) return c.reply().empty_array();
  const auto& pending = consumer ? consumer->pending : group.pending();
  const auto array = c.reply().defer_array();
  uint64_t written = 0;
  auto at = pending.lower_bound(query.range.from);
  for (; at && written < query.count && at.id() <= query.range.to; ++at) {
    const int64_t idle = idle_ms(c, *at.value());
    if (query.min_idle_ms != 0 && idle < query.min_idle_ms) continue;
    c.reply().array(4);
    reply_id(c.reply(), at.id());
    c.reply().bulk(at.value()->owner->name);
    c.reply().integer(std::max<int64_t>(idle, 0));
    c.reply().integer(int64_t(at.value()->deliveries));
    ++written;
  }
  c.reply().finish(array, written);
}

// XPENDING key group [[IDLE min-idle-time] start end count [consumer]]
void xpending(Context& c) {
  // Redis takes one argument more than it knows of.
  constexpr size_t kMostArguments = 9;
  const bool summary = c.arg_count() == 3;
  if (!summary && (c.arg_count() < 6 || c.arg_count() > kMostArguments))
    return c.fail(errors::kSyntax);
  std::optional<PendingQuery> query;
  if (!summary) query = read_pending_query(c);
  if (c.failed()) return;
  const GroupOf found = require_group(c);
  if (c.failed()) return;
  summary ? reply_summary(c, *found.group) : reply_pending(c, *found.group, *query);
}

// --- XCLAIM

struct ClaimArgs {
  int64_t min_idle_ms = 0;
  size_t ids_end = 0;  // they begin at argument 5
  int64_t delivered_ms = 0;
  std::optional<uint64_t> deliveries = {};  // RETRYCOUNT
  StreamId last_id = {};                    // LASTID
  bool force = false;
  bool only_ids = false;  // JUSTID
};

int64_t number_or(ArgReader& args, std::string_view option) {
  return args.integer("ERR Invalid " + std::string(option) + " option argument for XCLAIM");
}

void read_claim_option(Context& c, ArgReader& args, ClaimArgs& claim) {
  if (args.take("FORCE")) {
    claim.force = true;
  } else if (args.take("JUSTID")) {
    claim.only_ids = true;
  } else if (args.take("IDLE", 1)) {
    if (__builtin_sub_overflow(c.now_ms(), number_or(args, "IDLE"), &claim.delivered_ms))
      claim.delivered_ms = c.now_ms();
  } else if (args.take("TIME", 1)) {
    claim.delivered_ms = number_or(args, "TIME");
  } else if (args.take("RETRYCOUNT", 1)) {
    const int64_t count = number_or(args, "RETRYCOUNT");
    claim.deliveries = count < 0 ? std::nullopt : std::optional(uint64_t(count));
  } else if (args.take("LASTID", 1)) {
    const auto id = read_id(c, args.peek());
    id ? void(claim.last_id = *id) : args.error(kInvalidStreamId);
    args.skip();
  } else {
    args.error("ERR Unrecognized XCLAIM option '" + std::string(args.peek()) + "'");
  }
}

// False: an error was answered.
bool read_claim(Context& c, ClaimArgs& claim) {
  const auto min_idle = ae::parse_int64(c.arg(4));
  if (!min_idle) {
    c.fail("ERR Invalid min-idle-time argument for XCLAIM");
    return false;
  }
  claim.min_idle_ms = std::max<int64_t>(*min_idle, 0);
  claim.ids_end = 5;
  while (claim.ids_end < c.arg_count()) {
    const auto id = ds::parse_stream_id(c.arg(claim.ids_end));
    if (!id || id->any_sequence) break;
    ++claim.ids_end;
  }
  claim.delivered_ms = c.now_ms();
  ArgReader args(c, claim.ids_end);
  while (args.more()) read_claim_option(c, args, claim);
  // A client that computes times by its own clock may be ahead; that is no reason to refuse.
  if (claim.delivered_ms < 0 || claim.delivered_ms > c.now_ms()) claim.delivered_ms = c.now_ms();
  return args.ok();
}

enum class Claim : uint8_t { kNothing, kGone, kClaimed };

// What a claim has changed, in the stream of changes.
void feed_outcome(Context& c, const GroupOf& found, const Consumer& consumer, StreamId id) {
  feed_claim(c, consumer.name, *found.group, c.arg(2), c.arg(1), id, found.group->find_pending(id));
}

// Gives one entry to the consumer. What is pending but was deleted is forgotten.
Claim claim_one(Context& c, const GroupOf& found, Consumer& consumer, const ClaimArgs& claim,
                StreamId id) {
  Pending* pending = found.group->find_pending(id);
  if (!found.stream->contains(id)) {
    return found.group->acknowledge(id) ? Claim::kGone : Claim::kNothing;
  }
  if (!pending && !claim.force) return Claim::kNothing;
  if (pending && claim.min_idle_ms != 0 && idle_ms(c, *pending) < claim.min_idle_ms)
    return Claim::kNothing;
  // By force it counts as delivered once before.
  const uint64_t before = pending ? pending->deliveries : 1;
  pending = &found.group->assign(id, consumer);
  pending->delivered_ms = claim.delivered_ms;
  pending->deliveries = claim.deliveries.value_or(before + (claim.only_ids ? 0 : 1));
  consumer.active_ms = c.now_ms();
  return Claim::kClaimed;
}

void reply_claimed(Context& c, const Stream& stream, StreamId id, bool only_id) {
  if (only_id) return reply_id(c.reply(), id);
  reply_entry_of(c.reply(), stream, id);
}

// XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds]
// [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID last-id]
void xclaim(Context& c) {
  const GroupOf found = require_group(c);
  if (c.failed()) return;
  ClaimArgs claim;
  if (!read_claim(c, claim)) return;
  c.feed_nothing();
  const bool moves_on = claim.last_id > found.group->last_id;
  if (moves_on) found.group->last_id = claim.last_id;
  Consumer& consumer = see_consumer(c, c.key(1), {*found.group, c.arg(2)}, c.arg(3));
  const auto array = c.reply().defer_array();
  uint64_t claimed = 0;
  uint64_t changes = 0;
  for (size_t i = 5; i < claim.ids_end; ++i) {
    const StreamId id = ds::parse_stream_id(c.arg(i))->with_sequence(0);
    const Claim result = claim_one(c, found, consumer, claim, id);
    if (result != Claim::kNothing) {
      ++changes;
      feed_outcome(c, found, consumer, id);
    }
    if (result != Claim::kClaimed) continue;
    reply_claimed(c, *found.stream, id, claim.only_ids);
    ++claimed;
  }
  c.reply().finish(array, claimed);
  if (moves_on) feed_position(c, c.arg(1), c.arg(2), *found.group);
  count_changes(c, changes == 0 && moves_on ? 1 : changes);
}

// --- XAUTOCLAIM

struct AutoClaimArgs {
  int64_t min_idle_ms = 0;
  StreamId from;
  uint64_t count = 100;
  bool only_ids = false;
};

// For each entry that may be claimed so many pending ones are looked at.
constexpr uint64_t kAttempts = 10;

// False: an error was answered.
bool read_auto_claim(Context& c, AutoClaimArgs& claim) {
  const auto min_idle = ae::parse_int64(c.arg(4));
  if (!min_idle) {
    c.fail("ERR Invalid min-idle-time argument for XAUTOCLAIM");
    return false;
  }
  claim.min_idle_ms = std::max<int64_t>(*min_idle, 0);
  const auto from = read_range_start(c, c.arg(5));
  if (!from) return false;
  claim.from = *from;
  constexpr std::string_view kNoCount = "ERR COUNT must be > 0";
  constexpr int64_t kMostCount = INT64_MAX / 16;
  ArgReader args(c, 6);
  while (args.more()) {
    if (args.take("COUNT", 1)) {
      const int64_t count = args.integer(kNoCount);
      if (count < 1 || count > kMostCount) args.error(kNoCount);
      claim.count = uint64_t(count);
    } else if (args.take("JUSTID")) {
      claim.only_ids = true;
    } else {
      args.syntax_error();
    }
  }
  return args.finish();
}

struct AutoClaimed {
  StreamId next;  // where the next call goes on; 0-0: all has been looked at
  std::vector<StreamId> claimed;
  std::vector<StreamId> deleted;
};

AutoClaimed auto_claim(Context& c, const GroupOf& found, Consumer& consumer,
                       const AutoClaimArgs& args) {
  AutoClaimed result;
  const ClaimArgs claim{
      .min_idle_ms = args.min_idle_ms, .delivered_ms = c.now_ms(), .only_ids = args.only_ids};
  uint64_t attempts = kAttempts * args.count;
  auto at = found.group->pending().lower_bound(args.from);
  while (at && attempts-- != 0 && result.claimed.size() + result.deleted.size() < args.count) {
    const StreamId id = at.id();
    const Claim outcome = claim_one(c, found, consumer, claim, id);
    if (outcome != Claim::kNothing) feed_outcome(c, found, consumer, id);
    if (outcome == Claim::kClaimed) result.claimed.push_back(id);
    if (outcome == Claim::kGone) {
      result.deleted.push_back(id);
      at = found.group->pending().lower_bound(id);
    } else {
      ++at;
    }
  }
  if (at) result.next = at.id();
  return result;
}

// XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]
void xautoclaim(Context& c) {
  AutoClaimArgs args;
  if (!read_auto_claim(c, args)) return;
  const GroupOf found = require_group(c);
  if (c.failed()) return;
  c.feed_nothing();
  Consumer& consumer = see_consumer(c, c.key(1), {*found.group, c.arg(2)}, c.arg(3));
  const AutoClaimed result = auto_claim(c, found, consumer, args);
  count_changes(c, result.claimed.size() + result.deleted.size());
  c.reply().array(3);
  reply_id(c.reply(), result.next);
  c.reply().array(result.claimed.size());
  for (const StreamId id : result.claimed) reply_claimed(c, *found.stream, id, args.only_ids);
  c.reply().array(result.deleted.size());
  for (const StreamId id : result.deleted) reply_id(c.reply(), id);
}

constexpr Group kGroup = Group::kStream;

constexpr CommandSpec kTable[] = {
    {.name = "xack",
     .handler = xack,
     .arity = -4,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Acknowledges entries that a consumer group has been given.",
     .complexity = "O(log(N)) for each id, N being the pending entries",
     .syntax = "key group id [id ...]"},
    {.name = "xpending",
     .handler = xpending,
     .arity = -3,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Shows what is pending in a consumer group.",
     .complexity = "O(log(N)+M) for M of N pending entries; O(C) for the summary of C consumers",
     .syntax = "key group [[IDLE min-idle-time] start end count [consumer]]"},
    {.name = "xclaim",
     .handler = xclaim,
     .arity = -6,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Gives pending entries to another consumer.",
     .complexity = "O(log(N)) for each id, N being the pending entries",
     .syntax = "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME "
               "unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID last-id]"},
    {.name = "xautoclaim",
     .handler = xautoclaim,
     .arity = -6,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Gives entries that are pending for long to another consumer.",
     .complexity = "O(log(N)+M) for M entries that are looked at, N being the pending ones",
     .syntax = "key group consumer min-idle-time start [COUNT count] [JUSTID]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> stream_pending_commands() {
  return kTable;
}

}  // namespace millrace
