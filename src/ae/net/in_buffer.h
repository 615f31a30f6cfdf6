// Where input lies: one scratch for all connections of a table, and blocks for half packets.
//
// A connection that waits owns no buffer (a million of them at 16 KiB each would be 16 GB). The
// kernel copies into the scratch, the handler consumes, the next connection reads over it. Only
// what a handler could not consume yet is kept, in a KeptInput of its own size.
//
// Holding. A server that runs the requests of many connections as one batch needs their bytes until
// the batch has run. It holds them:
//
//   scratch   [ held: conn 7 | held: conn 9 | room for the next read ............ ]
//                                           ^ used
//   blocks    a KeptInput is marked with the epoch of the hold; while it is held it is neither
//   moved
//             nor freed, but retired into HeldInput and freed with the release
//
// release() ends every hold of the epoch at once: used = 0, epoch + 1. Nothing is counted per
// piece.
//
// Invariants:
//  1. Bytes that are held do not move and are not written to.
//  2. A KeptInput's bytes are data[begin, end); begin == end exactly when it is empty.
//  3. Growth is geometric, hence O(1) copies per byte, and stops at the size the parser asked for.
//
// Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ae/base/bytes.h"

namespace ae {

class InputScratch {
 public:
  explicit InputScratch(size_t bytes) : data_(new char[bytes]), bytes_(bytes) {}

  size_t capacity() const { return bytes_; }
  MutableBytes room() { return {data_.get() + used_, bytes_ - used_}; }
  bool held() const { return used_ != 0; }

  // Everything up to `end`, which lies in the scratch, stays until release().
  void hold_until(const char* end) { used_ = size_t(end - data_.get()); }
  void release() { used_ = 0; }

 private:
  std::unique_ptr<char[]> data_;
  size_t bytes_;
  size_t used_ = 0;
};

class HeldInput;

class KeptInput {
 public:
  KeptInput() = default;
  KeptInput(KeptInput&& other) noexcept { swap(other); }
  KeptInput& operator=(KeptInput&& other) noexcept;
  ~KeptInput();

  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }
  size_t capacity() const { return capacity_; }
  MutableBytes bytes() { return {data_ + begin_, size()}; }

  // Copies `bytes` behind what is there.
  void append(Bytes bytes, HeldInput& held);
  // Room behind what is there for one read of at most `most` bytes; never empty. The block grows
  // geometrically, but not beyond what `wanted` bytes in all need (0, or little more: not known).
  MutableBytes room(size_t most, size_t wanted, HeldInput& held);
  // `count` bytes were put into the room.
  void commit(size_t count) { end_ += count; }
  void consume(size_t count) { begin_ += count; }

 private:
  friend class HeldInput;

  void swap(KeptInput& other) noexcept;
  // Makes data[end, ...) at least `free` bytes long, in a block of at most `capacity`.
  void make_room(size_t free, size_t capacity, HeldInput& held);
  void move_to_block_of(size_t capacity, HeldInput& held);

  char* data_ = nullptr;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;
  uint64_t held_in_ = 0;  // epoch; 0 is none
};

// The holds of the current epoch.
class HeldInput {
 public:
  void hold(KeptInput& block) { block.held_in_ = epoch_; }
  bool holds(const KeptInput& block) const { return block.held_in_ == epoch_; }
  // Frees the block: now, or with the release if it is held.
  void retire(KeptInput&& block);
  void release();

 private:
  uint64_t epoch_ = 1;
  std::vector<KeptInput> retired_;
};

}  // namespace ae
