// IntSet: a set of int64 as a sorted array in one block of bytes, the small encoding of sets whose
// members are all integers. Byte-compatible with Redis' intset: RDB files and DUMP carry it
// verbatim.
//
// Layout
//
//     block_ --> +-------------+--------------+---------+---------+-- --+
//                | width:u32le | length:u32le | integer | integer | ... |  slack
//                +-------------+--------------+---------+---------+-- --+
//                0             4              8         8+width
//
// Invariants
//   1. width is 2, 4 or 8: the bytes of every integer (little endian, two's complement).
//   2. The integers are strictly ascending.
//   3. width is at least what the widest integer needs. It grows when a wider one is inserted and
//      never shrinks, so one member beyond 16 bits doubles the set for good: as in Redis, whose
//      bytes these are. (The set that becomes empty starts anew.)
//   4. The block has block_capacity(8 + width * length) bytes, so its size need not be stored; the
//      empty set has no block: block_ points to a constant.
//
// Costs. contains: a binary search without branches, O(log n). insert and erase: the search and one
// memmove, O(n), a plain append when integers arrive in order. The server turns a set into another
// encoding at set-max-intset-entries (512): a kilobyte at 16 bits each.
//
// No thread safety. Bytes from outside come in through from_bytes() only.
//
//   IntSet set;
//   set.insert(17);                       // true: it was new
//   if (set.contains(17)) ...
//   set.for_each([](std::int64_t member) { ... });
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "ae/base/assert.h"
#include "server/ds/block.h"

namespace millrace::ds {

static_assert(std::endian::native == std::endian::little, "intset integers are little endian");

class IntSet {
 public:
  // Far beyond any sensible set-max-intset-entries; keeps sizes within 32 bits.
  static constexpr std::size_t kMaxSize = std::size_t{1} << 27;

  IntSet() : block_(const_cast<char*>(kEmptyBlock)) {}
  ~IntSet() { free_block(); }
  IntSet(IntSet&& other) noexcept : block_(other.release()) {}
  IntSet& operator=(IntSet&& other) noexcept {
    if (this != &other) {
      free_block();
      block_ = other.release();
    }
    return *this;
  }

  // Bytes from outside: nullopt unless they are one whole valid intset with a member, and nothing
  // else.
  static std::optional<IntSet> from_bytes(std::string_view bytes);

  static IntSet copy_of(const IntSet& source);

  // For an entry that keeps the set in a tagged word of its own: the owner's one pointer, and back.
  char* release() { return std::exchange(block_, const_cast<char*>(kEmptyBlock)); }
  static IntSet adopt(char* released) { return IntSet(released); }

  std::size_t size() const { return load(4); }
  bool empty() const { return size() == 0; }
  std::size_t bytes() const { return kHeaderBytes + size() * width(); }
  std::string_view raw() const { return {block_, bytes()}; }
  // Bytes of heap behind this object.
  std::size_t allocated_bytes() const { return is_constant() ? 0 : block_capacity(bytes()); }
  // Bytes per integer: 2, 4 or 8.
  std::uint32_t width() const { return load(0); }

  bool contains(std::int64_t value) const;
  // False: it was there already. Asserts size() < kMaxSize.
  bool insert(std::int64_t value);
  // False: it was not there.
  bool erase(std::int64_t value);

  // The members in ascending order; index < size().
  std::int64_t at(std::size_t index) const;
  std::int64_t front() const { return at(0); }
  std::int64_t back() const { return at(size() - 1); }
  void erase_at(std::size_t index);

  // A member chosen by the caller's 64 random bits. Not empty.
  std::int64_t random(std::uint64_t random_bits) const {
    return at((random_bits >> 32) * size() >> 32);
  }

  // Calls visit(std::int64_t) in ascending order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    switch (width()) {
      case 2:
        return for_each_of<std::int16_t>(visit);
      case 4:
        return for_each_of<std::int32_t>(visit);
      default:
        return for_each_of<std::int64_t>(visit);
    }
  }

  bool check() const;

 private:
  static constexpr std::size_t kHeaderBytes = 8;
  alignas(8) static constexpr char kEmptyBlock[kHeaderBytes] = {2};

  explicit IntSet(char* block) : block_(block) {}

  bool is_constant() const { return block_ == kEmptyBlock; }
  void free_block() {
    if (!is_constant()) block_free(block_, block_capacity(bytes()));
  }

  std::uint32_t load(std::size_t offset) const {
    std::uint32_t number;
    std::memcpy(&number, block_ + offset, sizeof number);
    return number;
  }
  void store(std::size_t offset, std::size_t number) {
    const auto stored = static_cast<std::uint32_t>(number);
    std::memcpy(block_ + offset, &stored, sizeof stored);
  }

  static std::int64_t load_integer(const char* slot, std::size_t width);
  // Little endian: the low bytes come first, whatever the width.
  static void store_integer(char* slot, std::size_t width, std::int64_t value) {
    std::memcpy(slot, &value, width);
  }
  template <typename Integer>
  Integer integer(std::size_t index) const {
    Integer value;
    std::memcpy(&value, slot(index, sizeof value), sizeof value);
    return value;
  }
  char* slot(std::size_t index, std::size_t width) const {
    return block_ + kHeaderBytes + index * width;
  }
  template <typename Integer, typename Visit>
  void for_each_of(Visit&& visit) const {
    const std::size_t end = size();
    for (std::size_t i = 0; i < end; ++i) visit(std::int64_t{integer<Integer>(i)});
  }

  template <typename Integer>
  std::size_t lower_bound_of(Integer value) const;
  std::size_t lower_bound(std::int64_t value) const;
  void resize_block(std::size_t new_bytes);
  void insert_at(std::size_t index, std::int64_t value);
  void widen_and_insert(std::uint32_t new_width, std::int64_t value);

  char* block_;
};

static_assert(sizeof(IntSet) == sizeof(void*));

}  // namespace millrace::ds
