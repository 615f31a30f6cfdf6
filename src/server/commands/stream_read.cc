// XREAD and XREADGROUP: new entries of several streams, for readers that go on where they were.
#include <algorithm>
#include <string>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/stream_args.h"
#include "server/commands/stream_feed.h"

namespace millrace {
namespace {

using ds::Direction;
using ds::Stream;
using ds::StreamId;

enum class Reader : uint8_t { kAlone, kGroup };

struct ReadArgs {
  Reader reader;
  std::optional<std::string_view> group = {};
  std::string_view consumer = {};
  uint64_t count = 0;  // 0: all
  bool no_ack = false;
  std::optional<int64_t> deadline_ms = {};  // BLOCK; 0: for ever
  size_t first_key = 0;
  size_t streams = 0;

  size_t key_at(size_t i) const { return first_key + i; }
  size_t id_at(size_t i) const { return first_key + streams + i; }
};

// --- the arguments

void read_block(Context& c, ArgReader& args, ReadArgs& read) {
  int64_t timeout = args.integer("ERR timeout is not an integer or out of range");
  if (timeout < 0) args.error("ERR timeout is negative");
  if (timeout > 0 && __builtin_add_overflow(timeout, c.now_ms(), &timeout))
    args.error("ERR timeout is out of range");
  read.deadline_ms = timeout;
}

void refuse_for_xread(ArgReader& args, const ReadArgs& read, std::string_view option) {
  if (read.reader == Reader::kGroup) return;
  args.error("ERR The " + std::string(option) +
             " option is only supported by XREADGROUP. You called XREAD instead.");
}

// What is behind STREAMS: keys, then as many ids.
void read_streams(Context& c, ArgReader& args, ReadArgs& read) {
  if (args.left() % 2 != 0) {
    const std::string_view id = read.reader == Reader::kGroup ? "'>'" : "'$'";
    return args.error("ERR Unbalanced '" + std::string(c.command_name()) +
                      "' list of streams: for each stream key an ID or " + std::string(id) +
                      " must be specified.");
  }
  read.first_key = args.position();
  read.streams = args.left() / 2;
  args.skip(args.left());
}

void read_option(Context& c, ArgReader& args, ReadArgs& read) {
  if (args.take("BLOCK", 1)) {
    read_block(c, args, read);
  } else if (args.take("COUNT", 1)) {
    read.count = uint64_t(std::max<int64_t>(args.integer(), 0));
  } else if (args.take("STREAMS", 1)) {
    read_streams(c, args, read);
  } else if (args.take("GROUP", 2)) {
    refuse_for_xread(args, read, "GROUP");
    read.group = args.word();
    read.consumer = args.word();
  } else if (args.take("NOACK")) {
    refuse_for_xread(args, read, "NOACK");
    read.no_ack = true;
  } else {
    args.syntax_error();
  }
}

// False: an error was answered.
bool read_args(Context& c, ReadArgs& read) {
  ArgReader args(c, 1);
  while (args.more()) read_option(c, args, read);
  if (args.ok() && read.streams == 0) args.syntax_error();
  if (read.reader == Reader::kGroup && !read.group)
    args.error("ERR Missing GROUP option for XREADGROUP");
  return args.finish();
}

// --- one stream of several

struct Source {
  Key key;
  Stream* stream = nullptr;            // null: there is none
  ds::ConsumerGroup* group = nullptr;  // of XREADGROUP
  StreamId after = {};                 // what is read is behind it
  bool history = false;                // XREADGROUP, of what is pending
};

std::string no_group_to_read(std::string_view key, std::string_view group) {
  return no_such_group(key, group) + " in XREADGROUP with GROUP option";
}

// "$": from now on. False: an error was answered.
bool read_after_alone(Context& c, std::string_view text, Source& source) {
  if (text == ">") {
    c.fail(
        "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
        "<consumer> option.");
    return false;
  }
  if (text == "$") {
    source.after = source.stream ? source.stream->last_id() : StreamId();
    return true;
  }
  const auto id = read_id(c, text);
  source.after = id.value_or(StreamId());
  return id.has_value();
}

// ">": what nobody of the group has been given; else what is pending for this consumer.
bool read_after_in_group(Context& c, std::string_view text, Source& source) {
  if (text == "$") {
    c.fail(
        "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history "
        "of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ "
        "ID would just return an empty result set.");
    return false;
  }
  const auto id = text == ">" ? StreamId::max() : read_id(c, text);
  if (!id) return false;
  // Nothing is behind the last of all ids, so Redis lets it mean ">" too.
  source.history = *id != StreamId::max();
  source.after = source.history ? *id : source.group->last_id;
  return true;
}

// Nothing: an error was answered.
std::optional<Source> find_source(Context& c, const ReadArgs& read, size_t i) {
  Source source{.key = c.key(read.key_at(i))};
  Entry* entry = c.expect(c.read(source.key), Type::kStream);
  if (c.failed()) return std::nullopt;
  if (entry) source.stream = &entry->stream();
  const std::string_view id = c.arg(read.id_at(i));
  if (read.reader == Reader::kAlone) {
    if (!read_after_alone(c, id, source)) return std::nullopt;
    return source;
  }
  source.group = entry ? source.stream->find_group(*read.group) : nullptr;
  if (!source.group) {
    c.fail(no_group_to_read(source.key.name, *read.group));
    return std::nullopt;
  }
  if (!read_after_in_group(c, id, source)) return std::nullopt;
  return source;
}

bool has_more(const Source& source) {
  if (!source.stream || source.stream->size() == 0) return false;
  return source.stream->last_id() > source.after && source.stream->newest_id() > source.after;
}

// --- what a reader gets

// What is pending for the consumer and behind an id, which is delivered once more. Of what has been
// deleted meanwhile only the id is left.
void reply_history(Context& c, const Source& source, const ds::Consumer& consumer, uint64_t count) {
  proto::ReplyWriter& reply = c.reply();
  const auto array = reply.defer_array();
  uint64_t written = 0;
  auto at = consumer.pending.lower_bound(*source.after.next());
  for (; at && (count == 0 || written < count); ++at, ++written) {
    if (reply_entry_of(reply, *source.stream, at.id())) {
      at.value()->delivered_ms = c.now_ms();
      ++at.value()->deliveries;
    } else {
      reply.array(2);
      reply_id(reply, at.id());
      reply.null_array();
    }
  }
  reply.finish(array, written);
}

// New entries, which are pending for the consumer from now on.
void reply_delivery(Context& c, const Source& source, ds::Consumer& consumer,
                    const ReadArgs& read) {
  proto::ReplyWriter& reply = c.reply();
  const auto array = reply.defer_array();
  uint64_t written = 0;
  ds::StreamWalk walk(*source.stream, *source.after.next(), StreamId::max(), Direction::kForward);
  for (; (read.count == 0 || written < read.count) && walk.next(); ++written) {
    const StreamId id = walk.entry().id();
    source.stream->advance(*source.group, id);
    reply_entry(reply, walk.entry());
    if (read.no_ack) continue;
    // After XGROUP SETID it may be pending for another one.
    ds::Pending& pending = source.group->assign(id, consumer);
    pending.delivered_ms = c.now_ms();
    pending.deliveries = 1;
    consumer.active_ms = c.now_ms();
    feed_claim(c, consumer.name, *source.group, *read.group, source.key.name, id, &pending);
  }
  if (written != 0) feed_position(c, source.key.name, *read.group, *source.group);
  reply.finish(array, written);
}

// Every stream that has something is an element of the reply, which begins with the first of them.
class ReadReply {
 public:
  explicit ReadReply(Context& c) : reply_(c.reply()) {}

  void begin_stream(std::string_view key) {
    const bool is_map = reply_.resp() == proto::Resp::k3;
    if (!opened_) opened_ = is_map ? reply_.defer_map() : reply_.defer_array();
    ++streams_;
    if (!is_map) reply_.array(2);
    reply_.bulk(key);
  }
  // False: no stream had anything, and nothing was written.
  bool finish() {
    if (opened_) reply_.finish(*opened_, streams_);
    return opened_.has_value();
  }

 private:
  proto::ReplyWriter& reply_;
  std::optional<proto::DeferredLength> opened_;
  size_t streams_ = 0;
};

void serve_alone(Context& c, const ReadArgs& read, const Source& source, ReadReply& reply) {
  if (!has_more(source)) return;
  reply.begin_stream(source.key.name);
  ds::StreamWalk walk(*source.stream, *source.after.next(), StreamId::max(), Direction::kForward);
  reply_entries(c.reply(), walk, read.count);
}

void serve_in_group(Context& c, const ReadArgs& read, const Source& source, ReadReply& reply) {
  ds::Consumer& consumer = see_consumer(c, source.key, {*source.group, *read.group}, read.consumer);
  if (!source.history && !has_more(source)) return;
  reply.begin_stream(source.key.name);
  if (source.history) {
    reply_history(c, source, consumer, read.count);
  } else {
    reply_delivery(c, source, consumer, read);
  }
  count_changes(c, 1);
}

// --- waiting for more

// The request once more, with what "$" stands for now: when it is run again, "$" would be behind
// what has woken it.
class SettledRequest {
 public:
  SettledRequest(Context& c, const ReadArgs& read) : args_(c.args().begin(), c.args().end()) {
    ids_.reserve(read.streams);
    for (size_t i = 0; i < read.streams; ++i) {
      std::string_view& id = args_[read.id_at(i)];
      if (id == "$") id = ids_.emplace_back(last_id(c, read.key_at(i)));
    }
  }
  SettledRequest(const SettledRequest&) = delete;
  SettledRequest& operator=(const SettledRequest&) = delete;

  std::span<const std::string_view> args() const { return args_; }

 private:
  static std::string last_id(Context& c, size_t position) {
    const Entry* entry = c.peek(c.key(position));
    StreamId::TextBuffer buffer;
    return std::string((entry ? entry->stream().last_id() : StreamId()).text(buffer));
  }

  std::vector<std::string_view> args_;
  std::vector<std::string> ids_;
};

void wait_for_more(Context& c, const ReadArgs& read) {
  if (!read.deadline_ms || !c.may_block()) return c.reply().null_array();
  const SettledRequest settled(c, read);
  c.block({.keys = c.args().subspan(read.first_key, read.streams),
           .type = Type::kStream,
           // A reader of a group learns that its group has gone.
           .wake_when_gone = read.reader == Reader::kGroup,
           .deadline_ms = *read.deadline_ms,
           .args = settled.args()});
}

void read_from_streams(Context& c, Reader reader) {
  ReadArgs read{.reader = reader};
  if (!read_args(c, read)) return;
  // All are looked at before any is read, so that an error comes alone.
  for (size_t i = 0; i < read.streams; ++i)
    if (!find_source(c, read, i)) return;
  ReadReply reply(c);
  for (size_t i = 0; i < read.streams; ++i) {
    const auto source = find_source(c, read, i);
    reader == Reader::kGroup ? serve_in_group(c, read, *source, reply)
                             : serve_alone(c, read, *source, reply);
  }
  if (!reply.finish()) wait_for_more(c, read);
}

// XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]
void xread(Context& c) {
  read_from_streams(c, Reader::kAlone);
}

// XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...]
// id [id ...]
void xreadgroup(Context& c) {
  c.feed_nothing();  // what it gives away is said entry by entry
  read_from_streams(c, Reader::kGroup);
}

constexpr Group kGroup = Group::kStream;

constexpr CommandSpec kTable[] = {
    {.name = "xread",
     .handler = xread,
     .arity = -4,
     .flags = kReadOnly | kBlocking | kMovableKeys,
     .keys = keys_in_first_half_behind("STREAMS", 1),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Returns the entries of streams behind the given ids, and may wait for one.",
     .complexity = "O(log(N)+M) for each stream of N, M being the entries returned",
     .syntax = "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]"},
    {.name = "xreadgroup",
     .handler = xreadgroup,
     .arity = -7,
     .flags = kWrite | kBlocking | kMovableKeys,
     .keys = keys_in_first_half_behind("STREAMS", 4),
     .since = "5.0.0",
     .group = kGroup,
     .summary =
         "Returns entries of streams that no other consumer of the group gets, or those that "
         "are pending for this one; and may wait for one.",
     .complexity = "O(log(N)+M*log(P)) for each stream of N, M being the entries returned and P "
                   "those that are pending",
     .syntax = "GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key "
               "...] id [id ...]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> stream_read_commands() {
  return kTable;
}

}  // namespace millrace
