// Where the replies of a batch are written: one client's bytes after the other's, in blocks that
// all clients share. A connection so owns no reply buffer, and the usual reply is sent from where
// it was encoded: nothing is copied and nothing allocated.
//
//   block:  | client 7's replies | client 3's replies | client 9's ...
//
// begin() .. end() brackets one client's replies; end() returns them as one contiguous view, good
// until the block is recycled. A reply that outgrows its block moves to the next (bytes of this
// client only). One that outgrows kSpillBytes is handed to `spill` piece by piece, unless a
// deferred length holds it.
//
// One arena serves the connections of one loop, or travels with the batch of an IO thread.
//
// Blocks in flight: retire() closes the generation being filled, when its views are queued for
// sending; recycle() gives the retired blocks back, when the kernel has taken the bytes. With
// readiness streams the two follow each other at once, with completions a tick later.
//
// Thread: one at a time. Memory: kKeptBlocks blocks at rest.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "proto/byte_sink.h"

namespace millrace {

class ReplyArena final : public proto::ByteSink {
 public:
  static constexpr size_t kBlockBytes = 256 * 1024;
  static constexpr size_t kSpillBytes = 64 * 1024;
  // One being filled and one in flight. A tick of more has them allocated: what that costs is
  // little beside sending a quarter of a megabyte.
  static constexpr size_t kKeptBlocks = 2;

  // Takes the bytes of the client being served that can wait in the arena no longer.
  class Spill {
   public:
    virtual void spill(std::string_view bytes) = 0;  // copies

   protected:
    ~Spill() = default;
  };

  // `spill` is the client's, until end().
  void begin(Spill& spill) { start_ = cursor_, spill_ = &spill; }
  std::string_view end() const { return {start_, size_t(cursor_ - start_)}; }
  // Forgets what was written since begin() and not spilled (CLIENT REPLY OFF).
  void rewind_to(size_t length) { cursor_ = start_ + length; }
  size_t length() const { return size_t(cursor_ - start_); }

  // Whether anything was written since the last retire().
  bool used() const { return !filling_.empty(); }
  void retire();
  void recycle();
  size_t memory_bytes() const;

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };

  void grow(size_t size) override;
  bool try_spill(size_t size);
  Block take_block(size_t size);

  Spill* spill_ = nullptr;
  char* start_ = nullptr;  // of the current client's replies
  std::vector<Block> filling_, retired_, kept_;
};

}  // namespace millrace
