// QuickList: the list type. One pointer, in one of two forms:
//
//     small:   word_ = Listpack                       up to a kilobyte; one block, nothing else
//     chain:   word_ = Record* + 1 byte               more
//                       |
//                       v
//                    +--------+------------------------+
//                    | single | ListChain: nodes, size |---> node records ---> blocks
//                    +--------+------------------------+
//
// What OBJECT ENCODING says is a third thing, decided by Redis 7.2's rules alone: a list is a
// "listpack" until it grows beyond `list-max-listpack-size`, then a "quicklist", and a listpack
// again when it has shrunk to one node of half that size. is_single_listpack() tells. A listpack of
// more than a kilobyte is kept here as a chain of one node, whose free room at both ends makes
// LPUSH cheap (list_node.h), and nobody can tell: for_each_node() hands out the same bytes.
//
// Invariants
//   1. small: the listpack has at most kMaxSmallBytes, or one element; the encoding is "listpack".
//   2. chain, single: exactly one node, packed (or none, once all elements are gone).
//   3. chain, not single: see list_chain.h.
//
// Costs. Push and pop: O(1) amortized, about 15 ns; small lists move up to a kilobyte. at(index):
// O(nodes to the nearer end) + half a node; a node holds up to 8 KiB by default. for_range: the
// search for its first element, then 3 to 4 ns an element. Insert, erase, replace: the search and
// at most a node to move.
//
// Limits. An element in a packed node is at most as large as a node; larger ones have a block of
// their own, of at most 4 GiB (asserted; the protocol's limit is 512 MiB).
//
// Positions. A ListPosition is plain data. Any change makes positions invalid but those it returns:
// erase() returns the element that follows, so that a loop may remove what it stands on, in either
// direction. Elements handed out are views, good until the next change. Values given must not be
// views into this list (LMOVE onto itself copies first). One thread.
//
//   QuickList list;
//   ListLimit limit(config.list_max_listpack_size);
//   list.push(End::kBack, "job", limit);
//   list.for_range(0, 10, [&](const Element& element) { reply.add(element); });
//   list.pop(End::kFront, [&](const Element& element) { ... });  // sees the element; then it goes
//   list.settle_after_removal(limit);                            // ends a command that removed
//
// Idea: the unrolled linked list (Z. Shao, J. Reppy, A. Appel, 1994), as Redis' quicklist (M.
// Stancliff, 2014); the records in an array rather than linked, and the room at both ends of a
// node, are ours.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "server/ds/list_chain.h"

namespace millrace::ds {

class QuickList {
 public:
  using Position = ListPosition;

  QuickList() = default;
  ~QuickList();
  QuickList(QuickList&& other) noexcept : word_(std::exchange(other.word_, empty_word())) {}
  QuickList& operator=(QuickList&& other) noexcept {
    std::swap(word_, other.word_);
    return *this;
  }
  QuickList copy() const;

  std::size_t size() const {
    return is_chain() ? record().chain.size() : ListpackView(small()).size();
  }
  bool empty() const { return size() == 0; }
  // Heap behind this object, in bytes, for MEMORY USAGE.
  std::size_t byte_size() const;

  // ---- encoding

  // "listpack" or "quicklist".
  bool is_single_listpack() const { return !is_chain() || record().single; }
  // Before a command adds `count` values of `bytes` in all: a listpack that would exceed the limit
  // becomes a quicklist. The growing operations below do it; a command that may not reach them
  // (LINSERT without its pivot) and wants to leave what Redis leaves calls it itself. Positions
  // stay good.
  void prepare_to_grow(std::size_t bytes, std::size_t count, const ListLimit& limit);
  // After a command that removed or replaced: one packed node within half the limit becomes a
  // listpack.
  void settle_after_removal(const ListLimit& limit);
  // After loading: one packed node within the limit becomes a listpack.
  void settle_after_load(const ListLimit& limit);

  // ---- the ends

  // Pushes the values in their order: to the front, the last one ends up first.
  void push(End end, std::span<const std::string_view> values, const ListLimit& limit);
  void push(End end, std::string_view value, const ListLimit& limit) {
    push(end, std::span(&value, 1), limit);
  }
  // Calls consume(const Element&), then removes the element; false: the list is empty.
  template <typename Consume>
  bool pop(End end, Consume&& consume) {
    if (empty()) return false;
    const std::size_t index = end == End::kFront ? 0 : node_count() - 1;
    const Cursor at = read_node(index, [end, &consume](const ListNode& node) {
      const Cursor cursor = end == End::kFront ? node.first() : node.last();
      consume(static_cast<const Element&>(node.get(cursor)));
      return cursor;
    });
    drop(end, at);
    return true;
  }

  // ---- reading

  Position first() const;
  Position last() const;
  Position next(const Position& at) const;
  Position previous(const Position& at) const;
  // Negative indexes count from the end, -1 is the last; out of range: none.
  Position seek(std::int64_t index) const;
  Element get(const Position& at) const {
    return is_chain() ? record().chain.node(at.node).get(at.cursor)
                      : ListpackView(small()).get(at.cursor);
  }

  // Calls visit(const Element&) for the elements start .. start + count - 1, or what there is of
  // them.
  template <typename Visit>
  void for_range(std::size_t start, std::size_t count, Visit&& visit) const;

  // What LPOS finds: matches are counted from the front (from the back if `rank` is negative), the
  // first |rank| - 1 of them are passed over, and at most `max_compared` elements are looked at.
  struct Search {
    std::int64_t rank = 1;  // not 0
    std::size_t max_matches = 1;
    std::size_t max_compared = SIZE_MAX;
  };
  // Calls found(std::size_t index) for each match.
  template <typename Found>
  void find(std::string_view value, const Search& search, Found&& found) const;
  // The first element, from the front, that equals the value.
  Position find(std::string_view value) const;

  // Calls visit(const ListNode&) for each node; node.raw() and node.plain are what RDB stores of
  // it.
  template <typename Visit>
  void for_each_node(Visit&& visit) const {
    for (std::size_t i = 0; i < node_count(); ++i) visit(node(i));
  }
  std::size_t node_count() const {
    return is_chain() ? record().chain.node_count() : (empty() ? 0 : 1);
  }

  // ---- in the middle

  void insert(const Position& at, Side side, std::string_view value, const ListLimit& limit);
  void replace(const Position& at, std::string_view value, const ListLimit& limit);
  // Returns the element that follows in the given direction, or none.
  Position erase(const Position& at, Direction direction = Direction::kForward);
  // Removes the elements start .. start + count - 1, or what there is of them; returns how many.
  std::size_t erase_range(std::size_t start, std::size_t count);
  // Removes up to `count` equal elements from the front, up to -count from the back if it is
  // negative, all of them if it is 0; returns how many.
  std::size_t remove_matching(std::string_view value, std::int64_t count);

  // ---- whole nodes, for loading; settle_after_load() at the end

  void append_node(Listpack&& pack);  // not empty
  void append_plain(std::string_view element);
  // Frees up to `nodes` nodes from the back, so that a large list can be freed in slices. Returns
  // whether the list is empty now.
  bool free_some(std::size_t nodes);

  bool check() const;

 private:
  // Above, a kilobyte's move per push costs more than the 150 bytes of a chain.
  static constexpr std::uint32_t kMaxSmallBytes = 1024;
  // Below, a chain becomes small again; half, so that a list does not change form with every
  // command.
  static constexpr std::uint32_t kMinChainBytes = kMaxSmallBytes / 2;

  struct Record {
    bool single = false;  // what OBJECT ENCODING says: a listpack
    ListChain chain;
  };
  // A value to be compared with many elements. One that no listpack could hold is not encoded.
  struct Needle {
    explicit Needle(std::string_view value)
        : text(value), entry(value.size() < kMaxListpackBytes ? value : std::string_view()) {}
    bool matches(const ListNode& node, Cursor at) const {
      if (node.plain != 0) return node.raw() == text;
      return entry.equals(node.block + node.head + at.offset) && text.size() < kMaxListpackBytes;
    }
    std::string_view text;
    EncodedEntry entry;
  };

  static char* empty_word() { return Listpack().release(); }

  bool is_chain() const { return (reinterpret_cast<std::uintptr_t>(word_) & 1) != 0; }
  char* small() const { return word_; }
  Record& record() { return *reinterpret_cast<Record*>(word_ - 1); }
  const Record& record() const { return *reinterpret_cast<const Record*>(word_ - 1); }

  // Lends the small form as the owner it is.
  template <typename Change>
  auto change_small(Change&& change) {
    struct Loan {
      explicit Loan(QuickList& borrower) : list(borrower), pack(Listpack::adopt(list.small())) {}
      ~Loan() { list.word_ = pack.release(); }
      QuickList& list;
      Listpack pack;
    } loan(*this);
    return change(loan.pack);
  }

  // A record of three words, made up for the small form.
  ListNode peek_small() const {
    const ListpackView pack(small());
    return ListNode::peek(pack, pack.size());
  }
  // Calls read(const ListNode&). In place: to copy a record that was changed a moment ago, as pop
  // after push would, makes the processor wait until the narrow stores have reached the cache.
  template <typename Read>
  auto read_node(std::size_t index, Read&& read) const {
    return is_chain() ? read(record().chain.node(index)) : read(peek_small());
  }
  // A copy, for loops that stay within a node.
  ListNode node(std::size_t index) const {
    return is_chain() ? record().chain.node(index) : peek_small();
  }
  // Of the one listpack the list is.
  std::size_t single_bytes() const {
    return is_chain() ? record().chain.node(0).bytes : ListpackView(small()).bytes();
  }
  std::size_t count_of(std::size_t index) const {
    return is_chain() ? record().chain.node(index).count : size();
  }

  struct Place {
    Position position;
    std::size_t index_in_node = 0;
  };
  Place locate(std::size_t index) const;
  Position first_of(std::size_t index) const;
  Position last_of(std::size_t index) const;
  Position next_match(const Needle& needle, Position from, Direction direction) const;

  Record& become_chain();
  void become_small();
  void make_small_if_tiny();
  void drop(End end, Cursor at);
  void push_small(End end, std::string_view value);
  void push_one(End end, std::string_view value);
  Position erase_small(const Position& at, Direction direction);

  char* word_ = empty_word();
};

static_assert(sizeof(QuickList) == sizeof(void*));

template <typename Visit>
void QuickList::for_range(std::size_t start, std::size_t count, Visit&& visit) const {
  if (start >= size() || count == 0) return;
  count = std::min(count, size() - start);
  const Position from = locate(start).position;
  Cursor cursor = from.cursor;
  for (std::size_t i = from.node; count != 0; ++i) {
    const ListNode here = node(i);
    if (i != from.node) cursor = here.first();
    here.for_each(cursor, count, [&count, &visit](const Element& element) {
      --count;
      visit(element);
    });
  }
}

template <typename Found>
void QuickList::find(std::string_view value, const Search& search, Found&& found) const {
  const Needle needle(value);
  const bool forward = search.rank > 0;
  const auto rank = static_cast<std::uint64_t>(search.rank);
  std::uint64_t passed_over = forward ? rank - 1 : ~rank;
  std::size_t matches = search.max_matches;
  std::size_t index = forward ? 0 : size() - 1;
  std::size_t compared = std::min(search.max_compared, size());
  for (std::size_t n = 0; n < node_count() && compared > 0 && matches > 0; ++n) {
    const ListNode here = node(forward ? n : node_count() - 1 - n);
    Cursor at = forward ? here.first() : here.last();
    for (; at && compared > 0 && matches > 0; --compared, index += forward ? 1 : SIZE_MAX) {
      if (needle.matches(here, at) && (passed_over == 0 || passed_over-- == 0)) {
        --matches;
        found(index);
      }
      at = forward ? here.next(at) : here.previous(at);
    }
  }
}

}  // namespace millrace::ds
