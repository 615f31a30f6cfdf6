#include "ae/net/out_queue.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "ae/base/assert.h"

namespace ae {
namespace {

// The second and later chunks of a queue: it does not fit a small one, so it will be long.
constexpr uint32_t kLaterClass = ChunkPool::kClasses - 1;

size_t fill(OutChunk* chunk, Bytes bytes) {
  const size_t count = std::min(chunk->free(), bytes.size());
  std::memcpy(chunk->data() + chunk->end, bytes.data(), count);
  chunk->end += uint32_t(count);
  return count;
}

uint32_t class_for(size_t whole) {
  uint32_t size_class = 0;
  while (size_class < ChunkPool::kClasses && ChunkPool::kClassBytes[size_class] < whole) {
    ++size_class;
  }
  return size_class;
}

}  // namespace

ChunkPool::~ChunkPool() {
  for (OutChunk* chunk : free_) {
    while (chunk != nullptr) {
      OutChunk* next = chunk->next;
      std::free(chunk);
      chunk = next;
    }
  }
}

OutChunk* ChunkPool::take(size_t bytes, uint32_t least_class) {
  const size_t wanted = std::min(bytes, kMaxChunkBytes) + sizeof(OutChunk);
  const uint32_t size_class = std::max(least_class, class_for(wanted));
  const size_t whole = size_class == kUnpooled ? wanted : kClassBytes[size_class];
  OutChunk* chunk = nullptr;
  if (size_class != kUnpooled && free_[size_class] != nullptr) {
    chunk = free_[size_class];
    free_[size_class] = chunk->next;
    pooled_bytes_ -= whole;
  } else {
    chunk = static_cast<OutChunk*>(std::malloc(whole));
    AE_ASSERT(chunk != nullptr);
  }
  lent_bytes_ += whole;
  *chunk = {nullptr, uint32_t(whole - sizeof(OutChunk)), 0, 0, size_class};
  return chunk;
}

void ChunkPool::give(OutChunk* chunk) {
  const size_t whole = chunk->capacity + sizeof(OutChunk);
  lent_bytes_ -= whole;
  if (chunk->size_class == kUnpooled || pooled_bytes_ + whole > kMaxPooledBytes) {
    std::free(chunk);
    return;
  }
  chunk->next = free_[chunk->size_class];
  free_[chunk->size_class] = chunk;
  pooled_bytes_ += whole;
}

void OutQueue::append(ChunkPool& pool, Bytes bytes) {
  bytes_ += bytes.size();
  if (last_ != nullptr) bytes.remove_prefix(fill(last_, bytes));
  while (!bytes.empty()) {
    OutChunk* chunk = pool.take(bytes.size(), last_ == nullptr ? 0 : kLaterClass);
    bytes.remove_prefix(fill(chunk, bytes));
    (last_ == nullptr ? first_ : last_->next) = chunk;
    last_ = chunk;
  }
}

void OutQueue::splice(OutQueue& behind) {
  if (behind.empty()) return;
  (last_ == nullptr ? first_ : last_->next) = behind.first_;
  last_ = behind.last_;
  bytes_ += behind.bytes_;
  behind = OutQueue();
}

size_t OutQueue::gather(iovec* pieces, size_t room) const {
  size_t count = 0;
  for (OutChunk* chunk = first_; chunk != nullptr && count < room; chunk = chunk->next) {
    pieces[count++] = {chunk->data() + chunk->begin, chunk->size()};
  }
  return count;
}

void OutQueue::consume(ChunkPool& pool, size_t count) {
  AE_ASSERT(count <= bytes_);
  bytes_ -= count;
  while (first_ != nullptr && count >= first_->size()) {
    OutChunk* gone = first_;
    count -= gone->size();
    first_ = gone->next;
    pool.give(gone);
  }
  if (first_ == nullptr) {
    last_ = nullptr;
  } else {
    first_->begin += uint32_t(count);
  }
}

void OutQueue::clear(ChunkPool& pool) {
  consume(pool, bytes_);
}

}  // namespace ae
