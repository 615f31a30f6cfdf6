#include "server/ds/quick_list.h"

#include "ae/base/assert.h"

namespace millrace::ds {

QuickList::~QuickList() {
  if (is_chain()) {
    record().~Record();
    block_free(&record(), sizeof(Record));
    return;
  }
  Listpack::adopt(small());
}

QuickList QuickList::copy() const {
  QuickList other;
  if (!is_chain()) {
    const ListpackView pack(small());
    other.change_small([&pack](Listpack& copy) { copy = Listpack::copy_of(pack); });
    return other;
  }
  Record& copy = other.become_chain();
  copy.single = record().single;
  copy.chain.copy_from(record().chain);
  return other;
}

std::size_t QuickList::byte_size() const {
  if (is_chain()) return block_capacity(sizeof(Record)) + record().chain.allocated_bytes();
  const ListpackView pack(small());
  return pack.empty() ? 0 : block_capacity(pack.bytes());
}

// ---- forms

// Turns the small form into a chain of one node (of none, if it is empty). Positions stay good.
QuickList::Record& QuickList::become_chain() {
  AE_ASSERT(!is_chain());
  Listpack pack = Listpack::adopt(small());
  auto* record = new (block_allocate(sizeof(Record))) Record;
  record->single = true;
  if (!pack.empty()) record->chain.append_node(ListNode::adopt(std::move(pack)));
  word_ = reinterpret_cast<char*>(record) + 1;
  return *record;
}

void QuickList::become_small() {
  Record& old = record();
  Listpack pack;
  if (old.chain.node_count() != 0) pack = old.chain.take_only_node();
  old.~Record();
  block_free(&old, sizeof(Record));
  word_ = pack.release();
}

void QuickList::make_small_if_tiny() {
  const ListChain& chain = record().chain;
  if (chain.node_count() == 0 || chain.node(0).bytes <= kMinChainBytes) become_small();
}

void QuickList::prepare_to_grow(std::size_t bytes, std::size_t count, const ListLimit& limit) {
  if (is_chain() && record().chain.node_count() == 0) become_small();
  if (!is_single_listpack()) return record().chain.set_limit(limit);
  const std::size_t old_count = size();
  const std::size_t old_bytes = single_bytes();
  if (!limit.exceeded_by(old_bytes + bytes, old_count + count)) return;
  Record& grown = is_chain() ? record() : become_chain();
  grown.single = false;
  grown.chain.set_limit(limit);
}

void QuickList::settle_after_removal(const ListLimit& limit) {
  if (!is_chain()) return;
  const ListChain& chain = record().chain;
  if (chain.node_count() > 1) return;
  if (!record().single && chain.node_count() == 1) {
    const ListNode& node = chain.node(0);
    if (node.plain != 0 || !limit.is_half_small(node.bytes, node.count)) return;
  }
  record().single = true;
  make_small_if_tiny();
}

void QuickList::settle_after_load(const ListLimit& limit) {
  if (!is_chain()) return;
  record().chain.set_limit(limit);
  if (node_count() != 1) return;
  const ListNode node = this->node(0);
  if (node.plain != 0 || !limit.is_small(node.bytes, node.count)) return;
  record().single = true;
  make_small_if_tiny();
}

// ---- the ends

void QuickList::push(End end, std::span<const std::string_view> values, const ListLimit& limit) {
  std::size_t bytes = 0;
  for (std::string_view value : values) bytes += value.size();
  prepare_to_grow(bytes, values.size(), limit);
  for (std::string_view value : values) push_one(end, value);
}

void QuickList::push_one(End end, std::string_view value) {
  if (!is_chain()) return push_small(end, value);
  ListChain& chain = record().chain;
  if (record().single) return chain.push_into_only_node(end, value);
  chain.push(end, value);
}

void QuickList::push_small(End end, std::string_view value) {
  const EncodedEntry entry(value);
  const ListpackView pack(small());
  if (!pack.empty() && pack.bytes() + entry.entry_size() > kMaxSmallBytes) {
    return become_chain().chain.push_into_only_node(end, value);
  }
  change_small([&](Listpack& owned) {
    if (end == End::kFront) {
      owned.prepend(entry);
    } else {
      owned.append(entry);
    }
  });
}

void QuickList::drop(End end, Cursor at) {
  if (is_chain()) return record().chain.pop(end);
  change_small([at](Listpack& pack) { pack.erase(at); });
}

// ---- positions

QuickList::Position QuickList::first() const {
  if (empty()) return {};
  return first_of(0);
}

QuickList::Position QuickList::last() const {
  if (empty()) return {};
  return last_of(node_count() - 1);
}

QuickList::Position QuickList::first_of(std::size_t index) const {
  const auto first = [](const ListNode& node) { return node.first(); };
  return {static_cast<std::uint32_t>(index), read_node(index, first)};
}

QuickList::Position QuickList::last_of(std::size_t index) const {
  const auto last = [](const ListNode& node) { return node.last(); };
  return {static_cast<std::uint32_t>(index), read_node(index, last)};
}

QuickList::Position QuickList::next(const Position& at) const {
  const auto next = [&at](const ListNode& node) { return node.next(at.cursor); };
  if (const Cursor cursor = read_node(at.node, next)) return {at.node, cursor};
  if (at.node + 1 == node_count()) return {};
  return first_of(at.node + 1);
}

QuickList::Position QuickList::previous(const Position& at) const {
  const auto previous = [&at](const ListNode& node) { return node.previous(at.cursor); };
  if (const Cursor cursor = read_node(at.node, previous)) return {at.node, cursor};
  if (at.node == 0) return {};
  return last_of(at.node - 1);
}

QuickList::Position QuickList::seek(std::int64_t index) const {
  const auto count = static_cast<std::int64_t>(size());
  if (index < -count || index >= count) return {};
  return locate(static_cast<std::size_t>(index < 0 ? index + count : index)).position;
}

// Adds up the counts of the nodes from the nearer end. index < size().
QuickList::Place QuickList::locate(std::size_t index) const {
  std::size_t i = 0;
  std::size_t before = 0;  // elements in front of node i
  if (index < size() / 2) {
    for (; before + count_of(i) <= index; ++i) before += count_of(i);
  } else {
    i = node_count() - 1;
    for (before = size() - count_of(i); before > index; before -= count_of(i)) --i;
  }
  const std::size_t in_node = index - before;
  const Cursor cursor = node(i).seek(static_cast<std::uint32_t>(in_node));
  return {{static_cast<std::uint32_t>(i), cursor}, in_node};
}

QuickList::Position QuickList::find(std::string_view value) const {
  return next_match(Needle(value), first(), Direction::kForward);
}

// ---- in the middle

void QuickList::insert(const Position& at, Side side, std::string_view value,
                       const ListLimit& limit) {
  prepare_to_grow(value.size(), 1, limit);
  if (!is_single_listpack()) return record().chain.insert(at, side, value);
  if (is_chain()) return record().chain.insert_into_node(at, side, value);
  const EncodedEntry entry(value);
  if (ListpackView(small()).bytes() + entry.entry_size() > kMaxSmallBytes) {
    return become_chain().chain.insert_into_node(at, side, value);
  }
  change_small([&](Listpack& pack) {
    if (side == Side::kBefore) {
      pack.insert_before(at.cursor, entry);
    } else {
      pack.insert_after(at.cursor, entry);
    }
  });
}

void QuickList::replace(const Position& at, std::string_view value, const ListLimit& limit) {
  prepare_to_grow(value.size(), 1, limit);
  if (!is_single_listpack()) return record().chain.replace(at, value);
  if (is_chain()) return record().chain.replace_in_node(at, value);
  const EncodedEntry entry(value);
  if (ListpackView(small()).bytes() + entry.entry_size() > kMaxSmallBytes) {
    return become_chain().chain.replace_in_node(at, value);
  }
  change_small([&](Listpack& pack) { pack.replace(at.cursor, entry); });
}

QuickList::Position QuickList::erase(const Position& at, Direction direction) {
  return is_chain() ? record().chain.erase(at, direction) : erase_small(at, direction);
}

QuickList::Position QuickList::erase_small(const Position& at, Direction direction) {
  const Cursor previous = ListpackView(small()).previous(at.cursor);
  const Cursor next = change_small([&at](Listpack& pack) { return pack.erase(at.cursor); });
  return {0, direction == Direction::kForward ? next : previous};
}

std::size_t QuickList::erase_range(std::size_t start, std::size_t count) {
  if (start >= size() || count == 0) return 0;
  count = std::min(count, size() - start);
  const Place from = locate(start);
  if (is_chain()) {
    record().chain.erase_range(from.position, from.index_in_node, count);
  } else {
    change_small([&](Listpack& pack) { pack.erase(from.position.cursor, count); });
  }
  return count;
}

std::size_t QuickList::remove_matching(std::string_view value, std::int64_t count) {
  const Needle needle(value);
  const Direction direction = count < 0 ? Direction::kBackward : Direction::kForward;
  std::uint64_t most = static_cast<std::uint64_t>(count);
  if (count < 0) most = 0 - most;
  if (count == 0) most = UINT64_MAX;
  std::size_t removed = 0;
  Position at = next_match(needle, direction == Direction::kForward ? first() : last(), direction);
  for (; at && removed < most; ++removed) {
    at = next_match(needle, erase(at, direction), direction);
  }
  return removed;
}

// The first match from `from` on, itself included.
QuickList::Position QuickList::next_match(const Needle& needle, Position from,
                                          Direction direction) const {
  const bool forward = direction == Direction::kForward;
  while (from) {
    const ListNode here = node(from.node);
    for (Cursor at = from.cursor; at; at = forward ? here.next(at) : here.previous(at)) {
      if (needle.matches(here, at)) return {from.node, at};
    }
    if (forward ? from.node + 1 == node_count() : from.node == 0) return {};
    from = forward ? first_of(from.node + 1) : last_of(from.node - 1);
  }
  return {};
}

// ---- whole nodes

void QuickList::append_node(Listpack&& pack) {
  AE_ASSERT(!pack.empty());
  Record& loaded = is_chain() ? record() : become_chain();
  loaded.single = false;
  loaded.chain.append_node(ListNode::adopt(std::move(pack)));
}

void QuickList::append_plain(std::string_view element) {
  Record& loaded = is_chain() ? record() : become_chain();
  loaded.single = false;
  loaded.chain.append_node(ListNode::make_plain(element));
}

bool QuickList::free_some(std::size_t nodes) {
  if (is_chain()) return record().chain.free_some(nodes);
  *this = QuickList();
  return true;
}

bool QuickList::check() const {
  if (!is_chain()) {
    const ListpackView pack(small());
    return pack.check() && (pack.bytes() <= kMaxSmallBytes || pack.size() == 1);
  }
  if (record().single && node_count() > 1) return false;
  if (record().single && node_count() == 1 && node(0).plain != 0) return false;
  return record().chain.check();
}

}  // namespace millrace::ds
