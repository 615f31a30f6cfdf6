#include "server/ds/hash_segment.h"

#include <cstdlib>
#include <cstring>

namespace millrace::ds {
namespace {

// Block sizes in cache lines. Up to 64 each about 1.4 times the one before; from there on
// jemalloc's classes of 4, 5, 6, 7 and 8 KiB. All are classes of jemalloc's, so that no block is
// rounded up.
constexpr uint32_t kBlockLines[] = {1, 3, 5, 8, 12, 16, 24, 32, 48, 64, 80, 96, 112, 128};
// A directory word has 16 bits for the bucket count.
constexpr uint32_t kMaxLines = 65536;

constexpr size_t kFooterBytes = 12;

// As many buckets as fit beside the footer and one overflow count each.
constexpr uint32_t buckets_in(uint32_t lines) {
  return lines == 1 ? 1 : (lines * 64 - static_cast<uint32_t>(kFooterBytes)) / 65;
}

constexpr uint32_t next_line_count(uint32_t lines) {
  for (const uint32_t candidate : kBlockLines) {
    if (candidate > lines) return candidate;
  }
  return lines * 2;
}

constexpr uint32_t lines_of(uint32_t buckets) {
  uint32_t lines = kBlockLines[0];
  while (buckets_in(lines) < buckets) lines = next_line_count(lines);
  return lines;
}

}  // namespace

uint32_t Segment::next_bucket_count(uint32_t buckets) {
  const uint32_t lines = buckets == 0 ? kBlockLines[0] : next_line_count(lines_of(buckets));
  // Half a million elements with the same leading bits of a keyed hash do not happen.
  AE_ASSERT(lines <= kMaxLines);
  return buckets_in(lines);
}

uint32_t Segment::bucket_count_for(size_t elements, size_t percent) {
  uint32_t buckets = buckets_in(kBlockLines[0]);
  while (size_t{buckets} * Bucket::kSlots * percent < elements * 100) {
    buckets = next_bucket_count(buckets);
  }
  return buckets;
}

size_t Segment::block_bytes(uint32_t buckets) {
  return size_t{lines_of(buckets)} * 64;
}

Segment Segment::allocate(uint32_t buckets, unsigned depth) {
  const size_t bytes = block_bytes(buckets);
  void* block = std::aligned_alloc(alignof(Bucket), bytes);
  AE_ASSERT(block != nullptr);
  std::memset(block, 0, bytes);
  const auto address = reinterpret_cast<uint64_t>(block);
  AE_ASSERT((address & ~kBlockMask) == 0);
  return Segment(uint64_t{buckets} << 48 | address | depth);
}

void Segment::free() {
  std::free(buckets());
}

void Segment::count_passage(uint32_t bucket) const {
  uint8_t& count = overflow_counts()[bucket];
  if (count != UINT8_MAX) ++count;
  buckets()[bucket].slots[0] |= slot_bits::kOverflow;
}

void Segment::uncount_passage(uint32_t bucket) const {
  uint8_t& count = overflow_counts()[bucket];
  if (count == UINT8_MAX) return;  // how many there were is no longer known
  if (--count == 0) buckets()[bucket].slots[0] &= ~slot_bits::kOverflow;
}

uint64_t* Segment::place(uint64_t word) const {
  uint32_t at = home_of(slot_bits::tag(word));
  SlotSet empty = buckets()[at].empty();
  while (!empty) {
    count_passage(at);
    at = next(at);
    empty = buckets()[at].empty();
  }
  uint64_t& slot = buckets()[at].slots[empty.first()];
  slot = word | (slot & slot_bits::kOverflow);
  return &slot;
}

void Segment::vacate(uint64_t* slot) const {
  const auto offset = static_cast<size_t>(slot - buckets()->slots);
  const auto place = static_cast<uint32_t>(offset / Bucket::kSlots);
  for (uint32_t at = home_of(slot_bits::tag(*slot)); at != place; at = next(at)) {
    uncount_passage(at);
  }
  *slot = offset % Bucket::kSlots == 0 ? *slot & slot_bits::kOverflow : 0;
}

}  // namespace millrace::ds
