#include "server/core/reply_arena.h"

#include <algorithm>
#include <cstring>

namespace millrace {

void ReplyArena::grow(size_t size) {
  if (try_spill(size)) return;
  // Move this client's bytes to a block with room for as much again, so that a growing reply is
  // copied a logarithmic number of times.
  size_t used = length();
  size_t hold_offset = hold_ ? size_t(hold_ - start_) : 0;
  Block block = take_block(std::max(kBlockBytes, 2 * (used + size)));
  if (used > 0) std::memcpy(block.bytes.get(), start_, used);
  start_ = block.bytes.get();
  cursor_ = start_ + used;
  limit_ = start_ + block.size;
  if (hold_) hold_ = start_ + hold_offset;
  filling_.push_back(std::move(block));
}

bool ReplyArena::try_spill(size_t size) {
  if (hold_ || length() < kSpillBytes) return false;
  spill_->spill(end());
  cursor_ = start_;
  return size_t(limit_ - cursor_) >= size;
}

ReplyArena::Block ReplyArena::take_block(size_t size) {
  if (size <= kBlockBytes && !kept_.empty()) {
    Block block = std::move(kept_.back());
    kept_.pop_back();
    return block;
  }
  return {std::make_unique_for_overwrite<char[]>(size), size};
}

void ReplyArena::retire() {
  std::move(filling_.begin(), filling_.end(), std::back_inserter(retired_));
  filling_.clear();
  start_ = cursor_ = limit_ = nullptr;
}

void ReplyArena::recycle() {
  for (Block& block : retired_)
    if (block.size == kBlockBytes && kept_.size() < kKeptBlocks) kept_.push_back(std::move(block));
  retired_.clear();
}

size_t ReplyArena::memory_bytes() const {
  size_t total = 0;
  for (const auto* blocks : {&filling_, &retired_, &kept_})
    for (const Block& block : *blocks) total += block.size;
  return total;
}

}  // namespace millrace
