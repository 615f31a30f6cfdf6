#include "server/ds/slab.h"

#include <cstdlib>
#include <new>

namespace millrace::ds {

void* Slab::allocate_large(size_t bytes) {
  stats_.large_bytes += bytes;
  return ::operator new(bytes);
}

void Slab::release_large(void* block, size_t bytes) {
  stats_.large_bytes -= bytes;
  ::operator delete(block);
}

// No cell on a free list at hand: a new one from the bump pointer, or a new slab.
void* Slab::allocate_slow(size_t index) {
  Header* header = partial_[index];
  if (header == nullptr) header = new_slab(index);
  const size_t cell_bytes = index * kCellStep;
  char* cell = header->bump;
  unpoison(cell, cell_bytes);
  header->bump += cell_bytes;
  skip_to_second_stretch(header);
  ++header->live;
  stats_.live_bytes += cell_bytes;
  if (header->bump == header->bump_end) unlink(header, index);
  return cell;
}

// When the cells before the header are used up the bump pointer goes to those behind it.
void Slab::skip_to_second_stretch(Header* header) {
  auto* behind = reinterpret_cast<char*>(header + 1);
  if (header->bump != header->bump_end || header->bump_end >= behind) return;
  const auto room = static_cast<size_t>(base_of(header) + kSlabBytes - behind);
  header->bump = behind;
  header->bump_end = behind + room / header->cell_bytes * header->cell_bytes;
}

Slab::Header* Slab::new_slab(size_t index) {
  char* base = spare_;
  spare_ = nullptr;
  if (base == nullptr) {
    base = static_cast<char*>(std::aligned_alloc(kSlabBytes, kSlabBytes));
    AE_ASSERT(base != nullptr);
    stats_.reserved_bytes += kSlabBytes;
  }
  Header* header = header_in(base);
  const size_t cell_bytes = index * kCellStep;
  const auto room = static_cast<size_t>(reinterpret_cast<char*>(header) - base);
  *header = Header{.free_list = nullptr,
                   .bump = base,
                   .bump_end = base + room / cell_bytes * cell_bytes,
                   .next_partial = nullptr,
                   .previous_partial = nullptr,
                   .live = 0,
                   .cell_bytes = static_cast<uint32_t>(cell_bytes)};
  poison(base, room);
  poison(header + 1, kSlabBytes - room - sizeof(Header));
  skip_to_second_stretch(header);
  link(header, index);
  return header;
}

// Keeps one empty slab for whichever class asks next.
void Slab::became_empty(Header* header, size_t index) {
  unlink(header, index);
  char* base = base_of(header);
  unpoison(base, kSlabBytes);
  if (spare_ == nullptr) {
    spare_ = base;
    return;
  }
  std::free(base);
  stats_.reserved_bytes -= kSlabBytes;
}

void Slab::trim() {
  if (spare_ == nullptr) return;
  std::free(spare_);
  spare_ = nullptr;
  stats_.reserved_bytes -= kSlabBytes;
}

void Slab::link(Header* header, size_t index) {
  header->previous_partial = nullptr;
  header->next_partial = partial_[index];
  if (header->next_partial != nullptr) header->next_partial->previous_partial = header;
  partial_[index] = header;
}

void Slab::unlink(Header* header, size_t index) {
  Header* next = header->next_partial;
  Header* previous = header->previous_partial;
  if (next != nullptr) next->previous_partial = previous;
  (previous != nullptr ? previous->next_partial : partial_[index]) = next;
}

void Slab::check() const {
  for (size_t index = 1; index < kClassCount; ++index) {
    const Header* previous = nullptr;
    for (Header* header = partial_[index]; header != nullptr; header = header->next_partial) {
      AE_ASSERT(header->previous_partial == previous);
      AE_ASSERT(header == header_in(base_of(header)));
      AE_ASSERT(header->cell_bytes == index * kCellStep && header->live != 0);
      check_cells(header);
      previous = header;
    }
  }
  AE_ASSERT(stats_.live_bytes <= stats_.reserved_bytes);
}

// Free cells + never used + live = all, and something is free.
void Slab::check_cells(const Header* header) {
  const size_t cell_bytes = header->cell_bytes;
  const auto* place = reinterpret_cast<const char*>(header);
  const char* base = base_of(header);
  const auto front = static_cast<size_t>(place - base);
  const size_t back_cells = (kSlabBytes - front - sizeof(Header)) / cell_bytes;
  size_t free_cells = static_cast<size_t>(header->bump_end - header->bump) / cell_bytes;
  if (header->bump_end <= place) free_cells += back_cells;
  for (FreeCell* cell = header->free_list; cell != nullptr; ++free_cells) {
    AE_ASSERT(base_of(cell) == base);
    unpoison(cell, sizeof(FreeCell));
    FreeCell* next = cell->next;
    poison(cell, sizeof(FreeCell));
    cell = next;
  }
  AE_ASSERT(free_cells != 0 && free_cells + header->live == front / cell_bytes + back_cells);
}

}  // namespace millrace::ds
