// An array indexed by small dense numbers (descriptors, slots) that grows without moving an element
// and without one great allocation: a table of chunks.
//
//   ae::ChunkedArray<Watch> watches;
//   watches.at(fd).token = token;                        // makes room for fd
//   if (Watch* watch = watches.find(fd)) ...             // null where no room was ever made
//
// Elements begin as T{}. Costs: O(1), one more load than a plain array; 8 bytes per 1024 numbers
// and a chunk for each 1024 that are used. Nothing is given back.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace ae {

template <typename T>
class ChunkedArray {
 public:
  static constexpr size_t kChunkElements = 1024;

  T& at(size_t index) {
    const size_t chunk = index / kChunkElements;
    if (chunk >= chunks_.size()) chunks_.resize(chunk + 1);
    if (chunks_[chunk] == nullptr) {
      chunks_[chunk] = std::make_unique<T[]>(kChunkElements);
      ++chunks_there_;
    }
    return chunks_[chunk][index % kChunkElements];
  }

  T* find(size_t index) {
    const size_t chunk = index / kChunkElements;
    if (chunk >= chunks_.size() || chunks_[chunk] == nullptr) return nullptr;
    return &chunks_[chunk][index % kChunkElements];
  }

  size_t reserved_bytes() const { return chunks_there_ * kChunkElements * sizeof(T); }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
  size_t chunks_there_ = 0;
};

}  // namespace ae
