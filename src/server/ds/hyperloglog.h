// HyperLogLog: how many different elements were added, within 0.81 % as a rule, in 12 KiB however
// many there were. (P. Flajolet, E. Fusy, O. Gandouet, F. Meunier, "HyperLogLog: the analysis of a
// near-optimal cardinality estimation algorithm", 2007; with the 64-bit hashes of S. Heule, M.
// Nunkesser, A. Hall, "HyperLogLog in Practice", 2013; the estimate is O. Ertl's, see
// register_array.h. The layout and the idea of a sparse form are S. Sanfilippo's, Redis 2.8.9.)
//
// An element is hashed. 14 bits of the hash choose a register; the place of the first 1 in the
// others is the element's rank, which is k with probability 2^-k. A register keeps the highest rank
// it has seen, so adding an element again changes nothing, and how high the registers are tells how
// many different ones came by.
//
// The value is a string, and clients may read and write it as one, so the bytes are Redis':
//
//     0      4          5        8                  16
//     | HYLL | encoding | unused | cached count, LE | registers …
//       4 B    1 B        3 B      8 B
//
//     encoding 0, dense: 16,384 registers of 6 bits, the first in the lowest bits of the first byte
//     encoding 1, sparse: runs, see sparse_registers.h
//     the cached count's highest bit says that it is out of date
//
// A new one is sparse, 18 bytes. It becomes dense when a rank does not fit a run (33 and more), or
// when the string would be longer than a limit; never the other way.
//
// Invariants (of what came in as bytes only the first two are known; whoever needs the third asks)
//   1. 16 bytes at least, beginning with "HYLL" and an encoding of the two.
//   2. Dense: exactly 12,304 bytes.
//   3. Sparse: the runs make up 16,384 registers.
//
// Costs. Dense: add O(1), count 16,384 registers, some microseconds, once after each change.
// Sparse: all O(runs).
//
//   HyperLogLog visitors(bytes, resize, 3000);
//   if (visitors.add("10.0.0.1") == HyperLogLog::Change::kMade) ...
//   HyperLogLogView(bytes).count();
//
// The bytes belong to somebody else. Thread: none of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ae/base/bytes.h"
#include "server/ds/function_ref.h"
#include "server/ds/register_array.h"
#include "server/ds/sparse_registers.h"

namespace millrace::ds {

class HyperLogLogView {
 public:
  enum class Encoding : uint8_t { kDense = 0, kSparse = 1 };
  static constexpr size_t kHeaderBytes = 16;
  static constexpr size_t kDenseTotalBytes = kHeaderBytes + kDenseBytes;

  // Invariants 1 and 2, without which no view may be made.
  static bool fits(std::string_view bytes);

  explicit HyperLogLogView(std::string_view bytes) : bytes_(bytes) {}

  Encoding encoding() const { return static_cast<Encoding>(bytes_[kEncodingAt]); }
  bool is_sparse() const { return encoding() == Encoding::kSparse; }
  SparseRegisters sparse() const { return SparseRegisters(bytes_.substr(kHeaderBytes)); }
  const char* dense() const { return bytes_.data() + kHeaderBytes; }

  // Nothing: out of date.
  std::optional<uint64_t> cached_count() const;
  // From the registers. Nothing: invariant 3 does not hold.
  std::optional<uint64_t> count() const;
  // Raises each register to this one's. False: invariant 3 does not hold.
  bool merge_into(RegisterArray& registers) const;

 protected:
  static constexpr std::string_view kMagic = "HYLL";
  static constexpr size_t kEncodingAt = 4;
  static constexpr size_t kCountAt = 8;
  static constexpr uint64_t kOutOfDate = uint64_t{1} << 63;

  std::string_view bytes_;
};

// One that can be changed.
class HyperLogLog : public HyperLogLogView {
 public:
  // Makes the string so long, keeps what it has in front, and gives the bytes back.
  using Resize = FunctionRef<ae::MutableBytes(size_t length)>;

  enum class Change : uint8_t {
    kNone,     // nothing was new
    kMade,     // a register is higher; the cached count is out of date
    kCorrupt,  // invariant 3 does not hold; nothing was changed
  };

  // An empty one.
  static constexpr size_t kEmptyBytes = kHeaderBytes + SparseRegisters::kZeros.size();
  static void write_empty(ae::MutableBytes bytes);

  // Invariants 1 and 2 hold. A sparse one may get as long as `most_sparse_bytes`.
  HyperLogLog(ae::MutableBytes bytes, Resize resize, size_t most_sparse_bytes)
      : HyperLogLogView({bytes.data(), bytes.size()}),
        mutable_bytes_(bytes),
        resize_(resize),
        most_sparse_bytes_(most_sparse_bytes) {}

  Change add(std::string_view element);
  // The register's value becomes at least this.
  Change raise(size_t index, uint8_t value);
  // False: invariant 3 does not hold.
  bool make_dense();
  // Raises every register to at least the array's, which has this one's merged into it already.
  void take_all(const RegisterArray& array);

  void cache_count(uint64_t count);
  void forget_count();

 private:
  void resize(size_t length) {
    mutable_bytes_ = resize_(length);
    bytes_ = {mutable_bytes_.data(), mutable_bytes_.size()};
  }
  char* registers() { return mutable_bytes_.data() + kHeaderBytes; }
  size_t registers_size() const { return mutable_bytes_.size() - kHeaderBytes; }
  Change raise_sparse(size_t index, uint8_t value);
  Change raise_dense(size_t index, uint8_t value);
  void replace(const SparseRegisters::Change& change);

  ae::MutableBytes mutable_bytes_;
  Resize resize_;
  size_t most_sparse_bytes_;
};

}  // namespace millrace::ds
