#include "server/net/half_requests.h"

#include <utility>

namespace millrace {

proto::PartialRequest HalfRequests::take(uint32_t slot) {
  const size_t index = slot / kChunk;
  if (size_ == 0 || index >= directory_.size() || !directory_[index]) return {};
  Chunk& chunk = *directory_[index];
  proto::PartialRequest half = std::move(chunk.halves[slot % kChunk]);
  if (half.empty()) return {};
  --size_;
  if (--chunk.used == 0) directory_[index].reset();
  return half;
}

void HalfRequests::put(uint32_t slot, proto::PartialRequest half) {
  if (half.empty()) return forget(slot);
  const size_t index = slot / kChunk;
  if (index >= directory_.size()) directory_.resize(index + 1);
  if (!directory_[index]) directory_[index] = std::make_unique<Chunk>();
  Chunk& chunk = *directory_[index];
  proto::PartialRequest& place = chunk.halves[slot % kChunk];
  if (place.empty()) ++chunk.used, ++size_;
  place = std::move(half);
}

}  // namespace millrace
