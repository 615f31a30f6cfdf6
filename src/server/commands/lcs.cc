// LCS: the longest common subsequence of two strings, by the table of textbooks.
//
// Cell (i, j) is the length for the first i bytes of `a` and the first j of `b`:
//
//          x  m  y      row 0 and column 0 are zero
//       0  0  0  0
//    m  0  0  1  1      equal bytes: one more than the cell up and left
//    y  0  0  1  2      others: the greater of the cell above and the cell to the left
//
// From the last cell backwards, steps that go up and left are the bytes in common. Of several
// subsequences as long, which one it is follows from the preferred step; clients see it, so it is
// Redis' (left, unless the cell above is greater).
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "server/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/config/config.h"

namespace millrace {
namespace {

// Bytes in common that are neighbours in both strings.
struct Run {
  size_t in_a, in_b, length;
};

class LcsTable {
 public:
  using Cell = uint32_t;
  // A row or column is counted by a Cell.
  static constexpr size_t kMaxLength = UINT32_MAX - 2;

  static uint64_t cells(std::string_view a, std::string_view b) {
    return uint64_t(a.size() + 1) * (b.size() + 1);
  }

  // False: there is no memory for it.
  bool fill(std::string_view a, std::string_view b) {
    a_ = a, b_ = b, width_ = b.size() + 1;
    cells_.reset(new (std::nothrow) Cell[cells(a, b)]);
    if (!cells_) return false;
    for (size_t j = 0; j <= b.size(); ++j) at(0, j) = 0;
    for (size_t i = 1; i <= a.size(); ++i) fill_row(i);
    return true;
  }

  size_t length() const { return at(a_.size(), b_.size()); }

  // From the last run to the first.
  template <class OnRun>
  void for_each_run(OnRun&& on_run) const {
    size_t i = a_.size(), j = b_.size();
    while (i > 0 && j > 0) {
      if (const size_t length = run_before(i, j)) {
        i -= length, j -= length;
        on_run(Run{i, j, length});
      } else if (at(i - 1, j) > at(i, j - 1)) {
        --i;
      } else {
        --j;
      }
    }
  }

 private:
  Cell& at(size_t i, size_t j) { return cells_[i * width_ + j]; }
  Cell at(size_t i, size_t j) const { return cells_[i * width_ + j]; }

  void fill_row(size_t i) {
    at(i, 0) = 0;
    for (size_t j = 1; j <= b_.size(); ++j)
      at(i, j) =
          a_[i - 1] == b_[j - 1] ? at(i - 1, j - 1) + 1 : std::max(at(i - 1, j), at(i, j - 1));
  }

  size_t run_before(size_t i, size_t j) const {
    size_t length = 0;
    while (length < i && length < j && a_[i - 1 - length] == b_[j - 1 - length]) ++length;
    return length;
  }

  std::string_view a_, b_;
  size_t width_ = 0;
  std::unique_ptr<Cell[]> cells_;
};

struct LcsOptions {
  bool length_only = false;
  bool ranges = false;
  bool range_lengths = false;
  int64_t shortest_range = 0;
};

bool read_options(Context& c, LcsOptions& options) {
  ArgReader args(c, 3);
  while (args.more()) {
    if (args.take("LEN")) {
      options.length_only = true;
    } else if (args.take("IDX")) {
      options.ranges = true;
    } else if (args.take("WITHMATCHLEN")) {
      options.range_lengths = true;
    } else if (args.take("MINMATCHLEN", 1)) {
      options.shortest_range = args.integer();
    } else {
      args.syntax_error();
    }
  }
  if (args.ok() && options.length_only && options.ranges)
    args.error("ERR If you want both the length and indexes, please just use IDX.");
  return args.finish();
}

// The table is bounded by what a string may be, so that two strings cannot ask for its square.
bool fill_table(Context& c, LcsTable& table, std::string_view a, std::string_view b) {
  if (std::max(a.size(), b.size()) > LcsTable::kMaxLength) {
    c.fail("ERR String too long for LCS");
  } else if (LcsTable::cells(a, b) > c.config().proto_max_bulk_len_bytes / sizeof(LcsTable::Cell)) {
    c.fail("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  } else if (!table.fill(a, b)) {
    c.fail("ERR Insufficient memory, failed allocating transient memory for LCS");
  }
  return !c.failed();
}

void reply_text(Context& c, const LcsTable& table, std::string_view a) {
  std::string text(table.length(), '\0');
  size_t begin = text.size();
  table.for_each_run([&](const Run& run) {
    begin -= run.length;
    std::memcpy(text.data() + begin, a.data() + run.in_a, run.length);
  });
  c.reply().bulk(text);
}

void reply_range(Context& c, size_t start, size_t length) {
  c.reply().array(2);
  c.reply().integer(int64_t(start));
  c.reply().integer(int64_t(start + length - 1));
}

void reply_ranges(Context& c, const LcsTable& table, const LcsOptions& options) {
  c.reply().map(2);
  c.reply().bulk("matches");
  size_t count = 0;
  proto::DeferredLength matches = c.reply().defer_array();
  table.for_each_run([&](const Run& run) {
    if (int64_t(run.length) < options.shortest_range) return;
    c.reply().array(options.range_lengths ? 3 : 2);
    reply_range(c, run.in_a, run.length);
    reply_range(c, run.in_b, run.length);
    if (options.range_lengths) c.reply().integer(int64_t(run.length));
    ++count;
  });
  c.reply().finish(matches, count);
  c.reply().bulk("len");
  c.reply().integer(int64_t(table.length()));
}

// LCS key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]
void lcs(Context& c) {
  const Entry* first = c.read(c.key(1));
  const Entry* second = c.read(c.key(2));
  for (const Entry* entry : {first, second})
    if (entry && entry->type() != Type::kString)
      return c.fail("ERR The specified keys must contain string values");
  LcsOptions options;
  if (!read_options(c, options)) return;

  TextBuffer first_buffer, second_buffer;
  const std::string_view a = first ? first->text(first_buffer) : std::string_view();
  const std::string_view b = second ? second->text(second_buffer) : std::string_view();
  LcsTable table;
  if (!fill_table(c, table, a, b)) return;
  if (options.ranges) return reply_ranges(c, table, options);
  if (options.length_only) return c.reply().integer(int64_t(table.length()));
  reply_text(c, table, a);
}

constexpr CommandSpec kTable[] = {
    {.name = "lcs",
     .handler = lcs,
     .arity = -3,
     .flags = kReadOnly,
     .keys = keys_between(1, 2),
     .since = "7.0.0",
     .group = Group::kString,
     .summary = "Finds the longest common subsequence of two strings.",
     .complexity = "O(N*M) for strings of N and M bytes",
     .syntax = "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> lcs_commands() {
  return kTable;
}

}  // namespace millrace
