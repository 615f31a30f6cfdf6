// Bytes that stay where they are until all are given back: blocks, filled one after the other, and
// a block of its own for a piece that no block has room for.
//
//   std::string_view kept = blocks.copy(bytes);   // contiguous, valid until clear()
//
// Memory: one block at rest. Thread: one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace millrace {

class ByteBlocks {
 public:
  // What one tick of a loop reads, usually; a larger tick has further blocks allocated.
  static constexpr size_t kBlockBytes = 64 * 1024;

  std::string_view copy(std::string_view bytes);
  void clear();
  size_t memory_bytes() const;

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };

  char* room(size_t size);

  std::vector<Block> blocks_;  // the last is being filled
  size_t used_ = 0;            // of the last
};

}  // namespace millrace
