#include "server/ds/int_set.h"

#include <limits>

namespace millrace::ds {
namespace {

std::uint32_t width_of(std::int64_t value) {
  if (value == static_cast<std::int16_t>(value)) return 2;
  return value == static_cast<std::int32_t>(value) ? 4 : 8;
}

}  // namespace

std::optional<IntSet> IntSet::from_bytes(std::string_view bytes) {
  if (bytes.size() <= kHeaderBytes) return std::nullopt;
  // Only read through, never changed or freed: check() looks no further than the size allows.
  IntSet source(const_cast<char*>(bytes.data()));
  const std::size_t width = source.width();
  const bool known_width = width == 2 || width == 4 || width == 8;
  const bool sound =
      known_width && source.size() <= kMaxSize && source.bytes() == bytes.size() && source.check();
  std::optional<IntSet> copy;
  if (sound) copy = copy_of(source);
  source.release();
  return copy;
}

IntSet IntSet::copy_of(const IntSet& source) {
  if (source.is_constant()) return {};
  auto* block = static_cast<char*>(block_allocate(block_capacity(source.bytes())));
  std::memcpy(block, source.block_, source.bytes());
  return IntSet(block);
}

// The half that cannot hold the answer is dropped by arithmetic, not by a branch: which half it is
// cannot be predicted, and the compiler makes the choice a conditional move.
template <typename Integer>
std::size_t IntSet::lower_bound_of(Integer value) const {
  std::size_t first = 0;
  std::size_t length = size();
  while (length > 1) {
    const std::size_t half = length / 2;
    first += integer<Integer>(first + half - 1) < value ? half : 0;
    length -= half;
  }
  return first + (length == 1 && integer<Integer>(first) < value ? 1 : 0);
}

// The index of the first member that is not less. The value fits the width.
std::size_t IntSet::lower_bound(std::int64_t value) const {
  switch (width()) {
    case 2:
      return lower_bound_of(static_cast<std::int16_t>(value));
    case 4:
      return lower_bound_of(static_cast<std::int32_t>(value));
    default:
      return lower_bound_of(value);
  }
}

std::int64_t IntSet::load_integer(const char* slot, std::size_t width) {
  std::int64_t value = 0;
  std::memcpy(&value, slot, width);
  const std::size_t unused = 64 - 8 * width;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << unused) >> unused;
}

std::int64_t IntSet::at(std::size_t index) const {
  AE_DCHECK(index < size());
  switch (width()) {
    case 2:
      return integer<std::int16_t>(index);
    case 4:
      return integer<std::int32_t>(index);
    default:
      return integer<std::int64_t>(index);
  }
}

bool IntSet::contains(std::int64_t value) const {
  if (width_of(value) > width()) return false;
  const std::size_t index = lower_bound(value);
  return index < size() && at(index) == value;
}

bool IntSet::insert(std::int64_t value) {
  AE_ASSERT(size() < kMaxSize);
  const std::uint32_t needed = width_of(value);
  if (needed > width()) {
    widen_and_insert(needed, value);
    return true;
  }
  // Members mostly arrive in order, if they have one.
  const bool append = empty() || value > back();
  const std::size_t index = append ? size() : lower_bound(value);
  if (!append && at(index) == value) return false;
  insert_at(index, value);
  return true;
}

void IntSet::insert_at(std::size_t index, std::int64_t value) {
  const std::size_t old_size = size();
  const std::size_t width = this->width();
  resize_block(bytes() + width);
  char* hole = slot(index, width);
  std::memmove(hole + width, hole, (old_size - index) * width);
  store_integer(hole, width, value);
  store(4, old_size + 1);
}

// A value that is wider than all members is less than all or greater than all of them.
void IntSet::widen_and_insert(std::uint32_t new_width, std::int64_t value) {
  const std::size_t old_size = size();
  const std::size_t old_width = width();
  resize_block(kHeaderBytes + (old_size + 1) * new_width);
  const std::size_t shift = value < 0 ? 1 : 0;
  for (std::size_t i = old_size; i-- > 0;) {  // from the back: what is written over has been read
    const std::int64_t member = load_integer(slot(i, old_width), old_width);
    store_integer(slot(i + shift, new_width), new_width, member);
  }
  store_integer(slot(value < 0 ? 0 : old_size, new_width), new_width, value);
  store(0, new_width);
  store(4, old_size + 1);
}

bool IntSet::erase(std::int64_t value) {
  if (width_of(value) > width()) return false;
  const std::size_t index = lower_bound(value);
  if (index == size() || at(index) != value) return false;
  erase_at(index);
  return true;
}

void IntSet::erase_at(std::size_t index) {
  AE_DCHECK(index < size());
  if (size() == 1) {
    *this = IntSet();
    return;
  }
  const std::size_t width = this->width();
  char* hole = slot(index, width);
  std::memmove(hole, hole + width, (size() - index - 1) * width);
  resize_block(bytes() - width);
  store(4, size() - 1);
}

// The header still tells the old size.
void IntSet::resize_block(std::size_t new_bytes) {
  const std::size_t capacity = block_capacity(new_bytes);
  if (is_constant()) {
    block_ = static_cast<char*>(block_allocate(capacity));
    std::memcpy(block_, kEmptyBlock, kHeaderBytes);
    return;
  }
  const std::size_t old_capacity = block_capacity(bytes());
  if (capacity == old_capacity) return;
  block_ = static_cast<char*>(block_resize(block_, old_capacity, capacity));
}

bool IntSet::check() const {
  const std::uint32_t width = this->width();
  if (width != 2 && width != 4 && width != 8) return false;
  if (size() > kMaxSize || (is_constant() && !empty())) return false;
  for (std::size_t i = 1; i < size(); ++i) {
    if (at(i - 1) >= at(i)) return false;
  }
  return true;
}

}  // namespace millrace::ds
