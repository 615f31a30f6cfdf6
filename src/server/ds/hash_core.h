// HashTable without its types: the directory, and everything that needs no key. hash_table.h is the
// description; here elements are void* and a lookup is handed its comparison. One copy of the slow
// paths (hash_core.cc) serves the tables of all types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "ae/base/assert.h"
#include "ae/base/prefetch.h"
#include "server/ds/function_ref.h"
#include "server/ds/hash_segment.h"

namespace millrace::ds {

// A slot of a table and the index of its segment in the directory.
struct SlotRef {
  uint64_t* word = nullptr;
  uint32_t index = 0;

  void set_pointer(const void* element) const {
    *word = (*word & ~slot_bits::kPointerMask) | slot_bits::make(element, 0);
  }
};

class HashCore {
 public:
  using HashOf = uint64_t (*)(const void* element);
  using CopyElement = FunctionRef<void*(const void* element)>;

  explicit HashCore(HashOf hash_of) : hash_of_(hash_of) {}
  ~HashCore() { release(); }
  HashCore(HashCore&& other) noexcept : HashCore(other.hash_of_) { swap(other); }
  HashCore& operator=(HashCore&& other) noexcept {
    swap(other);
    return *this;
  }
  void swap(HashCore& other) noexcept;

  // Of an empty one: as `other`, with copies of its elements (hash_copy.cc).
  void copy_from(const HashCore& other, CopyElement copy_element);

  size_t size() const { return size_; }
  size_t marked_count() const { return marked_; }
  size_t bucket_count() const;
  size_t memory_bytes() const { return memory_bytes_; }

  template <class Equal>
  SlotRef find(uint64_t hash, Equal&& equal) const;
  void prefetch_bucket(uint64_t hash) const;
  template <size_t kBytes>
  void prefetch_element(uint64_t hash) const;

  SlotRef insert(void* element, uint64_t hash);
  void remove(SlotRef slot);
  void mark(SlotRef slot);
  void unmark(SlotRef slot);

  template <class Random>
  void* random(Random& random) const;
  template <class Random, class Store>
  size_t sample(Random& random, Store&& store, size_t count) const;
  template <class F>
  void sample_marked(uint64_t start, size_t count, F&& f) const;

  template <class F>
  uint64_t scan(uint64_t cursor, F&& f) const;
  template <class F>
  uint64_t scan_marked(uint64_t cursor, size_t budget_buckets, F&& f) const;
  template <class F>
  void for_each(F&& f) const;
  template <class F>
  bool clear_step(size_t budget, F&& f);

  void check() const;

 private:
  // A full segment splits if it has this many buckets, which fill 8 KiB: a split moves 900 slots
  // and, at worst, looks at as many elements.
  static constexpr uint32_t kMaxBuckets = 125;
  // Segments that share a directory are not made smaller than this: their footer would outweigh
  // them.
  static constexpr uint32_t kMinSharedBuckets = 15;
  // With a good hash the directory has one to two words per segment. Beyond this many the hash is
  // broken, and a segment that wants to split grows instead.
  static constexpr size_t kMaxDirectoryPerSegment = 16;
  // New blocks are filled to this many percent, at most, so that they do not grow at once.
  static constexpr size_t kFillPercent = 80;
  // Below this a segment shrinks, to kFillPercent.
  static constexpr size_t kShrinkPercent = 40;
  // Two that are to be merged must not fill the result beyond 60 %.
  static constexpr size_t kMaxMerged = size_t{kMaxBuckets} * Bucket::kSlots * 6 / 10;
  // Draws of a random slot before the next element in order is taken instead. A full third of the
  // slots is occupied in a table of any size, one in eight in the smallest.
  static constexpr int kMaxDraws = 128;

  // NOLINTBEGIN(performance-no-int-to-ptr): root_ is either a word or a pointer
  uint64_t* directory() { return depth_ == 0 ? &root_ : reinterpret_cast<uint64_t*>(root_); }
  const uint64_t* directory() const {
    return depth_ == 0 ? &root_ : reinterpret_cast<const uint64_t*>(root_);
  }
  // NOLINTEND(performance-no-int-to-ptr)
  size_t directory_size() const { return size_t{1} << depth_; }
  // Two shifts, as one by 64 is undefined.
  uint32_t index_of(uint64_t hash) const {
    return static_cast<uint32_t>((hash >> 1) >> (63 - depth_));
  }
  Segment segment_at(uint32_t index) const { return Segment(directory()[index]); }
  uint32_t span_of(Segment segment) const { return uint32_t{1} << (depth_ - segment.depth()); }
  uint32_t first_index(uint32_t index, Segment segment) const {
    return index & ~(span_of(segment) - 1);
  }
  size_t size_of(Segment segment) const { return segment.has_footer() ? segment.size() : size_; }
  size_t marked_in(Segment segment) const {
    return segment.has_footer() ? segment.marked() : marked_;
  }
  bool is_full(Segment segment) const {
    return size_of(segment) >= Segment::max_elements(segment.bucket_count());
  }
  // The hash at which the segment after the one at `index` begins; 0 after the last.
  uint64_t end_of(uint32_t index, Segment segment) const;

  template <class F>
  uint64_t visit_home_bucket(uint64_t cursor, F&& f) const;
  template <class F>
  bool visit_marked(Segment segment, uint32_t from, uint32_t to, F&& f) const;
  void* random_fallback(uint32_t index) const;

  // Slow paths, hash_core.cc.
  void make_room(uint64_t hash);
  void refresh_bucket(Segment segment) const;
  bool may_split(Segment segment) const;
  void resize(uint32_t index, uint32_t buckets);
  void split(uint32_t index);
  void shrink(uint32_t index);
  bool merge(uint32_t index);
  void double_directory();
  void halve_directory();
  void install(uint32_t first, uint32_t count, Segment segment);
  void set_marked_flag(uint32_t index, Segment segment, uint64_t flag);
  Segment new_segment(uint32_t buckets, unsigned depth);
  void drop_segment(Segment segment);
  void release();
  void forget();
  size_t check_segment(uint32_t index, Segment segment) const;

  uint64_t root_ = 0;  // depth_ 0: the one segment's word, 0 if there is none; else the directory
  size_t size_ = 0;
  size_t marked_ = 0;
  size_t memory_bytes_ = 0;
  HashOf hash_of_;
  uint32_t segment_count_ = 0;
  uint32_t deepest_count_ = 0;  // segments whose depth is the directory's
  uint32_t clearing_ = 0;       // clear_step: directory words still to do; 0 outside of it
  uint8_t depth_ = 0;
};

inline void HashCore::swap(HashCore& other) noexcept {
  std::swap(root_, other.root_);
  std::swap(size_, other.size_);
  std::swap(marked_, other.marked_);
  std::swap(memory_bytes_, other.memory_bytes_);
  std::swap(hash_of_, other.hash_of_);
  std::swap(segment_count_, other.segment_count_);
  std::swap(deepest_count_, other.deepest_count_);
  std::swap(clearing_, other.clearing_);
  std::swap(depth_, other.depth_);
}

template <class Equal>
inline SlotRef HashCore::find(uint64_t hash, Equal&& equal) const {
  if (size_ == 0) return {};
  const uint32_t index = index_of(hash);
  const Segment segment = segment_at(index);
  const uint32_t tag = segment.tag_of(hash);
  uint32_t at = segment.home_of(tag);
  for (uint32_t probes = segment.bucket_count(); probes != 0; --probes) {
    Bucket& bucket = segment.buckets()[at];
    for (SlotSet matches = bucket.match(tag); matches; matches.drop()) {
      uint64_t& word = bucket.slots[matches.first()];
      if (slot_bits::occupied(word) && equal(slot_bits::pointer(word))) return {&word, index};
    }
    if (!bucket.overflowed()) return {};
    at = segment.next(at);
  }
  return {};
}

inline void HashCore::prefetch_bucket(uint64_t hash) const {
  if (size_ == 0) return;
  const Segment segment = segment_at(index_of(hash));
  ae::prefetch(segment.buckets() + segment.home_of(segment.tag_of(hash)));
}

template <size_t kBytes>
inline void HashCore::prefetch_element(uint64_t hash) const {
  find(hash, [](const void* element) {
    const auto* bytes = static_cast<const char*>(element);
    ae::prefetch(bytes);
    // Elements are 8-byte aligned: one of 64 bytes begins at a line's start in one case of eight.
    for (size_t more = 64; more < kBytes + 56; more += 64) {
      ae::prefetch(bytes + (more < kBytes ? more : kBytes - 1));
    }
    return true;
  });
}

inline SlotRef HashCore::insert(void* element, uint64_t hash) {
  if (is_full(segment_at(index_of(hash)))) make_room(hash);
  const uint32_t index = index_of(hash);
  const Segment segment = segment_at(index);
  uint64_t* word = segment.place(slot_bits::make(element, segment.tag_of(hash)) |
                                 slot_bits::known_next(segment.next_bit_of(hash)));
  ++size_;
  if (!segment.has_footer()) return {word, index};
  ++segment.size();
  if (segment.stale() != 0) refresh_bucket(segment);
  return {word, index};
}

inline void HashCore::remove(SlotRef slot) {
  if (slot_bits::marked(*slot.word)) unmark(slot);
  const Segment segment = segment_at(slot.index);
  segment.vacate(slot.word);
  --size_;
  if (!segment.has_footer()) return;
  const size_t slots = size_t{segment.bucket_count()} * Bucket::kSlots;
  if (--segment.size() * size_t{100} < slots * kShrinkPercent) shrink(slot.index);
}

inline void HashCore::mark(SlotRef slot) {
  if (slot_bits::marked(*slot.word)) return;
  *slot.word |= slot_bits::kMark;
  const Segment segment = segment_at(slot.index);
  ++marked_;
  if (segment.has_footer()) ++segment.marked();
  if (marked_in(segment) == 1) set_marked_flag(slot.index, segment, Segment::kMarked);
}

inline void HashCore::unmark(SlotRef slot) {
  if (!slot_bits::marked(*slot.word)) return;
  *slot.word &= ~slot_bits::kMark;
  const Segment segment = segment_at(slot.index);
  --marked_;
  if (segment.has_footer()) --segment.marked();
  if (marked_in(segment) == 0) set_marked_flag(slot.index, segment, 0);
}

template <class Random>
void* HashCore::random(Random& random) const {
  if (size_ == 0) return nullptr;
  uint64_t draw = 0;
  for (int i = 0; i < kMaxDraws; ++i) {
    // The high bits choose the segment, the low ones the slot: they do not overlap below 2^32
    // words.
    draw = random();
    const Segment segment = segment_at(index_of(draw));
    const uint64_t slots = uint64_t{segment.bucket_count()} * Bucket::kSlots;
    const uint64_t at = (draw & UINT32_MAX) * slots >> 32;
    const uint64_t word = segment.buckets()[at / Bucket::kSlots].slots[at % Bucket::kSlots];
    if (slot_bits::occupied(word)) return slot_bits::pointer(word);
  }
  return random_fallback(index_of(draw));
}

template <class Random, class Store>
size_t HashCore::sample(Random& random, Store&& store, size_t count) const {
  if (size_ == 0) return 0;
  constexpr size_t kBatch = 16;
  std::array<const Bucket*, kBatch> buckets;
  for (size_t done = 0; done < count;) {
    const size_t batch = count - done < kBatch ? count - done : kBatch;
    for (size_t i = 0; i < batch; ++i) {
      const uint64_t draw = random();
      const Segment segment = segment_at(index_of(draw));
      buckets[i] = segment.buckets() + ((draw & UINT32_MAX) * segment.bucket_count() >> 32);
      ae::prefetch(buckets[i]);
    }
    for (size_t i = 0; i < batch; ++i, ++done) {
      const uint64_t word = buckets[i]->slots[random() % Bucket::kSlots];
      void* element =
          slot_bits::occupied(word) ? slot_bits::pointer(word) : HashCore::random(random);
      ae::prefetch(element);
      store(done, element);
    }
  }
  return count;
}

// Marked slots of the buckets [from, to): f(pointer) until it says no.
template <class F>
inline bool HashCore::visit_marked(Segment segment, uint32_t from, uint32_t to, F&& f) const {
  for (uint32_t at = from; at < to; ++at) {
    for (const uint64_t word : segment.buckets()[at].slots) {
      if (slot_bits::marked(word) && !f(slot_bits::pointer(word))) return false;
    }
  }
  return true;
}

template <class F>
void HashCore::sample_marked(uint64_t start, size_t count, F&& f) const {
  if (marked_ == 0 || count == 0) return;
  const auto take = [&](void* element) {
    f(element);
    return --count != 0;
  };
  const uint32_t begin = index_of(start);
  const Segment first = segment_at(begin);
  const uint32_t middle = first.home_of(first.tag_of(start));
  if (!visit_marked(first, middle, first.bucket_count(), take)) return;
  // Round the directory, back to the first segment, whose front part is still to be seen.
  const uint32_t stop = first_index(begin, first);
  for (uint32_t index = stop;;) {
    index += span_of(segment_at(index));
    if (index == directory_size()) index = 0;
    if (index == stop) break;
    const Segment segment = segment_at(index);
    if ((segment.word() & Segment::kMarked) == 0) continue;
    if (!visit_marked(segment, 0, segment.bucket_count(), take)) return;
  }
  visit_marked(first, 0, middle, take);
}

inline uint64_t HashCore::end_of(uint32_t index, Segment segment) const {
  const uint64_t next = uint64_t{first_index(index, segment)} + span_of(segment);
  return depth_ == 0 ? 0 : next << (64 - depth_);
}

// f(slot word) for each element whose home is the bucket the cursor lies in and whose hash is not
// below the cursor; returns where the next bucket begins.
template <class F>
inline uint64_t HashCore::visit_home_bucket(uint64_t cursor, F&& f) const {
  const uint32_t index = index_of(cursor);
  const Segment segment = segment_at(index);
  const uint32_t lowest = segment.tag_of(cursor);
  const uint32_t home = segment.home_of(lowest);
  // A cursor given out by a deeper segment may be finer than the tags of this one.
  const bool finer = (cursor << segment.depth() << 16) != 0;
  uint32_t at = home;
  for (uint32_t probes = segment.bucket_count(); probes != 0; --probes) {
    const Bucket& bucket = segment.buckets()[at];
    for (const uint64_t word : bucket.slots) {
      const uint32_t tag = slot_bits::tag(word);
      if (!slot_bits::occupied(word) || segment.home_of(tag) != home || tag < lowest) continue;
      if (finer && tag == lowest && hash_of_(slot_bits::pointer(word)) < cursor) continue;
      f(word);
    }
    if (!bucket.overflowed()) break;
    at = segment.next(at);
  }
  if (home + 1 == segment.bucket_count()) return end_of(index, segment);
  const uint64_t prefix = uint64_t{first_index(index, segment)} << 1 << (63 - depth_);
  return prefix | uint64_t{segment.first_tag(home + 1)} << (48 - segment.depth());
}

template <class F>
uint64_t HashCore::scan(uint64_t cursor, F&& f) const {
  if (size_ == 0) return 0;
  return visit_home_bucket(cursor, [&](uint64_t word) { f(slot_bits::pointer(word)); });
}

template <class F>
uint64_t HashCore::scan_marked(uint64_t cursor, size_t budget_buckets, F&& f) const {
  if (marked_ == 0) return 0;
  for (; budget_buckets != 0; --budget_buckets) {
    const uint32_t index = index_of(cursor);
    const Segment segment = segment_at(index);
    if ((segment.word() & Segment::kMarked) == 0) {
      cursor = end_of(index, segment);
    } else {
      cursor = visit_home_bucket(cursor, [&](uint64_t word) {
        if (slot_bits::marked(word)) f(slot_bits::pointer(word));
      });
    }
    if (cursor == 0) return 0;
  }
  return cursor;
}

template <class F>
void HashCore::for_each(F&& f) const {
  if (size_ == 0) return;
  for (uint32_t index = 0; index < directory_size();) {
    const Segment segment = segment_at(index);
    for (uint32_t at = 0; at < segment.bucket_count(); ++at) {
      for (const uint64_t word : segment.buckets()[at].slots) {
        if (slot_bits::occupied(word)) f(slot_bits::pointer(word));
      }
    }
    index += span_of(segment);
  }
}

// Works from the directory's end to its beginning and, in a segment, from the last bucket to the
// first; the bucket count in the directory's word says how many are left. A segment is freed when
// it has come to zero.
template <class F>
bool HashCore::clear_step(size_t budget, F&& f) {
  if (root_ == 0) return true;
  if (clearing_ == 0) clearing_ = static_cast<uint32_t>(directory_size());
  while (clearing_ != 0) {
    Segment segment = segment_at(clearing_ - 1);
    const uint32_t left = segment.bucket_count();
    if (left == 0) {
      clearing_ -= span_of(segment);
      segment.free();
      continue;
    }
    if (budget == 0) return false;
    for (const uint64_t word : segment.buckets()[left - 1].slots) {
      if (!slot_bits::occupied(word)) continue;
      f(slot_bits::pointer(word));
      --size_;
      if (budget != 0) --budget;
    }
    if (left >= 2) {
      for (const uint64_t word : segment.buckets()[left - 2].slots) {
        ae::prefetch(slot_bits::pointer(word));
      }
    }
    directory()[clearing_ - 1] -= uint64_t{1} << 48;
  }
  forget();
  return true;
}

}  // namespace millrace::ds
