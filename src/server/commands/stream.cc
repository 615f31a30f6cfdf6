// Streams: entries that come, are read by range, and go. Readers that wait or share the work are in
// stream_read.cc, their groups in stream_group.cc, what groups have pending in stream_pending.cc,
// XINFO in stream_info.cc.
#include <algorithm>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/stream_args.h"
#include "server/commands/stream_feed.h"

namespace millrace {
namespace {

using ds::Direction;
using ds::Stream;
using ds::StreamId;

// --- XADD

struct AddArgs {
  TrimArgs trim;
  bool only_existing = false;          // NOMKSTREAM
  std::optional<ds::StreamIdText> id;  // nothing: "*"
  size_t fields_at = 0;

  // The sequence the id was given with; "5" is 5-0.
  bool is_zero() const { return id && !id->any_sequence && id->with_sequence(0).is_zero(); }
};

// False: an error was answered.
bool read_add(Context& c, AddArgs& add) {
  ArgReader args(c, 2);
  while (args.more() && args.peek() != "*") {
    if (add.trim.take(args)) continue;
    if (args.take("NOMKSTREAM")) {
      add.only_existing = true;
      continue;
    }
    add.id = ds::parse_stream_id(args.peek());
    if (!add.id) args.error(kInvalidStreamId);
    break;
  }
  if (!add.trim.agree(args, TrimArgs::Need::kOptional)) return false;
  add.fields_at = args.position() + 1;
  const size_t count = c.arg_count();
  if (add.fields_at + 2 > count || (count - add.fields_at) % 2 != 0) {
    c.fail(errors::wrong_arity(c.command_name()));
    return false;
  }
  if (add.is_zero()) c.fail("ERR The ID specified in XADD must be greater than 0-0");
  return !c.failed();
}

// "*": now, or just behind the last one, should the clock have gone back or stand still.
StreamId next_id(StreamId last, int64_t now_ms) {
  const auto now = uint64_t(now_ms);
  return now > last.ms ? StreamId{now, 0} : *last.next();
}

// "5-*": the next one of that millisecond.
StreamId next_in_millisecond(StreamId last, uint64_t ms) {
  if (last.ms != ms) return {ms, 0};
  // Behind the last sequence there is none; the last id itself will be refused.
  return last.sequence == UINT64_MAX ? last : *last.next();
}

// The id of the entry to be added; nothing: an error was answered.
std::optional<StreamId> choose_id(Context& c, const AddArgs& add, StreamId last) {
  if (last == StreamId::max()) {
    c.fail("ERR The stream has exhausted the last possible ID, unable to add more items");
    return std::nullopt;
  }
  if (!add.id) return next_id(last, c.now_ms());
  const StreamId id =
      add.id->any_sequence ? next_in_millisecond(last, add.id->ms) : add.id->with_sequence(0);
  if (id > last) return id;
  c.fail("ERR The ID specified in XADD is equal or smaller than the target stream top item");
  return std::nullopt;
}

// XADD key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value
// [field value ...]
void xadd(Context& c) {
  AddArgs add;
  if (!read_add(c, add)) return;
  Entry* entry = c.write(1, Type::kStream);
  if (c.failed()) return;
  if (!entry && add.only_existing) return c.reply().null();
  const auto id = choose_id(c, add, entry ? entry->stream().last_id() : StreamId());
  if (!id) return;
  const ds::FieldValues fields = c.args().subspan(add.fields_at);
  if (!ds::StreamBlock::fits(fields)) return c.fail("ERR Elements are too large to be stored");
  if (!entry) entry = c.db().add(c.key(1), Stream());
  Stream& stream = entry->stream();
  stream.append(*id, fields, stream_limits(c));
  c.modified(c.key(1), kStreamEvent, "xadd");
  reply_id(c.reply(), *id);
  const uint64_t removed = add.trim.given() ? stream.trim(add.trim.rule(c)) : 0;
  if (removed != 0) c.modified(c.key(1), kStreamEvent, "xtrim");
  if (add.trim.given() && add.trim.rule(c).whole_blocks) {
    feed_added_and_trimmed(c, add.fields_at, *id, stream.size());
  } else if (!add.id || add.id->any_sequence) {
    feed_added(c, add.fields_at - 1, *id);
  }
}

// --- going away

// XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]
void xtrim(Context& c) {
  TrimArgs trim;
  ArgReader args(c, 2);
  while (args.more())
    if (!trim.take(args)) args.syntax_error();
  if (!trim.agree(args, TrimArgs::Need::kRequired)) return;
  Entry* entry = c.write(1, Type::kStream);
  if (c.failed()) return;
  const uint64_t removed = entry ? entry->stream().trim(trim.rule(c)) : 0;
  if (removed != 0) {
    c.modified(c.key(1), kStreamEvent, "xtrim");
    if (trim.rule(c).whole_blocks) feed_trimmed(c, c.arg(1), entry->stream().size());
  }
  c.reply().integer(int64_t(removed));
}

// XDEL key id [id ...]
void xdel(Context& c) {
  Entry* entry = c.write(1, Type::kStream);
  if (c.failed()) return;
  if (!entry) return c.reply().integer(0);
  // All ids are read before anything is changed; the usual single one needs no memory.
  const auto first = read_id(c, c.arg(2));
  std::vector<StreamId> more;
  for (size_t i = 3; i < c.arg_count() && !c.failed(); ++i)
    more.push_back(read_id(c, c.arg(i)).value_or(StreamId()));
  if (c.failed()) return;
  int64_t deleted = entry->stream().erase(*first);
  for (const StreamId id : more) deleted += entry->stream().erase(id);
  if (deleted != 0) c.modified(c.key(1), kStreamEvent, "xdel");
  c.reply().integer(deleted);
}

// --- reading

// XLEN key
void xlen(Context& c) {
  const Entry* entry = c.read(1, Type::kStream);
  if (c.failed()) return;
  c.reply().integer(entry ? int64_t(entry->stream().size()) : 0);
}

void reply_range(Context& c, std::string_view start, std::string_view end, Direction direction) {
  const auto range = read_id_range(c, start, end);
  if (!range) return;
  ArgReader args(c, 4);
  std::optional<int64_t> count;
  while (args.more()) {
    if (args.take("COUNT", 1)) {
      count = std::max<int64_t>(args.integer(), 0);
    } else {
      args.syntax_error();
    }
  }
  if (!args.finish()) return;
  const Entry* entry = c.read(1, Type::kStream);
  if (c.failed()) return;
  if (!entry) return c.reply().empty_array();
  if (count == 0) return c.reply().null_array();
  ds::StreamWalk walk(entry->stream(), range->from, range->to, direction);
  reply_entries(c.reply(), walk, uint64_t(count.value_or(0)));
}

// XRANGE key start end [COUNT count]
void xrange(Context& c) {
  reply_range(c, c.arg(2), c.arg(3), Direction::kForward);
}

// XREVRANGE key end start [COUNT count]
void xrevrange(Context& c) {
  reply_range(c, c.arg(3), c.arg(2), Direction::kBackward);
}

// --- XSETID

struct SetIdArgs {
  StreamId last;
  std::optional<int64_t> entries_added;
  StreamId max_deleted;
};

std::optional<SetIdArgs> read_set_id(Context& c) {
  SetIdArgs set;
  const auto last = read_id(c, c.arg(2));
  if (!last) return std::nullopt;
  set.last = *last;
  ArgReader args(c, 3);
  while (args.more()) {
    if (args.take("ENTRIESADDED", 1)) {
      set.entries_added = args.integer();
      if (*set.entries_added < 0) args.error("ERR entries_added must be positive");
    } else if (args.take("MAXDELETEDID", 1)) {
      const auto id = read_id(c, args.word());
      if (!id) return std::nullopt;
      set.max_deleted = *id;
      if (set.last < *id)
        args.error(
            "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
    } else {
      args.syntax_error();
    }
  }
  if (!args.finish()) return std::nullopt;
  return set;
}

// What is in the stream must stay below its last id, and be counted.
bool agrees_with(Context& c, const SetIdArgs& set, const Stream& stream) {
  if (set.last < stream.max_deleted_id())
    c.fail("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
  if (stream.size() != 0 && set.last < stream.newest_id())
    c.fail("ERR The ID specified in XSETID is smaller than the target stream top item");
  if (set.entries_added && uint64_t(*set.entries_added) < stream.size())
    c.fail("ERR The entries_added specified in XSETID is smaller than the target stream length");
  return !c.failed();
}

// XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]
void xsetid(Context& c) {
  const auto set = read_set_id(c);
  if (!set) return;
  Entry* entry = c.write(1, Type::kStream);
  if (c.failed()) return;
  if (!entry) return c.fail(errors::kNoSuchKey);
  Stream& stream = entry->stream();
  if (!agrees_with(c, *set, stream)) return;
  stream.set_last_id(set->last);
  if (set->entries_added) stream.set_entries_added(uint64_t(*set->entries_added));
  if (!set->max_deleted.is_zero()) stream.set_max_deleted_id(set->max_deleted);
  c.modified(c.key(1), kStreamEvent, "xsetid");
  c.reply().ok();
}

constexpr Group kGroup = Group::kStream;

constexpr CommandSpec kTable[] = {
    {.name = "xadd",
     .handler = xadd,
     .arity = -5,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Appends an entry to a stream, and may trim it.",
     .complexity = "O(1) for the entry, O(N) where N entries are trimmed",
     .syntax = "key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field "
               "value [field value ...]"},
    {.name = "xtrim",
     .handler = xtrim,
     .arity = -4,
     .flags = kWrite,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Deletes the oldest entries of a stream.",
     .complexity = "O(N) for N deleted entries",
     .syntax = "key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]"},
    {.name = "xdel",
     .handler = xdel,
     .arity = -3,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Deletes entries of a stream.",
     .complexity = "O(log(N)) for each entry of a stream of N",
     .syntax = "key id [id ...]"},
    {.name = "xlen",
     .handler = xlen,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Returns how many entries a stream has.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "xrange",
     .handler = xrange,
     .arity = -4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Returns the entries of a stream within a range of ids.",
     .complexity = "O(log(N)+M) for M entries of a stream of N",
     .syntax = "key start end [COUNT count]"},
    {.name = "xrevrange",
     .handler = xrevrange,
     .arity = -4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Returns the entries of a stream within a range of ids, the newest first.",
     .complexity = "O(log(N)+M) for M entries of a stream of N",
     .syntax = "key end start [COUNT count]"},
    {.name = "xsetid",
     .handler = xsetid,
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .keys = key_at(1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Sets a stream's last id and its counters, as a loader of data does.",
     .complexity = "O(1)",
     .syntax = "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> stream_commands() {
  return kTable;
}

}  // namespace millrace
