#include "ae/net/in_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "ae/base/assert.h"

namespace ae {
namespace {

// The first step of growth. Below it a block is exactly as large as what is kept: most half packets
// are a few dozen bytes, and there may be a hundred thousand of them.
constexpr size_t kFirstGrowthBytes = 16 * 1024;

char* allocate(size_t bytes) {
  auto* block = static_cast<char*>(std::malloc(bytes));
  AE_ASSERT(block != nullptr);
  return block;
}

}  // namespace

KeptInput& KeptInput::operator=(KeptInput&& other) noexcept {
  KeptInput moved(std::move(other));
  swap(moved);
  return *this;
}

KeptInput::~KeptInput() {
  std::free(data_);
}

void KeptInput::swap(KeptInput& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
  std::swap(capacity_, other.capacity_);
  std::swap(held_in_, other.held_in_);
}

void KeptInput::append(Bytes bytes, HeldInput& held) {
  if (bytes.empty()) return;
  const size_t needed = size() + bytes.size();
  // The first bytes get a block of their size; whoever comes back for more gets twice as much.
  make_room(bytes.size(), capacity_ == 0 ? needed : std::max(needed, 2 * size()), held);
  std::memcpy(data_ + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

MutableBytes KeptInput::room(size_t most, size_t wanted, HeldInput& held) {
  AE_ASSERT(most > 0);
  // A parser that misses little speaks of the next argument only, and there may be a hundred
  // thousand of them behind it: a read of a few bytes for each would take minutes.
  if (wanted < size() + kFirstGrowthBytes) wanted = 0;
  const size_t useful = wanted > size() ? std::min(most, wanted - size()) : most;
  if (end_ == capacity_) {
    const size_t limit = wanted > size() ? wanted : size() + most;
    const size_t grown = std::min(limit, std::max(2 * size(), size() + kFirstGrowthBytes));
    make_room(grown - size(), grown, held);
  }
  return {data_ + end_, std::min(useful, capacity_ - end_)};
}

void KeptInput::make_room(size_t free, size_t capacity, HeldInput& held) {
  if (capacity_ - end_ >= free) return;
  move_to_block_of(capacity, held);
}

void KeptInput::move_to_block_of(size_t capacity, HeldInput& held) {
  AE_DCHECK(capacity >= size());
  if (begin_ == 0 && data_ != nullptr && !held.holds(*this)) {
    // For a large block this is mremap: pages change their address, bytes are not copied.
    auto* grown = static_cast<char*>(std::realloc(data_, capacity));
    AE_ASSERT(grown != nullptr);
    data_ = grown;
    capacity_ = capacity;
    return;
  }
  KeptInput moved;
  moved.data_ = allocate(capacity);
  moved.capacity_ = capacity;
  moved.end_ = size();
  if (!empty()) std::memcpy(moved.data_, data_ + begin_, size());
  swap(moved);
  held.retire(std::move(moved));
}

void HeldInput::retire(KeptInput&& block) {
  KeptInput dying(std::move(block));
  if (holds(dying)) retired_.push_back(std::move(dying));
}

void HeldInput::release() {
  ++epoch_;
  retired_.clear();
}

}  // namespace ae
