// What the commands on lists, hashes, sets and sorted sets share: the limits of the small
// encodings, a key that is made when it is missing, a result that takes the place of a key, numbers
// as those commands take them, and the reply of the *SCAN family.
//
//   Entry* entry = c.write(1, Type::kSet);
//   if (c.failed()) return;
//   if (!entry) entry = c.db().add(c.key(1), ds::StringSet());
//   entry->set().add(c.arg(2), string_set_limits(c));
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "proto/byte_sink.h"
#include "server/command/arg_reader.h"
#include "server/command/scan_args.h"
#include "server/config/config.h"
#include "server/ds/list_limit.h"

namespace millrace {

// --- limits of the small encodings, as configured now

inline ds::ListLimit list_limit(Context& c) {
  return ds::ListLimit(c.config().list_max_listpack_size, c.services().list_plain_from);
}
inline ds::ListpackLimits hash_limits(const Context& c) {
  return {c.config().hash_max_listpack_entries, c.config().hash_max_listpack_value_bytes};
}
inline ds::ListpackLimits sorted_set_limits(const Context& c) {
  return {c.config().zset_max_listpack_entries, c.config().zset_max_listpack_value_bytes};
}
inline ds::StringSetLimits string_set_limits(const Context& c) {
  return {c.config().set_max_intset_entries, c.config().set_max_listpack_entries,
          c.config().set_max_listpack_value_bytes};
}

// --- numbers as arguments

// A count that an element is drawn for with a sign: negative ones may repeat elements.
inline constexpr std::string_view kBeyondSymmetricRange =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

// A number of at least `low`; anything else, a word included, is `error`.
inline int64_t number_from(ArgReader& args, int64_t low, std::string_view error) {
  const int64_t number = args.integer(error);
  if (number < low) args.error(error);
  return number;
}

// Any number that has an opposite.
inline int64_t signed_number(ArgReader& args) {
  return args.integer_between(-INT64_MAX, INT64_MAX, kBeyondSymmetricRange);
}

// start and end as ranges by index take them: both inclusive, negative ones from the end.
struct IndexRange {
  uint64_t begin = 0;
  uint64_t end = 0;  // exclusive

  uint64_t size() const { return end - begin; }
};
inline IndexRange index_range(int64_t start, int64_t end, uint64_t length) {
  const auto signed_length = static_cast<int64_t>(length);
  if (start < 0) start = std::max<int64_t>(start + signed_length, 0);
  if (end < 0) end += signed_length;
  end = std::min(end, signed_length - 1);
  if (start > end) return {};
  return {static_cast<uint64_t>(start), static_cast<uint64_t>(end) + 1};
}

// --- drawing elements at random

// [count [word]] of SRANDMEMBER, HRANDFIELD and ZRANDMEMBER.
struct Draw {
  // An answer of so many elements is half a gigabyte at least, as much as one value may have
  // (proto-max-bulk-len). Redis draws on until the client's output limit ends it.
  static constexpr int64_t kMostRepeated = int64_t{1} << 26;

  bool single = true;  // no count was given
  bool with_values = false;
  uint64_t count = 1;
  ds::Repetition repetition = ds::Repetition::kUnique;

  // How many elements will come out of `size`.
  uint64_t from(uint64_t size) const {
    return repetition == ds::Repetition::kUnique ? std::min(count, size) : count;
  }
};
// `word` is WITHVALUES, WITHSCORES, or empty if the command has none. False: answered an error.
bool read_draw(Context& c, std::string_view word, Draw& draw);

// Opens the reply of `count` elements with a value each: pairs in RESP3, a flat array in RESP2.
inline void open_pairs(proto::ReplyWriter& reply, uint64_t count) {
  reply.array(reply.resp() == proto::Resp::k3 ? count : 2 * count);
}
// Before each element of it.
inline void open_pair(proto::ReplyWriter& reply) {
  if (reply.resp() == proto::Resp::k3) reply.array(2);
}

// --- popping from the first of several keys that has anything

// What LMPOP, ZMPOP and their blocking forms ask for; `Side` is an end of a list, or the lowest or
// highest of a sorted set.
template <typename Side>
struct MultiPop {
  size_t first_key = 0;  // its position, and how many there are
  size_t keys = 0;
  Side side = {};
  uint64_t count = 1;
};

// numkeys key [key ...] SIDE [COUNT count]
template <typename Side>
MultiPop<Side> read_multi_pop(ArgReader& args, Side (*read_side)(ArgReader&)) {
  MultiPop<Side> wanted;
  wanted.keys = size_t(number_from(args, 1, "ERR numkeys should be greater than 0"));
  wanted.first_key = args.position();
  if (wanted.keys >= args.left()) args.syntax_error();
  args.skip(wanted.keys);
  wanted.side = read_side(args);
  if (args.take("COUNT", 1))
    wanted.count = uint64_t(number_from(args, 1, "ERR count should be greater than 0"));
  return wanted;
}

// For a command that found nothing in its keys: it waits for one of this type, where it may.
inline void wait_for(Context& c, Type type, size_t first_key, size_t keys, int64_t deadline_ms) {
  if (!c.may_block()) return c.reply().null_array();
  c.block({.keys = c.args().subspan(first_key, keys), .type = type, .deadline_ms = deadline_ms});
}

// --- storing results

// Deletes the old value of a key that gets another one, or none.
void discard(Context& c, Key key, Entry* entry);

// Puts a result in the place of whatever is under the key, and answers its size; an empty result
// deletes the key.
template <typename Collection>
void store_result(Context& c, Key key, Collection result, KeyEventClass event_class,
                  std::string_view event) {
  const uint64_t size = result.size();
  Entry* old = c.write(key);
  if (old) discard(c, key, old);
  if (size != 0) {
    c.db().add(key, std::move(result));
    c.modified(key, event_class, event);
  } else if (old) {
    c.modified(key, KeyEventClass::kGeneric, "del");
  }
  c.reply().integer(static_cast<int64_t>(size));
}

// --- HSCAN, SSCAN, ZSCAN

// One call's answer: the cursor to go on with, and elements. The cursor stands in front and is
// known at the end, so elements are encoded aside.
class ScanReply {
 public:
  explicit ScanReply(Context& c) : context_(c), elements_(bytes_, c.reply().resp()) {}

  // The same writer for one element, or for its parts.
  proto::ReplyWriter& add(size_t parts) {
    written_ += parts;
    return elements_;
  }
  void send(uint64_t cursor) {
    proto::ReplyWriter& reply = context_.reply();
    char text[ae::kMaxInt64Chars];
    reply.array(2);
    reply.bulk({text, ae::format_uint64(cursor, text)});
    reply.array(written_);
    reply.raw(bytes_.view(), written_);
  }

 private:
  Context& context_;
  proto::StringSink bytes_;
  proto::ReplyWriter elements_;
  size_t written_ = 0;
};

// `scan_step(cursor, seen)` visits a few elements, counts them in `seen`, returns the next cursor.
// Ends when enough were seen, or, on a table that is nearly empty, after enough steps.
template <typename ScanStep>
uint64_t scan_some(const ScanArgs& scan, ScanStep&& scan_step) {
  int64_t steps;
  if (__builtin_mul_overflow(scan.count, ScanArgs::kVisitsPerElement, &steps)) steps = INT64_MAX;
  uint64_t cursor = scan.cursor;
  int64_t seen = 0;
  do {
    cursor = scan_step(cursor, seen);
  } while (cursor != 0 && seen < scan.count && --steps > 0);
  return cursor;
}

// Reads key, cursor and options in Redis' order: a missing key is answered before the options are
// looked at. Null: the reply has been written.
Entry* read_scan(Context& c, Type type, ScanArgs& scan);

}  // namespace millrace
