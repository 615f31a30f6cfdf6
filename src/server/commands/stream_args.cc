#include "server/commands/stream_args.h"

#include <algorithm>

namespace millrace {

using ds::StreamId;

// --- ids as arguments

namespace {

std::optional<StreamId> parse_id(std::string_view text, uint64_t missing_sequence) {
  const auto id = ds::parse_stream_id(text);
  if (!id || id->any_sequence) return std::nullopt;
  return id->with_sequence(missing_sequence);
}

bool is_exclusive(std::string_view text) {
  return text.size() > 1 && text.front() == '(';
}

std::optional<StreamId> read_bound(Context& c, std::string_view text, uint64_t missing_sequence) {
  std::optional<StreamId> id;
  if (text == "-") {
    id = StreamId();
  } else if (text == "+") {
    id = StreamId::max();
  } else {
    id = parse_id(is_exclusive(text) ? text.substr(1) : text, missing_sequence);
  }
  if (!id) c.fail(kInvalidStreamId);
  return id;
}

}  // namespace

std::optional<StreamId> read_id(Context& c, std::string_view text) {
  const auto id = parse_id(text, 0);
  if (!id) c.fail(kInvalidStreamId);
  return id;
}

std::optional<StreamId> read_range_start(Context& c, std::string_view text) {
  auto id = read_bound(c, text, 0);
  if (!id || !is_exclusive(text)) return id;
  id = id->next();
  if (!id) c.fail("ERR invalid start ID for the interval");
  return id;
}

std::optional<StreamId> read_range_end(Context& c, std::string_view text) {
  auto id = read_bound(c, text, UINT64_MAX);
  if (!id || !is_exclusive(text)) return id;
  id = id->previous();
  if (!id) c.fail("ERR invalid end ID for the interval");
  return id;
}

std::optional<IdRange> read_id_range(Context& c, std::string_view start, std::string_view end) {
  const auto from = read_range_start(c, start);
  if (!from) return std::nullopt;
  const auto to = read_range_end(c, end);
  if (!to) return std::nullopt;
  return IdRange{*from, *to};
}

// --- trimming

bool TrimArgs::take(ArgReader& args) {
  if (args.take("MAXLEN", 1)) {
    take_threshold(args, ds::StreamTrim::By::kLength);
  } else if (args.take("MINID", 1)) {
    take_threshold(args, ds::StreamTrim::By::kId);
  } else if (args.take("LIMIT", 1)) {
    limit_ = args.integer();
    if (*limit_ < 0) args.error("ERR The LIMIT argument must be >= 0.");
  } else {
    return false;
  }
  return true;
}

void TrimArgs::take_threshold(ArgReader& args, ds::StreamTrim::By by) {
  if (given_)
    return args.error(
        "ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
  given_ = true;
  rule_.by = by;
  rule_.whole_blocks = args.take("~", 1);
  if (!rule_.whole_blocks) args.take("=", 1);
  if (by == ds::StreamTrim::By::kId) {
    const auto id = parse_id(args.word(), 0);
    return id ? void(rule_.from = *id) : args.error(kInvalidStreamId);
  }
  const int64_t keep = args.integer();
  if (keep < 0) args.error("ERR The MAXLEN argument must be >= 0.");
  rule_.keep = uint64_t(keep);
}

bool TrimArgs::agree(ArgReader& args, Need need) const {
  if (limit_.value_or(0) != 0 && !given_)
    args.error("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
  if (!given_ && need == Need::kRequired)
    args.error("ERR syntax error, XTRIM must be called with a trimming strategy");
  if (limit_ && !rule_.whole_blocks)
    args.error("ERR syntax error, LIMIT cannot be used without the special ~ option");
  return args.ok();
}

ds::StreamTrim TrimArgs::rule(const Context& c) const {
  constexpr uint64_t kBlocks = 100;
  constexpr uint64_t kLeast = 10'000;
  constexpr uint64_t kMost = 1'000'000;
  ds::StreamTrim rule = rule_;
  // Without LIMIT, "~" goes through a hundred blocks at most, so that one command does not free a
  // million entries.
  const uint64_t block_entries = std::min(c.config().stream_node_max_entries, kMost);
  const uint64_t usual = block_entries == 0 ? kLeast : std::min(kBlocks * block_entries, kMost);
  if (rule.whole_blocks) rule.limit = limit_ ? uint64_t(*limit_) : usual;
  return rule;
}

// --- replies

void reply_id(proto::ReplyWriter& reply, StreamId id) {
  StreamId::TextBuffer buffer;
  reply.bulk(id.text(buffer));
}

void reply_entry(proto::ReplyWriter& reply, const ds::StreamEntry& entry) {
  reply.array(2);
  reply_id(reply, entry.id());
  reply.array(2 * entry.field_count());
  entry.for_each([&](const ds::Element& field, const ds::Element& value) {
    ds::Element::TextBuffer buffer;
    reply.bulk(field.text(buffer));
    reply.bulk(value.text(buffer));
  });
}

bool reply_entry_of(proto::ReplyWriter& reply, const ds::Stream& stream, StreamId id) {
  ds::StreamWalk walk(stream, id, id, ds::Direction::kForward);
  if (!walk.next()) return false;
  reply_entry(reply, walk.entry());
  return true;
}

void reply_entries(proto::ReplyWriter& reply, ds::StreamWalk walk, uint64_t count) {
  const auto array = reply.defer_array();
  uint64_t written = 0;
  while ((count == 0 || written < count) && walk.next()) {
    reply_entry(reply, walk.entry());
    ++written;
  }
  reply.finish(array, written);
}

// --- groups

std::string no_such_group(std::string_view key, std::string_view group) {
  return "NOGROUP No such key '" + std::string(key) + "' or consumer group '" + std::string(group) +
         "'";
}

std::string no_group_for_key(std::string_view group, std::string_view key) {
  return "NOGROUP No such consumer group '" + std::string(group) + "' for key name '" +
         std::string(key) + "'";
}

ds::Consumer& see_consumer(Context& c, Key key, const NamedGroup& group, std::string_view name) {
  if (ds::Consumer* known = group.group.find_consumer(name)) {
    known->seen_ms = c.now_ms();
    return *known;
  }
  ds::Consumer& consumer = group.group.add_consumer(name, c.now_ms());
  c.modified(key, kStreamEvent, "xgroup-createconsumer");
  c.feed_instead({"XGROUP", "CREATECONSUMER", key.name, group.name, name});
  return consumer;
}

}  // namespace millrace
