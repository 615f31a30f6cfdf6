// Strings as rows of bits: one bit, counting, searching, combining. Integers inside them are in
// bit_field.cc.
#include <algorithm>
#include <vector>

#include "server/command/arg_reader.h"
#include "server/commands/bit_string.h"
#include "server/commands/families.h"
#include "server/config/config.h"
#include "server/ds/bitmap.h"

namespace millrace {
namespace {

// SETBIT key offset value
void setbit(Context& c) {
  const auto offset = read_bit_offset(c, c.arg(2));
  if (!offset) return;
  const auto bit = ae::parse_int64(c.arg(3));
  if (!bit || (*bit != 0 && *bit != 1)) return c.fail("ERR bit is not an integer or out of range");
  const auto string = writable_bits(c, *offset);
  if (!string) return;
  const bool old = ds::bit_at({string->bytes.data(), string->bytes.size()}, *offset);
  ds::set_bit(string->bytes, *offset, *bit == 1);
  if (string->grown || old != (*bit == 1)) c.modified(c.key(1), KeyEventClass::kString, "setbit");
  c.reply().integer(old);
}

// GETBIT key offset
void getbit(Context& c) {
  const auto offset = read_bit_offset(c, c.arg(2));
  if (!offset) return;
  const Entry* entry = c.read(1, Type::kString);
  if (c.failed()) return;
  TextBuffer buffer;
  c.reply().integer(entry && ds::bit_at(entry->text(buffer), *offset));
}

// --- ranges

enum class Unit : uint8_t { kByte, kBit };

// start end [BYTE | BIT], as far as given.
struct RangeArguments {
  int64_t start = 0;
  int64_t end = -1;
  Unit unit = Unit::kByte;

  void read_unit(ArgReader& args, std::string_view word) {
    if (equals_ignoring_case(word, "BIT")) unit = Unit::kBit;
    if (unit != Unit::kBit && !equals_ignoring_case(word, "BYTE")) args.syntax_error();
  }
  // In bits of a string; empty if it is inverted. An end before the first byte means the first one,
  // unlike elsewhere.
  ds::BitRange in(std::string_view bytes) const {
    const uint64_t scale = unit == Unit::kByte ? 8 : 1;
    const auto length = int64_t(ds::bit_length(bytes) / scale);
    const auto place = [length](int64_t at) {
      return std::max<int64_t>(at < 0 ? at + length : at, 0);
    };
    const int64_t begin = place(start), last = std::min(place(end), length - 1);
    if (begin > last) return {};
    return {uint64_t(begin) * scale, uint64_t(last + 1) * scale};
  }
  bool inverted_from_end() const { return start < 0 && end < 0 && start > end; }
};

// Both look at the key first: for one that does not exist they answer, whatever the range says.

// BITCOUNT key [start end [BYTE | BIT]]
void bitcount(Context& c) {
  const Entry* entry = c.read(1, Type::kString);
  if (c.failed()) return;
  if (!entry) return c.reply().integer(0);
  ArgReader args(c, 2);
  RangeArguments range;
  if (args.left() == 1 || args.left() > 3) args.syntax_error();
  if (args.more()) {
    range.start = args.integer();
    range.end = args.integer();
    if (args.ok() && range.inverted_from_end()) return c.reply().integer(0);
    if (args.more()) range.read_unit(args, args.word());
  }
  if (!args.finish()) return;
  TextBuffer buffer;
  const std::string_view bytes = entry->text(buffer);
  c.reply().integer(int64_t(ds::count_ones(bytes, range.in(bytes))));
}

// Where a clear bit is looked for in ones alone: a range whose end was not said goes on behind the
// string, with zeros.
int64_t position_behind(ds::BitRange bits, bool bit, bool has_end) {
  return !bit && !has_end && bits.begin < bits.end ? int64_t(bits.end) : -1;
}

// BITPOS key bit [start [end [BYTE | BIT]]]
void bitpos(Context& c) {
  ArgReader args(c, 2);
  const int64_t bit = args.integer();
  if (bit != 0 && bit != 1) args.error("ERR The bit argument must be 1 or 0.");
  if (!args.ok()) return;
  const Entry* entry = c.read(1, Type::kString);
  if (c.failed()) return;
  if (!entry) return c.reply().integer(bit == 1 ? -1 : 0);
  RangeArguments range;
  if (args.left() > 3) args.syntax_error();
  if (args.more()) range.start = args.integer();
  if (args.left() == 2) range.read_unit(args, c.arg(args.position() + 1));
  const bool has_end = args.more();
  if (has_end) range.end = args.integer();
  if (!args.ok()) return;
  TextBuffer buffer;
  const std::string_view bytes = entry->text(buffer);
  const ds::BitRange bits = range.in(bytes);
  const auto found = ds::find_bit(bytes, bit == 1, bits);
  c.reply().integer(found ? int64_t(*found) : position_behind(bits, bit == 1, has_end));
}

// --- BITOP

std::optional<ds::BitOperation> read_operation(std::string_view word) {
  if (equals_ignoring_case(word, "AND")) return ds::BitOperation::kAnd;
  if (equals_ignoring_case(word, "OR")) return ds::BitOperation::kOr;
  if (equals_ignoring_case(word, "XOR")) return ds::BitOperation::kXor;
  if (equals_ignoring_case(word, "NOT")) return ds::BitOperation::kNot;
  return std::nullopt;
}

// The strings under the keys from a position on.
class Sources {
 public:
  Sources(Context& c, size_t first) {
    const size_t count = c.arg_count() - first;
    texts_.reserve(count);
    numbers_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const Entry* entry = c.read(first + i, Type::kString);
      if (c.failed()) return;
      texts_.push_back(entry ? entry->text(numbers_[i]) : std::string_view());
    }
  }
  std::span<const std::string_view> texts() const { return texts_; }
  size_t longest() const {
    size_t length = 0;
    for (const std::string_view text : texts_) length = std::max(length, text.size());
    return length;
  }

 private:
  std::vector<std::string_view> texts_;
  std::vector<TextBuffer> numbers_;  // room for the texts of those that are kept as numbers
};

// BITOP <AND | OR | XOR | NOT> destkey key [key ...]
void bitop(Context& c) {
  const auto operation = read_operation(c.arg(1));
  if (!operation) return c.fail(errors::kSyntax);
  if (*operation == ds::BitOperation::kNot && c.arg_count() != 4)
    return c.fail("ERR BITOP NOT must be called with a single source key.");
  const Sources sources(c, 3);
  if (c.failed()) return;

  // The old value, which may be one of the sources, lives until the new one is made.
  const Key key = c.key(2);
  Entry* old = c.write(key);
  Detached replaced = old ? c.db().detach(key, old) : Detached();
  const size_t length = sources.longest();
  if (length != 0) {
    Entry* entry = c.db().set_string(key, "", kNoExpiry, nullptr);
    ds::combine(*operation, sources.texts(), c.db().edit_string(key, entry, length));
    c.modified(key, KeyEventClass::kString, "set");
  } else if (replaced) {
    c.modified(key, KeyEventClass::kGeneric, "del");
  }
  if (replaced && c.config().lazyfree_lazy_server_del)
    c.services().lazy_free.add(std::move(replaced));
  c.reply().integer(int64_t(length));
}

constexpr Group kGroup = Group::kBitmap;

constexpr CommandSpec kTable[] = {
    {.name = "setbit",
     .handler = setbit,
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .since = "2.2.0",
     .group = kGroup,
     .summary = "Sets or clears one bit of a string, and returns what it was.",
     .complexity = "O(1)",
     .syntax = "key offset value"},
    {.name = "getbit",
     .handler = getbit,
     .arity = 3,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "2.2.0",
     .group = kGroup,
     .summary = "Returns one bit of a string.",
     .complexity = "O(1)",
     .syntax = "key offset"},
    {.name = "bitcount",
     .handler = bitcount,
     .arity = -2,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.6.0",
     .group = kGroup,
     .summary = "Counts the bits of a string that are set.",
     .complexity = "O(N) for N bytes",
     .syntax = "key [start end [BYTE | BIT]]"},
    {.name = "bitpos",
     .handler = bitpos,
     .arity = -3,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.8.7",
     .group = kGroup,
     .summary = "Finds the first bit of a string that is set, or clear.",
     .complexity = "O(N) for N bytes",
     .syntax = "key bit [start [end [BYTE | BIT]]]"},
    {.name = "bitop",
     .handler = bitop,
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .keys = key_at(2),
     .more_keys = keys_between(3, -1),
     .since = "2.6.0",
     .group = kGroup,
     .summary = "Combines strings bit by bit, and stores the result.",
     .complexity = "O(N) for N bytes of all strings together",
     .syntax = "<AND | OR | XOR | NOT> destkey key [key ...]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> bitmap_commands() {
  return kTable;
}

}  // namespace millrace
