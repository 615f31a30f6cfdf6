// ListLimit: how large a node of a list may grow; the meaning of `list-max-listpack-size`.
//
//     -1 .. -5    at most 4, 8, 16, 32, 64 KiB of listpack a node (lower numbers count as -5)
//     n > 0       at most n elements a node, and 8 KiB
//     0           counts as 1
//
// The rules are Redis 7.2's to the byte, because OBJECT ENCODING shows where they bite. The limit
// is given with each operation that lets a list grow, so CONFIG SET works from the next command on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace millrace::ds {

class ListLimit {
 public:
  static constexpr int kDefaultFill = -2;

  constexpr explicit ListLimit(int fill = kDefaultFill, std::size_t plain_from = SIZE_MAX)
      : max_bytes_(fill < 0 ? 2048U << std::min(-fill, 5) : kSafeBytes),
        max_count_(fill < 0 ? kNoCount : static_cast<std::uint32_t>(std::max(fill, 1))),
        plain_from_(plain_from) {}

  constexpr std::uint32_t max_bytes() const { return max_bytes_; }
  constexpr std::uint32_t max_count() const { return max_count_; }

  // Whether a listpack of so many bytes and elements is beyond the limit.
  constexpr bool exceeded_by(std::size_t bytes, std::size_t count) const {
    return bytes > max_bytes_ || count > max_count_;
  }
  // Whether a node of so many bytes and elements takes one more. The entry's header and backlen are
  // estimated, as Redis does, not measured.
  constexpr bool takes(std::size_t bytes, std::size_t count, std::size_t value_bytes) const {
    return !exceeded_by(bytes + value_bytes + kEntryOverhead, count + 1);
  }
  // Whether an element of this size gets a node of its own, outside any listpack: what no node
  // could hold, and, so that tests need no large ones, what is at least `plain_from`.
  constexpr bool is_large(std::size_t value_bytes) const {
    return value_bytes > max_bytes_ || value_bytes >= plain_from_;
  }

  // Whether a list in one node goes back to the small encoding: within the limit when it was
  // loaded, within half of it when it has shrunk, so that a list does not change back and forth.
  // With a limit by count the bytes are not looked at.
  constexpr bool is_small(std::size_t bytes, std::size_t count) const {
    return is_small(bytes, count, 1);
  }
  constexpr bool is_half_small(std::size_t bytes, std::size_t count) const {
    return is_small(bytes, count, 2);
  }

  // Whether two neighbours that together have so many bytes and elements should be one node. A
  // quarter is left free: two nodes merged to the brim would be split again by the next insertion.
  constexpr bool merges(std::size_t bytes, std::size_t count) const {
    return bytes <= max_bytes_ / 4 * 3 && (max_count_ == kNoCount || count <= max_count_ / 4 * 3);
  }

 private:
  static constexpr std::uint32_t kSafeBytes = 8192;
  static constexpr std::uint32_t kNoCount = UINT32_MAX;
  static constexpr std::size_t kEntryOverhead = 8;

  constexpr bool is_small(std::size_t bytes, std::size_t count, std::uint32_t divisor) const {
    if (max_count_ != kNoCount) return count <= max_count_ / divisor;
    return bytes <= max_bytes_ / divisor;
  }

  std::uint32_t max_bytes_;
  std::uint32_t max_count_;
  std::size_t plain_from_;
};

}  // namespace millrace::ds
