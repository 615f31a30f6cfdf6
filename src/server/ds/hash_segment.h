// A segment: up to 125 cache-line buckets in one block, ordered by hash. hash_table.h says what
// for; here is how one segment stores, finds and drops slots. It knows pointers as bits and no
// keys.
//
//   bucket   64 bytes, 8 slots of 8 bytes
//   slot     63       48 47 46                                   3  2   1   0
//           |    tag    | m |    pointer, 8-byte aligned           | k | b | f |
//           tag: the 16 bits of the hash below the segment's prefix; m: the owner's mark;
//           b: the bit of the hash below the tag, if k says it is known;
//           f, in slot 0 only: elements whose probe passed through this bucket live further on.
//           A slot with no pointer is empty, and then zero but for f.
//   block   | bucket 0 | bucket 1 | ... | bucket n-1 | Footer: counts, n overflow counts |
//           A block of one bucket has no footer: with 8 slots nothing overflows, and the table that
//           consists of it knows its size.
//
// Home of a tag: (tag * n) >> 16. It is monotonic in the tag, so buckets are in the order of
// hashes, and since the tag is in the slot a segment can be given another n without a look at an
// element. Bit b is the one a tag gains when the segment splits; so a split does not look at
// elements either, if all b are known. After a split none is; then each insertion finds out those
// of one bucket. What finds its home full goes to the next bucket, in a circle; every bucket passed
// on the way counts it (8 bits, saturating) and has its flag f set, so that a search goes on past a
// bucket only if there is something to find, and a removal clears the way behind it. (Outbound
// overflow counts: N. Bronson, X. Shi, "Open-sourcing F14", 2019; there they are of chunks of 14.
// Buckets by multiplication instead of a mask: D. Lemire, "A fast alternative to the modulo
// reduction", 2016.)
//
// Invariants (HashCore::check asserts them):
//  S1. An element with home h stands in bucket b only if the flags of h, h+1, ..., b-1 are set.
//  S2. overflow[b] = number of elements whose way from home to place leaves b, or 255 if that was
//      ever passed; flag of b = (overflow[b] != 0).
//  S3. size and marked count the slots with a pointer, and those of them with a mark.
//  S4. b is known in all slots but those of the first `stale` buckets, where it may be or not.
//  S5. size <= n * 8 * 9/10 (n > 1), so that a search for a place ends.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ae/base/assert.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace millrace::ds {

// One slot's bits.
namespace slot_bits {

constexpr uint64_t kOverflow = 1;
constexpr uint64_t kNextBit = 2;
constexpr uint64_t kNextKnown = 4;
constexpr uint64_t kMark = uint64_t{1} << 47;
constexpr uint64_t kPointerMask = kMark - 8;  // bits 46..3
constexpr unsigned kTagShift = 48;

inline bool occupied(uint64_t word) {
  return (word & kPointerMask) != 0;
}
inline bool marked(uint64_t word) {
  return (word & kMark) != 0;
}
inline uint32_t tag(uint64_t word) {
  return static_cast<uint32_t>(word >> kTagShift);
}
inline void* pointer(uint64_t word) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): 44 bits of a pointer share the word with the tag
  return reinterpret_cast<void*>(word & kPointerMask);
}

inline bool next_known(uint64_t word) {
  return (word & kNextKnown) != 0;
}
inline uint32_t next_bit(uint64_t word) {
  return (word & kNextBit) != 0 ? 1 : 0;
}
inline uint64_t known_next(uint64_t bit) {
  return kNextKnown | bit << 1;
}

inline uint64_t make(const void* element, uint32_t tag) {
  const auto address = reinterpret_cast<uint64_t>(element);
  // User addresses have 47 bits on Linux/x86-64 unless a program asks for more.
  AE_ASSERT((address & ~kPointerMask) == 0 && address != 0);
  return uint64_t{tag} << kTagShift | address;
}

}  // namespace slot_bits

// A set of slots of one bucket; for (m; m; m.drop()) use(m.first()).
class SlotSet {
 public:
  explicit SlotSet(uint32_t bits) : bits_(bits) {}
  explicit operator bool() const { return bits_ != 0; }
  // Each slot is a group of four bits of which the top one may be set.
  unsigned first() const { return static_cast<unsigned>(__builtin_ctz(bits_)) >> 2; }
  void drop() { bits_ &= bits_ - 1; }
  unsigned count() const { return static_cast<unsigned>(__builtin_popcount(bits_)); }

 private:
  uint32_t bits_;
};

struct alignas(64) Bucket {
  static constexpr unsigned kSlots = 8;
  uint64_t slots[kSlots];

  bool overflowed() const { return (slots[0] & slot_bits::kOverflow) != 0; }
  // Slots with this tag; for tag 0 the empty ones are among them.
  SlotSet match(uint32_t tag) const;
  SlotSet empty() const;
};
static_assert(sizeof(Bucket) == 64);

#if defined(__SSE2__)

inline SlotSet Bucket::match(uint32_t tag) const {
  const auto* lines = reinterpret_cast<const __m128i*>(slots);
  const __m128i wanted = _mm_set1_epi16(static_cast<int16_t>(tag));
  const __m128i low = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(lines), wanted),
                                      _mm_cmpeq_epi16(_mm_load_si128(lines + 1), wanted));
  const __m128i high = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(lines + 2), wanted),
                                       _mm_cmpeq_epi16(_mm_load_si128(lines + 3), wanted));
  const auto bits = static_cast<uint32_t>(_mm_movemask_epi8(low)) |
                    static_cast<uint32_t>(_mm_movemask_epi8(high)) << 16;
  return SlotSet(bits & 0x88888888);  // of each slot's four 16-bit parts the top one is the tag
}

inline SlotSet Bucket::empty() const {
  const auto* lines = reinterpret_cast<const __m128i*>(slots);
  const __m128i mask = _mm_set1_epi64x(static_cast<int64_t>(slot_bits::kPointerMask));
  const __m128i zero = _mm_setzero_si128();
  const auto is_zero = [&](int line) {
    return _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(lines + line), mask), zero);
  };
  // Two bits of the 16 for each slot, one for each half of the pointer; both must be zero.
  const auto halves = static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(
      _mm_packs_epi32(is_zero(0), is_zero(1)), _mm_packs_epi32(is_zero(2), is_zero(3)))));
  uint32_t pairs = halves & halves >> 1 & 0x5555;
  // Spread two bits apart to four apart: abcd efgh at 0,2,4.. to 0,4,8..
  pairs = (pairs | pairs << 8) & 0x00ff00ff;
  pairs = (pairs | pairs << 4) & 0x0f0f0f0f;
  pairs = (pairs | pairs << 2) & 0x33333333;
  return SlotSet((pairs & 0x11111111) << 3 | (pairs & 0x22222222) << 2);
}

#else

inline SlotSet Bucket::match(uint32_t tag) const {
  uint32_t bits = 0;
  for (unsigned i = 0; i < kSlots; ++i) bits |= uint32_t{slot_bits::tag(slots[i]) == tag} << 4 * i;
  return SlotSet(bits << 3);
}

inline SlotSet Bucket::empty() const {
  uint32_t bits = 0;
  for (unsigned i = 0; i < kSlots; ++i) bits |= uint32_t{!slot_bits::occupied(slots[i])} << 4 * i;
  return SlotSet(bits << 3);
}

#endif

// A view of a segment, decoded from its word in the directory:
//
//    63      48 47 46            6 5        0
//   | buckets  | m |  block, /64  |  depth   |      m: some slot here is marked
//
// Two words in registers; copies are free and own nothing.
class Segment {
 public:
  static constexpr uint64_t kDepthMask = 63;
  static constexpr uint64_t kMarked = uint64_t{1} << 47;
  static constexpr uint64_t kBlockMask = kMarked - 64;

  Segment() = default;
  explicit Segment(uint64_t word) : word_(word) {}

  // A zeroed segment. `buckets` is one that bucket_count_for() gives.
  static Segment allocate(uint32_t buckets, unsigned depth);
  void free();

  // The least bucket count that holds `elements` at `percent` of the slots or less.
  static uint32_t bucket_count_for(size_t elements, size_t percent);
  static uint32_t next_bucket_count(uint32_t buckets);
  static size_t block_bytes(uint32_t buckets);
  // How many elements a segment takes before it must grow.
  static size_t max_elements(uint32_t buckets) {
    return buckets == 1 ? Bucket::kSlots : size_t{buckets} * Bucket::kSlots * 9 / 10;
  }

  uint64_t word() const { return word_; }
  Bucket* buckets() const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): as a slot's
    return reinterpret_cast<Bucket*>(word_ & kBlockMask);
  }
  uint32_t bucket_count() const { return static_cast<uint32_t>(word_ >> 48); }
  unsigned depth() const { return static_cast<unsigned>(word_ & kDepthMask); }

  uint32_t tag_of(uint64_t hash) const { return static_cast<uint32_t>((hash << depth()) >> 48); }
  // The bit of the hash below the tag.
  uint64_t next_bit_of(uint64_t hash) const { return hash << depth() << 16 >> 63; }
  uint32_t home_of(uint32_t tag) const { return tag * bucket_count() >> 16; }
  uint32_t next(uint32_t bucket) const { return bucket + 1 == bucket_count() ? 0 : bucket + 1; }
  // The lowest tag whose home is `bucket`; 65536 for the bucket past the last.
  uint32_t first_tag(uint32_t bucket) const {
    AE_DCHECK(bucket_count() != 0);
    return ((bucket << 16) + bucket_count() - 1) / bucket_count();
  }

  bool has_footer() const { return bucket_count() > 1; }
  uint32_t& size() const { return footer()->size; }      // has_footer() only
  uint32_t& marked() const { return footer()->marked; }  // has_footer() only
  // How many buckets, from the first, may have slots whose next bit is not known; has_footer()
  // only.
  uint32_t& stale() const { return footer()->stale; }
  uint8_t* overflow_counts() const { return footer()->overflow; }

  // Puts the word, whose tag decides the home, into a free slot. There must be one.
  // Counts nothing but overflows: size and marked are the caller's.
  uint64_t* place(uint64_t word) const;
  // Empties the slot and takes its element out of the overflow counts on its way.
  void vacate(uint64_t* slot) const;

 private:
  struct Footer {
    uint32_t size;
    uint32_t marked;
    uint32_t stale;
    uint8_t overflow[1];  // bucket_count() of them
  };
  Footer* footer() const { return reinterpret_cast<Footer*>(buckets() + bucket_count()); }
  void count_passage(uint32_t bucket) const;
  void uncount_passage(uint32_t bucket) const;

  uint64_t word_ = 0;
};

}  // namespace millrace::ds
