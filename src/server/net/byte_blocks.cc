#include "server/net/byte_blocks.h"

#include <algorithm>
#include <cstring>

namespace millrace {

std::string_view ByteBlocks::copy(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* place = room(bytes.size());
  std::memcpy(place, bytes.data(), bytes.size());
  return {place, bytes.size()};
}

char* ByteBlocks::room(size_t size) {
  if (blocks_.empty() || blocks_.back().size - used_ < size) {
    const size_t block_size = std::max(size, kBlockBytes);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(block_size), block_size});
    used_ = 0;
  }
  char* place = blocks_.back().bytes.get() + used_;
  used_ += size;
  return place;
}

void ByteBlocks::clear() {
  if (blocks_.size() > 1) blocks_.resize(1);
  if (!blocks_.empty() && blocks_.front().size > kBlockBytes) blocks_.clear();
  used_ = 0;
}

size_t ByteBlocks::memory_bytes() const {
  size_t total = 0;
  for (const Block& block : blocks_) total += block.size;
  return total;
}

}  // namespace millrace
