#include "server/repl/backlog.h"

#include <algorithm>
#include <cstring>

#include "ae/base/assert.h"

namespace millrace {

Backlog::Backlog(size_t capacity, int64_t next_offset)
    : capacity_(std::max(capacity, kMinBytes)),
      bytes_(std::make_unique_for_overwrite<char[]>(capacity_)),
      next_offset_(next_offset) {}

void Backlog::append(std::string_view bytes) {
  if (bytes.size() > capacity_) {
    next_offset_ += int64_t(bytes.size() - capacity_);
    bytes.remove_prefix(bytes.size() - capacity_);
  }
  const size_t at = place(next_offset_);
  const size_t first = std::min(bytes.size(), capacity_ - at);
  if (first > 0) std::memcpy(bytes_.get() + at, bytes.data(), first);
  if (bytes.size() > first) std::memcpy(bytes_.get(), bytes.data() + first, bytes.size() - first);
  next_offset_ += int64_t(bytes.size());
  size_ = std::min(size_ + bytes.size(), capacity_);
}

std::array<std::string_view, 2> Backlog::from(int64_t offset) const {
  AE_ASSERT(reaches(offset));
  const auto wanted = size_t(next_offset_ - offset);
  if (wanted == 0) return {};
  const size_t at = place(offset);
  const size_t first = std::min(wanted, capacity_ - at);
  return {std::string_view(bytes_.get() + at, first),
          std::string_view(bytes_.get(), wanted - first)};
}

void Backlog::resize(size_t capacity) {
  capacity = std::max(capacity, kMinBytes);
  if (capacity == capacity_) return;
  const size_t kept = std::min(size_, capacity);
  Backlog resized(capacity, next_offset_ - int64_t(kept));
  for (std::string_view piece : from(next_offset_ - int64_t(kept))) resized.append(piece);
  *this = std::move(resized);
}

}  // namespace millrace
