// What the commands on streams share: ids as arguments, entries as replies, what XADD and XTRIM
// have in common, and consumers that are made when they first ask.
//
//   const auto range = read_id_range(c, c.arg(2), c.arg(3));
//   if (!range) return;                       // the error has been answered
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/command/arg_reader.h"
#include "server/config/config.h"
#include "server/ds/stream.h"

namespace millrace {

inline constexpr auto kStreamEvent = KeyEventClass::kStream;
inline constexpr std::string_view kInvalidStreamId =
    "ERR Invalid stream ID specified as stream command argument";

// --- ids as arguments; nothing: an error was answered

// "5-3", or "5", which is 5-0.
std::optional<ds::StreamId> read_id(Context& c, std::string_view text);

// A range includes its ends, unless they are written "(5-3". "-" and "+" are the ends of all ids;
// "5" begins at 5-0 and ends behind all of that millisecond.
struct IdRange {
  ds::StreamId from;
  ds::StreamId to;
};
std::optional<ds::StreamId> read_range_start(Context& c, std::string_view text);
std::optional<ds::StreamId> read_range_end(Context& c, std::string_view text);
std::optional<IdRange> read_id_range(Context& c, std::string_view start, std::string_view end);

// --- what a stream grows and shrinks by

inline ds::StreamLimits stream_limits(const Context& c) {
  return {c.config().stream_node_max_bytes, c.config().stream_node_max_entries};
}

// [MAXLEN | MINID [= | ~] threshold [LIMIT count]] of XADD and XTRIM, whose words may come in any
// order.
class TrimArgs {
 public:
  enum class Need : uint8_t { kOptional, kRequired };

  // Takes the next option, if it is one of these.
  bool take(ArgReader& args);
  // To be called behind the last one: whether they go together. An error is answered.
  bool agree(ArgReader& args, Need need) const;

  bool given() const { return given_; }
  ds::StreamTrim rule(const Context& c) const;

 private:
  void take_threshold(ArgReader& args, ds::StreamTrim::By by);

  ds::StreamTrim rule_;
  bool given_ = false;
  std::optional<int64_t> limit_;
};

// --- replies

void reply_id(proto::ReplyWriter& reply, ds::StreamId id);
void reply_entry(proto::ReplyWriter& reply, const ds::StreamEntry& entry);
// The entry of this id; false, and nothing written: there is none.
bool reply_entry_of(proto::ReplyWriter& reply, const ds::Stream& stream, ds::StreamId id);
// The entries of a walk, `count` at most, 0: all; as an array.
void reply_entries(proto::ReplyWriter& reply, ds::StreamWalk walk, uint64_t count);

// --- groups

// "NOGROUP No such key 'k' or consumer group 'g'"
std::string no_such_group(std::string_view key, std::string_view group);

// "NOGROUP No such consumer group 'g' for key name 'k'"
std::string no_group_for_key(std::string_view group, std::string_view key);

struct NamedGroup {
  ds::ConsumerGroup& group;
  std::string_view name;
};
// The consumer of this name, which is seen now; made if it is new.
ds::Consumer& see_consumer(Context& c, Key key, const NamedGroup& group, std::string_view name);

// Counts changes of which no keyspace event tells: what is pending has changed, not what is in the
// stream.
inline void count_changes(Context& c, uint64_t changes) {
  c.services().effects.counted(changes);
}

}  // namespace millrace
