#include "server/ds/listpack.h"

#include <algorithm>

namespace millrace::ds {
namespace {

using listpack_entry::entry_size;
using listpack_entry::is_end;
using listpack_entry::kHeaderBytes;

constexpr std::uint16_t kUnknownSize = 0xffff;

// What a walk over untrusted bytes found.
struct Census {
  std::size_t elements = 0;
  bool canonical = true;
};

bool header_agrees(const char* block, const Census& census) {
  std::uint16_t stored;
  std::memcpy(&stored, block + 4, sizeof stored);
  return stored == kUnknownSize || stored == census.elements;
}

// Walks the entries of [block, block + bytes); nullopt if they are not a well-formed listpack.
std::optional<Census> take_census(const char* block, std::size_t bytes) {
  const char* const end = block + bytes - 1;
  Census census;
  const char* entry = block + kHeaderBytes;
  while (entry < end) {
    if (!listpack_entry::is_well_formed(entry, end)) return std::nullopt;
    const EncodedEntry canonical(listpack_entry::decode(entry));
    if (!canonical.equals(entry)) census.canonical = false;
    ++census.elements;
    entry += entry_size(entry);
  }
  if (!is_end(end) || !header_agrees(block, census)) return std::nullopt;
  return census;
}

}  // namespace

// ---- reading

std::size_t ListpackView::count() const {
  std::size_t elements = 0;
  const char* entry = block_ + kHeaderBytes;
  for (; !is_end(entry); entry += entry_size(entry)) ++elements;
  return elements;
}

Cursor ListpackView::seek(std::int64_t index) const {
  const auto size = static_cast<std::int64_t>(this->size());
  if (index < -size || index >= size) return {};
  if (index < 0) index += size;
  if (index < size - index) {
    std::uint32_t offset = kHeaderBytes;
    for (; index > 0; --index) offset += entry_size(block_ + offset);
    return {offset};
  }
  std::uint32_t offset = end_offset();
  for (; index < size; ++index) offset -= listpack_entry::previous_entry_size(block_ + offset);
  return {offset};
}

Cursor ListpackView::find(const EncodedEntry& value, Cursor from, std::size_t skip) const {
  if (!from) return {};
  const char* entry = block_ + from.offset;
  while (!is_end(entry)) {
    if (value.equals(entry)) return {static_cast<std::uint32_t>(entry - block_)};
    entry += entry_size(entry);
    for (std::size_t i = 0; i < skip && !is_end(entry); ++i) entry += entry_size(entry);
  }
  return {};
}

bool ListpackView::check() const {
  if (bytes() < kEmptyBytes || bytes() > kMaxListpackBytes) return false;
  const std::optional<Census> census = take_census(block_, bytes());
  return census && census->canonical;
}

// ---- coming and going

std::optional<Listpack> Listpack::from_bytes(std::string_view bytes) {
  if (bytes.size() < kEmptyBytes || bytes.size() > kMaxListpackBytes) return std::nullopt;
  const ListpackView source(bytes.data());
  if (source.bytes() != bytes.size()) return std::nullopt;
  const std::optional<Census> census = take_census(bytes.data(), bytes.size());
  if (!census) return std::nullopt;
  Listpack pack;
  if (census->canonical) {
    pack = copy_of(source);
  } else {
    source.for_each([&pack](Element element) { pack.append(EncodedEntry(element)); });
  }
  pack.store_size(census->elements);
  return pack;
}

Listpack Listpack::copy_of(ListpackView source) {
  if (source.empty()) return {};
  const std::string_view bytes = source.raw();
  auto* block = static_cast<char*>(block_allocate(block_capacity(bytes.size())));
  std::memcpy(block, bytes.data(), bytes.size());
  return Listpack(block);
}

// ---- changing

Cursor Listpack::insert_at(std::uint32_t offset, const EncodedEntry& value) {
  AE_DCHECK(!value.views_into(block_, block_ + bytes()));
  value.write(resize_hole(offset, 0, value.entry_size()));
  add_to_size(1);
  return {offset};
}

Cursor Listpack::insert_pair_before(Cursor at, const EncodedEntry& first,
                                    const EncodedEntry& second) {
  const std::uint32_t offset = at ? at.offset : end_offset();
  AE_ASSERT(fits(std::size_t{first.entry_size()} + second.entry_size()));
  char* hole = resize_hole(offset, 0, first.entry_size() + second.entry_size());
  first.write(hole);
  second.write(hole + first.entry_size());
  add_to_size(2);
  return {offset};
}

Cursor Listpack::append_pair(const EncodedEntry& first, const EncodedEntry& second) {
  return insert_pair_before({}, first, second);
}

// Encodes twice, to measure and to write: cheaper than remembering.
Cursor Listpack::append_all(std::span<const std::string_view> values) {
  if (values.empty()) return {};
  std::size_t extra_bytes = 0;
  for (std::string_view value : values) extra_bytes += EncodedEntry(value).entry_size();
  AE_ASSERT(fits(extra_bytes));
  const std::uint32_t offset = end_offset();
  char* hole = resize_hole(offset, 0, static_cast<std::uint32_t>(extra_bytes));
  for (std::string_view value : values) {
    const EncodedEntry entry(value);
    entry.write(hole);
    hole += entry.entry_size();
  }
  add_to_size(static_cast<std::int64_t>(values.size()));
  return {offset};
}

void Listpack::replace(Cursor at, const EncodedEntry& value) {
  AE_DCHECK(!value.views_into(block_, block_ + bytes()));
  const std::uint32_t old_size = entry_size(block_ + at.offset);
  value.write(resize_hole(at.offset, old_size, value.entry_size()));
}

Cursor Listpack::erase(Cursor at, std::size_t count) {
  const char* entry = block_ + at.offset;
  std::int64_t erased = 0;
  for (; count != 0 && !is_end(entry); --count, ++erased) entry += entry_size(entry);
  if (erased == 0) return at;
  resize_hole(at.offset, static_cast<std::uint32_t>(entry - (block_ + at.offset)), 0);
  if (is_constant()) return {};
  add_to_size(-erased);
  return none_at_end(at.offset);
}

std::size_t Listpack::erase_range(std::int64_t index, std::size_t count) {
  const Cursor from = seek(index);
  if (!from || count == 0) return 0;
  const std::size_t before = size();
  erase(from, count);
  return before - size();
}

// Makes the `old_size` bytes at `offset` `new_size` bytes, moving what follows; frees the block if
// nothing is left. Returns where the hole begins.
char* Listpack::resize_hole(std::uint32_t offset, std::uint32_t old_size, std::uint32_t new_size) {
  if (old_size == new_size) return block_ + offset;
  const std::uint32_t old_bytes = bytes();
  AE_ASSERT(new_size <= old_size || fits(new_size - old_size));
  const std::uint32_t new_bytes = old_bytes - old_size + new_size;
  if (new_bytes == kEmptyBytes) {
    clear();
    return block_ + offset;
  }
  if (new_bytes > old_bytes) resize_block(old_bytes, new_bytes);
  const std::uint32_t behind = offset + old_size;
  std::memmove(block_ + offset + new_size, block_ + behind, old_bytes - behind);
  if (new_bytes < old_bytes) resize_block(old_bytes, new_bytes);
  store(0, new_bytes);
  return block_ + offset;
}

void Listpack::resize_block(std::size_t old_bytes, std::size_t new_bytes) {
  const std::size_t capacity = block_capacity(new_bytes);
  if (is_constant()) {
    block_ = static_cast<char*>(block_allocate(capacity));
    std::memcpy(block_, kEmptyBlock, kEmptyBytes);
    return;
  }
  const std::size_t old_capacity = block_capacity(old_bytes);
  if (capacity == old_capacity) return;
  block_ = static_cast<char*>(block_resize(block_, old_capacity, capacity));
}

void Listpack::store_size(std::size_t size) {
  if (is_constant()) return;
  store(4, static_cast<std::uint16_t>(std::min<std::size_t>(size, kUnknownSize)));
}

// An unknown size stays unknown: the next size() counts.
void Listpack::add_to_size(std::int64_t difference) {
  if (stored_size() == kUnknownSize) return;
  store_size(static_cast<std::size_t>(stored_size() + difference));
}

}  // namespace millrace::ds
