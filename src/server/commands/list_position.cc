// Lists by position and by value: LRANGE, LINDEX, LSET, LINSERT, LREM, LTRIM, LPOS.
#include "server/commands/collection.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

constexpr auto kList = KeyEventClass::kList;

void reply_element(proto::ReplyWriter& reply, const ds::Element& element) {
  if (element.is_integer()) return reply.bulk_integer(element.integer());
  reply.bulk(element.string());
}

// After elements were removed, if any are left.
void settle(Context& c, Key key, Entry* entry) {
  if (entry->list().empty()) return c.remove(key);
  entry->list().settle_after_removal(list_limit(c));
}

// LLEN key
void llen(Context& c) {
  const Entry* entry = c.read(1, Type::kList);
  if (c.failed()) return;
  c.reply().integer(entry ? int64_t(entry->list().size()) : 0);
}

// LRANGE key start stop
void lrange(Context& c) {
  ArgReader args(c, 2);
  const int64_t start = args.integer(), stop = args.integer();
  if (!args.finish()) return;
  const Entry* entry = c.read(1, Type::kList);
  if (c.failed()) return;
  if (!entry) return c.reply().empty_array();
  const ds::QuickList& list = entry->list();
  const IndexRange range = index_range(start, stop, list.size());
  proto::ReplyWriter& reply = c.reply();
  reply.array(range.size());
  list.for_range(range.begin, range.size(),
                 [&reply](const ds::Element& element) { reply_element(reply, element); });
}

// LINDEX key index
void lindex(Context& c) {
  const Entry* entry = c.read(1, Type::kList);
  if (c.failed()) return;
  if (!entry) return c.reply().null();
  ArgReader args(c, 2);
  const int64_t index = args.integer();
  if (!args.finish()) return;
  const auto position = entry->list().seek(index);
  if (!position) return c.reply().null();
  reply_element(c.reply(), entry->list().get(position));
}

// LSET key index element
void lset(Context& c) {
  Entry* entry = c.write(1, Type::kList);
  if (c.failed()) return;
  if (!entry) return c.fail(errors::kNoSuchKey);
  const auto index = ae::parse_int64(c.arg(2));
  if (!index) return c.fail(errors::kNotInteger);
  ds::QuickList& list = entry->list();
  // Redis grows the encoding for the new element before it looks for the old one.
  list.prepare_to_grow(c.arg(3).size(), 1, list_limit(c));
  const auto position = list.seek(*index);
  if (!position) return c.fail(errors::kIndexOutOfRange);
  list.replace(position, c.arg(3), list_limit(c));
  list.settle_after_removal(list_limit(c));
  c.modified(c.key(1), kList, "lset");
  c.reply().ok();
}

// LINSERT key BEFORE | AFTER pivot element
void linsert(Context& c) {
  ArgReader args(c, 2);
  const bool before = args.take("BEFORE");
  if (!before && !args.take("AFTER")) args.syntax_error();
  const std::string_view pivot = args.word(), element = args.word();
  if (!args.finish()) return;
  Entry* entry = c.write(1, Type::kList);
  if (c.failed()) return;
  if (!entry) return c.reply().integer(0);
  ds::QuickList& list = entry->list();
  list.prepare_to_grow(element.size(), 1, list_limit(c));
  const auto position = list.find(pivot);
  if (!position) return c.reply().integer(-1);
  list.insert(position, before ? ds::Side::kBefore : ds::Side::kAfter, element, list_limit(c));
  c.modified(c.key(1), kList, "linsert");
  c.reply().integer(int64_t(list.size()));
}

// LREM key count element
void lrem(Context& c) {
  ArgReader args(c, 2);
  const int64_t count = args.integer();
  const std::string_view element = args.word();
  if (!args.finish()) return;
  Entry* entry = c.write(1, Type::kList);
  if (c.failed()) return;
  const size_t removed = entry ? entry->list().remove_matching(element, count) : 0;
  c.reply().integer(int64_t(removed));
  if (removed == 0) return;
  c.modified(c.key(1), kList, "lrem");
  settle(c, c.key(1), entry);
}

// LTRIM key start stop
void ltrim(Context& c) {
  ArgReader args(c, 2);
  const int64_t start = args.integer(), stop = args.integer();
  if (!args.finish()) return;
  Entry* entry = c.write(1, Type::kList);
  if (c.failed()) return;
  c.reply().ok();
  if (!entry) return;
  ds::QuickList& list = entry->list();
  const IndexRange kept = index_range(start, stop, list.size());
  list.erase_range(kept.end, list.size() - kept.end);
  list.erase_range(0, kept.begin);
  c.modified(c.key(1), kList, "ltrim");
  settle(c, c.key(1), entry);
}

// --- LPOS

constexpr std::string_view kZeroRank =
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use "
    "negative to start from the end of the list";

struct SearchOptions {
  ds::QuickList::Search search;
  bool counted = false;  // COUNT was given: the answer is an array
};

bool read_search(Context& c, SearchOptions& options) {
  ArgReader args(c, 3);
  while (args.more()) {
    if (args.take("RANK", 1)) {
      options.search.rank = signed_number(args);
      if (options.search.rank == 0) args.error(kZeroRank);
    } else if (args.take("COUNT", 1)) {
      const int64_t count = number_from(args, 0, "ERR COUNT can't be negative");
      options.counted = true;
      options.search.max_matches = count == 0 ? SIZE_MAX : size_t(count);
    } else if (args.take("MAXLEN", 1)) {
      const int64_t most = number_from(args, 0, "ERR MAXLEN can't be negative");
      options.search.max_compared = most == 0 ? SIZE_MAX : size_t(most);
    } else {
      args.syntax_error();
    }
  }
  return args.finish();
}

void reply_matches(Context& c, const ds::QuickList& list, const SearchOptions& options) {
  size_t matches = 0;
  proto::DeferredLength array = c.reply().defer_array();
  list.find(c.arg(2), options.search, [&](size_t index) {
    c.reply().integer(int64_t(index));
    ++matches;
  });
  c.reply().finish(array, matches);
}

// LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]
void lpos(Context& c) {
  SearchOptions options;
  if (!read_search(c, options)) return;
  const Entry* entry = c.read(1, Type::kList);
  if (c.failed()) return;
  if (!entry) return options.counted ? c.reply().empty_array() : c.reply().null();
  if (options.counted) return reply_matches(c, entry->list(), options);
  int64_t found = -1;
  entry->list().find(c.arg(2), options.search, [&](size_t index) { found = int64_t(index); });
  found < 0 ? c.reply().null() : c.reply().integer(found);
}

constexpr Group kGroup = Group::kList;

constexpr CommandSpec kTable[] = {
    {.name = "llen",
     .handler = llen,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Returns the length of a list.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "lrange",
     .handler = lrange,
     .arity = 4,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Returns the elements of a list between two positions.",
     .complexity = "O(S+N) for N elements at a distance S from the nearer end",
     .syntax = "key start stop"},
    {.name = "lindex",
     .handler = lindex,
     .arity = 3,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Returns the element at a position of a list.",
     .complexity = "O(N) for N elements to the nearer end, counted by nodes",
     .syntax = "key index"},
    {.name = "lset",
     .handler = lset,
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Replaces the element at a position of a list.",
     .complexity = "O(N) for N elements to the nearer end, counted by nodes",
     .syntax = "key index element"},
    {.name = "linsert",
     .handler = linsert,
     .arity = 5,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .since = "2.2.0",
     .group = kGroup,
     .summary = "Inserts an element before or after another one of a list.",
     .complexity = "O(N) for N elements up to that one",
     .syntax = "key BEFORE | AFTER pivot element"},
    {.name = "lrem",
     .handler = lrem,
     .arity = 4,
     .flags = kWrite,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Removes elements of a list that equal a value.",
     .complexity = "O(N+M) for N elements looked at and M removed",
     .syntax = "key count element"},
    {.name = "ltrim",
     .handler = ltrim,
     .arity = 4,
     .flags = kWrite,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = kGroup,
     .summary = "Removes what is not between two positions of a list.",
     .complexity = "O(N) for N elements removed",
     .syntax = "key start stop"},
    {.name = "lpos",
     .handler = lpos,
     .arity = -3,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "6.0.6",
     .group = kGroup,
     .summary = "Returns the positions of elements of a list that equal a value.",
     .complexity = "O(N) for N elements looked at",
     .syntax = "key element [RANK rank] [COUNT num-matches] [MAXLEN len]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> list_position_commands() {
  return kTable;
}

}  // namespace millrace
