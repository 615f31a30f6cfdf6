// SORT: the elements of a list, set or sorted set in an order of the caller's choosing, or what
// other keys hold for them.
#include <vector>

#include "server/acl/acl.h"
#include "server/commands/collection.h"
#include "server/commands/families.h"
#include "server/commands/sort_order.h"
#include "server/commands/sort_pattern.h"

namespace millrace {
namespace {

using Sense = SortItems::Sense;

struct SortOptions {
  std::optional<SortPattern> by;
  std::vector<SortPattern> get;
  int64_t offset = 0;
  int64_t count = -1;  // negative: all
  bool alpha = false;
  Sense sense = Sense::kAscending;
  size_t store_position = 0;  // of the destination; 0: none

  bool stores() const { return store_position != 0; }
  // BY a pattern without a place for the element: the order they have.
  bool keeps_order() const { return by && !by->names_keys(); }
};

enum class Store : uint8_t { kTaken, kUnknown };

// The keys that patterns name are not among the arguments, so a user needs access to all of them.
void require_all_keys(Context& c, ArgReader& args, std::string_view error) {
  const Acl& acl = c.services().acl;
  if (!acl.limits(c.session())) return;
  if (!acl.may_use_any_key(c.session(), c.command(), c.args(), acl::kReadKey)) args.error(error);
}

constexpr std::string_view kByDenied =
    "ERR BY option of SORT denied due to insufficient ACL permissions.";
constexpr std::string_view kGetDenied =
    "ERR GET option of SORT denied due to insufficient ACL permissions.";

bool take_option(Context& c, ArgReader& args, Store store, SortOptions& options) {
  if (args.take("ASC")) return options.sense = Sense::kAscending, true;
  if (args.take("DESC")) return options.sense = Sense::kDescending, true;
  if (args.take("ALPHA")) return options.alpha = true;
  if (args.take("LIMIT", 2)) {
    options.offset = args.integer();
    options.count = args.integer();
    return true;
  }
  if (args.take("BY", 1)) {
    options.by = SortPattern(args.word());
    if (options.by->names_keys()) require_all_keys(c, args, kByDenied);
    return true;
  }
  if (args.take("GET", 1)) {
    options.get.push_back(SortPattern(args.word()));
    require_all_keys(c, args, kGetDenied);
    return true;
  }
  if (store == Store::kTaken && args.take("STORE", 1)) {
    options.store_position = args.position();
    args.skip();
    return true;
  }
  return false;
}

bool read_options(Context& c, Store store, SortOptions& options) {
  ArgReader args(c, 2);
  while (args.more())
    if (!take_option(c, args, store, options)) args.syntax_error();
  return args.finish();
}

// --- loading

// Which elements are wanted, counted in the order that they will have.
struct Page {
  size_t begin = 0;
  size_t end = 0;  // exclusive
};

Page page_of(const SortOptions& options, size_t size) {
  const auto length = int64_t(size);
  const int64_t begin = std::clamp<int64_t>(options.offset, 0, length);
  const int64_t count = options.count < 0 ? length : std::min(options.count, length);
  return {size_t(begin), size_t(std::min(begin + count, length))};
}

void add_text(SortItems& items, const ds::Element& element) {
  ds::Element::TextBuffer buffer;
  items.add(element.text(buffer));
}

void load_all(const Entry& entry, SortItems& items) {
  items.reserve(entry.collection_size());
  if (entry.type() == Type::kList) {
    entry.list().for_range(0, SIZE_MAX,
                           [&](const ds::Element& element) { add_text(items, element); });
  } else if (entry.type() == Type::kSet) {
    entry.set().for_each([&](std::string_view member) { items.add(member); });
  } else {
    entry.sorted_set().for_each([&](std::string_view member, double) { items.add(member); });
  }
}

// The page alone, in the order the elements have; from the end if it is to be descending.
void load_page(const Entry& entry, Page page, Sense sense, SortItems& items) {
  const size_t count = page.end - page.begin;
  const size_t size = entry.collection_size();
  const size_t begin = sense == Sense::kAscending ? page.begin : size - page.end;
  items.reserve(count);
  if (entry.type() == Type::kList) {
    entry.list().for_range(begin, count,
                           [&](const ds::Element& element) { add_text(items, element); });
  } else {
    entry.sorted_set().for_range({begin, begin + count}, ds::Direction::kForward,
                                 [&](std::string_view member, double) { items.add(member); });
  }
  if (sense == Sense::kDescending) items.reverse();
}

// --- weighing

// False: a weight is no number. One that is missing counts as 0.
bool weigh_by_numbers(Context& c, const SortOptions& options, SortItems& items) {
  bool numbers = true;
  const auto weigh = [&](size_t i, std::optional<std::string_view> text) {
    const auto score = text ? parse_sort_score(*text) : 0.0;
    numbers &= score.has_value();
    items[i].score = score.value_or(0);
  };
  if (!options.by) {
    for (size_t i = 0; i < items.size(); ++i) weigh(i, items[i].element);
  } else {
    PatternReader(c, {&*options.by, 1})
        .read(
            items.size(), [&](size_t i) { return items[i].element; }, weigh);
  }
  return numbers;
}

void weigh_by_words(Context& c, const SortOptions& options, SortItems& items) {
  if (!options.by) {
    for (size_t i = 0; i < items.size(); ++i) items[i].weight = items[i].element;
    return;
  }
  PatternReader(c, {&*options.by, 1})
      .read(
          items.size(), [&](size_t i) { return items[i].element; },
          [&](size_t i, std::optional<std::string_view> word) {
            if (word) items.set_weight(i, *word);
          });
}

// --- answering

using Answer = ds::FunctionRef<void(std::optional<std::string_view>)>;

// What GET asks for, for each element of the page; without GET the element.
void answer(Context& c, const SortOptions& options, const SortItems& items, Page page, Answer add) {
  const auto element = [&](size_t i) { return items[page.begin + i].element; };
  const size_t count = page.end - page.begin;
  if (options.get.empty()) {
    for (size_t i = 0; i < count; ++i) add(element(i));
    return;
  }
  PatternReader(c, options.get)
      .read(count, element, [&](size_t, std::optional<std::string_view> value) { add(value); });
}

void reply_answer(Context& c, const SortOptions& options, const SortItems& items, Page page) {
  c.reply().array((page.end - page.begin) * std::max<size_t>(options.get.size(), 1));
  answer(c, options, items, page, [&](std::optional<std::string_view> value) {
    value ? c.reply().bulk(*value) : c.reply().null();
  });
}

void store_answer(Context& c, const SortOptions& options, const SortItems& items, Page page) {
  ds::QuickList list;
  const ds::ListLimit limit = list_limit(c);
  answer(c, options, items, page, [&](std::optional<std::string_view> value) {
    list.push(ds::End::kBack, value.value_or(""), limit);
  });
  store_result(c, c.key(options.store_position), std::move(list), KeyEventClass::kList,
               "sortstore");
}

// --- the command

bool is_sortable(const Entry& entry) {
  return entry.type() == Type::kList || entry.type() == Type::kSet || entry.type() == Type::kZSet;
}

// The elements in their order, as much of it as the page needs; it is moved to where they stand.
// False: answered an error.
bool make_order(Context& c, const Entry& entry, SortOptions& options, SortItems& items,
                Page& page) {
  // A set's own order may be another one tomorrow: what is stored is sorted in any case.
  if (options.keeps_order() && entry.type() == Type::kSet && (options.stores() || c.is_inner())) {
    options.by.reset();
    options.alpha = true;
  }
  page = page_of(options, entry.collection_size());
  if (options.keeps_order() && entry.type() != Type::kSet) {
    load_page(entry, page, options.sense, items);
    page = {0, items.size()};
    return true;
  }
  load_all(entry, items);
  if (options.keeps_order()) return true;
  if (options.alpha) {
    weigh_by_words(c, options, items);
  } else if (!weigh_by_numbers(c, options, items)) {
    c.fail("ERR One or more scores can't be converted into double");
    return false;
  }
  items.order(options.alpha ? SortItems::By::kWords : SortItems::By::kNumbers, options.sense,
              page.begin, page.end);
  return true;
}

void sort_with(Context& c, Store store) {
  SortOptions options;
  if (!read_options(c, store, options)) return;
  const Entry* entry = c.read(c.key(1));
  if (entry && !is_sortable(*entry)) return c.fail(errors::kWrongType);
  SortItems items;
  Page page;
  if (entry && !make_order(c, *entry, options, items, page)) return;
  options.stores() ? store_answer(c, options, items, page) : reply_answer(c, options, items, page);
}

// SORT key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]
//     [STORE destination]
void sort(Context& c) {
  sort_with(c, Store::kTaken);
}

// SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC]
// [ALPHA]
void sort_ro(Context& c) {
  sort_with(c, Store::kUnknown);
}

constexpr CommandSpec kTable[] = {
    {.name = "sort",
     .handler = sort,
     .arity = -2,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = key_at(1),
     .more_keys = {KeySpec::Kind::kKeyword, 2, 0, 1, "STORE"},
     .since = "1.0.0",
     .group = Group::kGeneric,
     .summary = "Returns or stores the elements of a list, a set or a sorted set in order.",
     .complexity = "O(N+M*log(M)) for N elements of which M are returned",
     .syntax = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] "
               "[ALPHA] [STORE destination]"},
    {.name = "sort_ro",
     .handler = sort_ro,
     .arity = -2,
     .flags = kReadOnly | kMovableKeys,
     .keys = key_at(1),
     .since = "7.0.0",
     .group = Group::kGeneric,
     .summary = "Returns the elements of a list, a set or a sorted set in order.",
     .complexity = "O(N+M*log(M)) for N elements of which M are returned",
     .syntax = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] "
               "[ALPHA]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> sort_commands() {
  return kTable;
}

}  // namespace millrace
