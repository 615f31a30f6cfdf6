// What the parser remembers of clients that have sent half a request, by the slot of the connection
// or session: a table of chunks that exist only where somebody is halfway.
//
//   directory   [ . | * | . | . | * | ... ]      one pointer per kChunk slots
//                     |           |
//                  [ half, -, -, half, ... ]      freed with its last one
//
// Why not a hash map: with a million clients halfway it would rehash them all at once, and that
// tick would last a tenth of a second. Here nothing ever moves.
//
// Thread: the loop's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "proto/request_parser.h"

namespace millrace {

class HalfRequests {
 public:
  // What is remembered of this client, and no longer here; empty for most.
  proto::PartialRequest take(uint32_t slot);
  void put(uint32_t slot, proto::PartialRequest half);
  void forget(uint32_t slot) { take(slot); }

  // Clients that are halfway.
  size_t size() const { return size_; }

 private:
  // 4 KiB of pointers.
  static constexpr uint32_t kChunk = 512;
  struct Chunk {
    std::array<proto::PartialRequest, kChunk> halves;
    uint32_t used = 0;
  };

  std::vector<std::unique_ptr<Chunk>> directory_;
  size_t size_ = 0;
};

}  // namespace millrace
