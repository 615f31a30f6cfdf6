// A table with the structure of another and elements of its own. The place of an element follows
// from its hash and its segment's bucket count alone, so the blocks are copied as they are, and
// only the pointers in the slots change: no key is hashed, no segment grows.
#include <cstring>

#include "server/ds/hash_core.h"

namespace millrace::ds {
namespace {

void prefetch_elements(const Bucket& bucket) {
  for (const uint64_t word : bucket.slots) ae::prefetch(slot_bits::pointer(word));
}

void copy_elements(Segment segment, HashCore::CopyElement copy_element) {
  for (uint32_t at = 0; at < segment.bucket_count(); ++at) {
    if (at + 1 < segment.bucket_count()) prefetch_elements(segment.buckets()[at + 1]);
    for (uint64_t& word : segment.buckets()[at].slots) {
      if (!slot_bits::occupied(word)) continue;
      const void* copied = copy_element(slot_bits::pointer(word));
      word = (word & ~slot_bits::kPointerMask) | slot_bits::make(copied, 0);
    }
  }
}

Segment copy_of(Segment segment) {
  const Segment copied = Segment::allocate(segment.bucket_count(), segment.depth());
  std::memcpy(copied.buckets(), segment.buckets(), Segment::block_bytes(segment.bucket_count()));
  return copied;
}

}  // namespace

void HashCore::copy_from(const HashCore& other, CopyElement copy_element) {
  AE_ASSERT(root_ == 0 && other.clearing_ == 0);
  if (other.root_ == 0) return;
  size_ = other.size_;
  marked_ = other.marked_;
  memory_bytes_ = other.memory_bytes_;
  segment_count_ = other.segment_count_;
  deepest_count_ = other.deepest_count_;
  depth_ = other.depth_;
  if (depth_ != 0) root_ = reinterpret_cast<uint64_t>(new uint64_t[directory_size()]);
  for (uint32_t index = 0; index < directory_size();) {
    const Segment segment = copy_of(other.segment_at(index));
    copy_elements(segment, copy_element);
    install(index, span_of(segment), segment);
    index += span_of(segment);
  }
}

}  // namespace millrace::ds
