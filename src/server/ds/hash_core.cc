#include "server/ds/hash_core.h"

#include <vector>

namespace millrace::ds {
namespace {

// Mark and pointer of the word, a new tag, and the bit below it unknown.
uint64_t with_tag(uint64_t word, uint32_t tag) {
  return (word & (slot_bits::kMark | slot_bits::kPointerMask)) | uint64_t{tag}
                                                                     << slot_bits::kTagShift;
}

// f(word) for each occupied slot.
template <class F>
void for_each_slot(Segment segment, F&& f) {
  for (uint32_t at = 0; at < segment.bucket_count(); ++at) {
    for (const uint64_t word : segment.buckets()[at].slots) {
      if (slot_bits::occupied(word)) f(word);
    }
  }
}

// The same, and the elements that must be looked at to know a bit of their hash are on their way.
template <class F>
void for_each_slot_prefetched(Segment segment, F&& f) {
  constexpr uint32_t kBucketsAhead = 3;
  for (uint32_t at = 0; at < segment.bucket_count(); ++at) {
    if (at + kBucketsAhead < segment.bucket_count()) {
      for (const uint64_t word : segment.buckets()[at + kBucketsAhead].slots) {
        if (!slot_bits::next_known(word)) ae::prefetch(slot_bits::pointer(word));
      }
    }
    for (const uint64_t word : segment.buckets()[at].slots) {
      if (slot_bits::occupied(word)) f(word);
    }
  }
}

// Places the word and counts it.
void add(Segment segment, uint64_t word) {
  segment.place(word);
  if (!segment.has_footer()) return;
  ++segment.size();
  segment.marked() += slot_bits::marked(word) ? 1 : 0;
}

}  // namespace

size_t HashCore::bucket_count() const {
  if (root_ == 0) return 0;
  size_t buckets = 0;
  for (uint32_t index = 0; index < directory_size();) {
    const Segment segment = segment_at(index);
    buckets += segment.bucket_count();
    index += span_of(segment);
  }
  return buckets;
}

Segment HashCore::new_segment(uint32_t buckets, unsigned depth) {
  memory_bytes_ += Segment::block_bytes(buckets);
  ++segment_count_;
  return Segment::allocate(buckets, depth);
}

void HashCore::drop_segment(Segment segment) {
  memory_bytes_ -= Segment::block_bytes(segment.bucket_count());
  --segment_count_;
  segment.free();
}

// Fills `count` words of the directory and sets the flag that says whether something is marked
// there.
void HashCore::install(uint32_t first, uint32_t count, Segment segment) {
  const uint64_t flag = marked_in(segment) == 0 ? 0 : Segment::kMarked;
  for (uint32_t i = 0; i < count; ++i) directory()[first + i] = segment.word() | flag;
}

void HashCore::set_marked_flag(uint32_t index, Segment segment, uint64_t flag) {
  const uint64_t word = (segment.word() & ~Segment::kMarked) | flag;
  const uint32_t first = first_index(index, segment);
  for (uint32_t i = 0; i < span_of(segment); ++i) directory()[first + i] = word;
}

void HashCore::make_room(uint64_t hash) {
  if (root_ == 0) {
    root_ = new_segment(1, 0).word();
    deepest_count_ = 1;
    return;
  }
  for (;;) {
    const uint32_t index = index_of(hash);
    const Segment segment = segment_at(index);
    if (!is_full(segment)) return;
    if (segment.bucket_count() >= kMaxBuckets && may_split(segment)) {
      split(index);
    } else {
      resize(index, Segment::next_bucket_count(segment.bucket_count()));
    }
  }
}

bool HashCore::may_split(Segment segment) const {
  return segment.depth() < depth_ ||
         directory_size() * 2 <= kMaxDirectoryPerSegment * (size_t{segment_count_} + 1);
}

// Gives the segment another number of buckets. No element is touched.
void HashCore::resize(uint32_t index, uint32_t buckets) {
  const Segment old = segment_at(index);
  const Segment grown = new_segment(buckets, old.depth());
  for_each_slot(old, [&](uint64_t word) { add(grown, word & ~slot_bits::kOverflow); });
  if (grown.has_footer()) {
    grown.stale() = old.has_footer() && old.stale() != 0 ? buckets : 0;
  }
  install(first_index(index, old), span_of(old), grown);
  drop_segment(old);
}

// Finds out the next bit of the elements in one stale bucket, all of them at once.
void HashCore::refresh_bucket(Segment segment) const {
  Bucket& bucket = segment.buckets()[--segment.stale()];
  for (const uint64_t word : bucket.slots) {
    if (!slot_bits::next_known(word)) ae::prefetch(slot_bits::pointer(word));
  }
  for (uint64_t& word : bucket.slots) {
    if (!slot_bits::occupied(word) || slot_bits::next_known(word)) continue;
    word |= slot_bits::known_next(segment.next_bit_of(hash_of_(slot_bits::pointer(word))));
  }
}

// Each element goes to the half that the top bit of its tag names; its new tag begins one bit
// lower, and the bit it gains at the other end is in the slot or, if the segment has not had enough
// insertions since the last split, in the hash.
void HashCore::split(uint32_t index) {
  if (segment_at(index).depth() == depth_) {
    double_directory();
    index *= 2;
  }
  const Segment old = segment_at(index);
  size_t upper = 0;
  for_each_slot(old, [&](uint64_t word) { upper += slot_bits::tag(word) >> 15; });
  const size_t counts[] = {size_of(old) - upper, upper};
  Segment halves[2];
  for (int i = 0; i < 2; ++i) {
    const uint32_t buckets = Segment::bucket_count_for(counts[i], kFillPercent);
    halves[i] =
        new_segment(buckets < kMinSharedBuckets ? kMinSharedBuckets : buckets, old.depth() + 1);
  }
  for_each_slot_prefetched(old, [&](uint64_t word) {
    const uint32_t tag = slot_bits::tag(word);
    const Segment half = halves[tag >> 15];
    if (slot_bits::next_known(word)) {
      add(half, with_tag(word, (tag << 1 & 0xffff) | slot_bits::next_bit(word)));
    } else {
      add(half, with_tag(word, half.tag_of(hash_of_(slot_bits::pointer(word)))));
    }
  });
  for (const Segment half : halves) half.stale() = half.bucket_count();
  const uint32_t first = first_index(index, old);
  const uint32_t span = span_of(old) / 2;
  install(first, span, halves[0]);
  install(first + span, span, halves[1]);
  if (halves[0].depth() == depth_) deepest_count_ += 2;
  drop_segment(old);
}

// A segment has become sparse.
void HashCore::shrink(uint32_t index) {
  const Segment segment = segment_at(index);
  if (merge(index)) return;
  uint32_t buckets = Segment::bucket_count_for(segment.size(), kFillPercent);
  if (depth_ != 0 && buckets < kMinSharedBuckets) buckets = kMinSharedBuckets;
  if (buckets < segment.bucket_count()) resize(index, buckets);
}

// Joins the segment with its neighbour of the same prefix but one bit, if they are equally deep and
// together fit well into one. The bit comes back as the top bit of the tags: no element is touched.
bool HashCore::merge(uint32_t index) {
  const Segment segment = segment_at(index);
  if (segment.depth() == 0) return false;
  const uint32_t span = span_of(segment);
  const uint32_t first = first_index(index, segment) & ~span;
  const Segment halves[] = {segment_at(first), segment_at(first + span)};
  if (halves[0].depth() != halves[1].depth()) return false;
  const size_t total = size_t{halves[0].size()} + halves[1].size();
  if (total > kMaxMerged) return false;

  const unsigned depth = segment.depth() - 1;
  uint32_t buckets = Segment::bucket_count_for(total, kFillPercent);
  if (depth != 0 && buckets < kMinSharedBuckets) buckets = kMinSharedBuckets;
  const Segment whole = new_segment(buckets, depth);
  for (uint32_t bit = 0; bit < 2; ++bit) {
    for_each_slot(halves[bit], [&](uint64_t word) {
      const uint32_t tag = slot_bits::tag(word);
      add(whole, with_tag(word, bit << 15 | tag >> 1) | slot_bits::known_next(tag & 1));
    });
  }
  if (segment.depth() == depth_) deepest_count_ -= 2;
  install(first, span * 2, whole);
  drop_segment(halves[0]);
  drop_segment(halves[1]);
  while (depth_ != 0 && deepest_count_ == 0) halve_directory();
  return true;
}

void HashCore::double_directory() {
  const size_t old_size = directory_size();
  auto* doubled = new uint64_t[old_size * 2];
  for (size_t i = 0; i < old_size; ++i) doubled[2 * i] = doubled[2 * i + 1] = directory()[i];
  if (depth_ != 0) delete[] directory();
  memory_bytes_ += (depth_ == 0 ? 2 : old_size) * sizeof(uint64_t);
  root_ = reinterpret_cast<uint64_t>(doubled);
  ++depth_;
  deepest_count_ = 0;
}

void HashCore::halve_directory() {
  uint64_t* old = directory();
  const size_t new_size = directory_size() / 2;
  memory_bytes_ -= (new_size == 1 ? 2 : new_size) * sizeof(uint64_t);
  if (--depth_ == 0) {
    root_ = old[0];
    deepest_count_ = 1;
    delete[] old;
    return;
  }
  auto* halved = new uint64_t[new_size];
  deepest_count_ = 0;
  for (size_t i = 0; i < new_size; ++i) {
    halved[i] = old[2 * i];
    deepest_count_ += Segment(halved[i]).depth() == depth_ ? 1 : 0;
  }
  delete[] old;
  root_ = reinterpret_cast<uint64_t>(halved);
}

// From the drawn segment on, the first element there is.
void* HashCore::random_fallback(uint32_t index) const {
  for (size_t i = 0; i <= directory_size(); ++i) {
    void* found = nullptr;
    for_each_slot(segment_at(static_cast<uint32_t>((index + i) % directory_size())),
                  [&](uint64_t word) { found = slot_bits::pointer(word); });
    if (found != nullptr) return found;
  }
  return nullptr;
}

// Gives back the heap, whether the table is in use or half cleared.
void HashCore::release() {
  if (root_ == 0) return;
  uint32_t left = clearing_ != 0 ? clearing_ : static_cast<uint32_t>(directory_size());
  while (left != 0) {
    Segment segment = segment_at(left - 1);
    left -= span_of(segment);
    segment.free();
  }
  forget();
}

// The segments are gone; so goes the directory.
void HashCore::forget() {
  if (depth_ != 0) delete[] directory();
  root_ = size_ = marked_ = memory_bytes_ = 0;
  segment_count_ = deepest_count_ = clearing_ = 0;
  depth_ = 0;
}

// S1 to S5 and T2 of one segment; returns how many slots are marked.
size_t HashCore::check_segment(uint32_t index, Segment segment) const {
  const uint32_t buckets = segment.bucket_count();
  std::vector<size_t> passages(buckets, 0);
  size_t size = 0;
  size_t marked = 0;
  for (uint32_t at = 0; at < buckets; ++at) {
    for (const uint64_t word : segment.buckets()[at].slots) {
      if (!slot_bits::occupied(word)) {
        AE_ASSERT((word & ~slot_bits::kOverflow) == 0);
        continue;
      }
      const uint64_t hash = hash_of_(slot_bits::pointer(word));
      AE_ASSERT(index_of(hash) >= index && index_of(hash) < index + span_of(segment));
      AE_ASSERT(segment.tag_of(hash) == slot_bits::tag(word));
      AE_ASSERT(!slot_bits::next_known(word) ||
                segment.next_bit_of(hash) == slot_bits::next_bit(word));
      AE_ASSERT(slot_bits::next_known(word) || at < segment.stale());  // S4
      for (uint32_t b = segment.home_of(slot_bits::tag(word)); b != at; b = segment.next(b)) {
        AE_ASSERT(segment.buckets()[b].overflowed());
        ++passages[b];
      }
      ++size;
      marked += slot_bits::marked(word) ? 1 : 0;
    }
  }
  AE_ASSERT(size == size_of(segment) && marked == marked_in(segment));
  AE_ASSERT(size <= Segment::max_elements(buckets));
  for (uint32_t at = 0; at < buckets && segment.has_footer(); ++at) {
    const uint8_t count = segment.overflow_counts()[at];
    AE_ASSERT(count == UINT8_MAX || count == passages[at]);
    AE_ASSERT((count != 0) == segment.buckets()[at].overflowed());
  }
  return marked;
}

void HashCore::check() const {
  if (root_ == 0) {
    AE_ASSERT(size_ == 0 && marked_ == 0 && memory_bytes_ == 0 && depth_ == 0);
    return;
  }
  AE_ASSERT(clearing_ == 0);
  size_t size = 0;
  size_t marked = 0;
  size_t memory = depth_ == 0 ? 0 : directory_size() * sizeof(uint64_t);
  uint32_t segments = 0;
  uint32_t deepest = 0;
  for (uint32_t index = 0; index < directory_size();) {
    const Segment segment = segment_at(index);
    AE_ASSERT(segment.depth() <= depth_ && index % span_of(segment) == 0);  // T1
    for (uint32_t i = 1; i < span_of(segment); ++i) {
      AE_ASSERT(segment_at(index + i).word() == segment.word());
    }
    const size_t marked_here = check_segment(index, segment);
    AE_ASSERT((marked_here != 0) == ((segment.word() & Segment::kMarked) != 0));  // T3
    size += size_of(segment);
    marked += marked_here;
    memory += Segment::block_bytes(segment.bucket_count());
    ++segments;
    deepest += segment.depth() == depth_ ? 1 : 0;
    index += span_of(segment);
  }
  AE_ASSERT(size == size_ && marked == marked_ && memory == memory_bytes_);
  AE_ASSERT(segments == segment_count_ && deepest == deepest_count_ && deepest != 0);  // T4
}

}  // namespace millrace::ds
