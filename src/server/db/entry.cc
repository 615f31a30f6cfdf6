#include "server/db/entry.h"

#include "server/ds/slab.h"

namespace millrace {
namespace {

Encoding set_encoding(ds::StringSet::Encoding encoding) {
  switch (encoding) {
    case ds::StringSet::Encoding::kIntSet:
      return Encoding::kIntSet;
    case ds::StringSet::Encoding::kListpack:
      return Encoding::kListpack;
    case ds::StringSet::Encoding::kHashTable:
      break;
  }
  return Encoding::kHashTable;
}

}  // namespace

Encoding Entry::encoding() const {
  switch (layout()) {
    case Layout::kInteger:
      return Encoding::kInt;
    case Layout::kEmbedded:
      return Encoding::kEmbedded;
    case Layout::kInline:
    case Layout::kHeap:
      return Encoding::kRaw;
    case Layout::kObject:
      break;
  }
  switch (type()) {
    case Type::kList:
      return list().is_single_listpack() ? Encoding::kListpack : Encoding::kQuickList;
    case Type::kSet:
      return set_encoding(set().encoding());
    case Type::kZSet:
      return sorted_set().encoding() == ds::SortedSet::Encoding::kListpack ? Encoding::kListpack
                                                                           : Encoding::kSkipList;
    case Type::kHash:
      return hash().encoding() == ds::FieldMap::Encoding::kListpack ? Encoding::kListpack
                                                                    : Encoding::kHashTable;
    default:
      return Encoding::kStream;
  }
}

size_t Entry::text_length() const {
  TextBuffer buffer;
  return is_integer() ? ae::format_int64(integer(), buffer.data()) : text(buffer).size();
}

uint64_t Entry::collection_size() const {
  switch (type()) {
    case Type::kList:
      return list().size();
    case Type::kSet:
      return set().size();
    case Type::kZSet:
      return sorted_set().size();
    case Type::kHash:
      return hash().size();
    case Type::kStream:
      return stream().element_count();
    default:
      return 1;
  }
}

void Entry::prefetch_place(uint64_t member_hash) const {
  switch (type()) {
    case Type::kSet:
      return set().prefetch_place(member_hash);
    case Type::kZSet:
      return sorted_set().prefetch_place(member_hash);
    case Type::kHash:
      return hash().prefetch_place(member_hash);
    default:
      return;
  }
}

void Entry::prefetch_member(uint64_t member_hash) const {
  switch (type()) {
    case Type::kSet:
      return set().prefetch_member(member_hash);
    case Type::kZSet:
      return sorted_set().prefetch_member(member_hash);
    case Type::kHash:
      return hash().prefetch_member(member_hash);
    default:
      return;
  }
}

size_t Entry::block_bytes() const {
  const size_t offset = value_offset();
  switch (layout()) {
    case Layout::kEmbedded:
    case Layout::kInline: {
      const std::string_view value = text_at(base() + offset);
      return static_cast<size_t>(value.data() + value.size() - base());
    }
    default:
      return align8(offset) + sizeof(uint64_t);
  }
}

size_t Entry::memory_bytes() const {
  const size_t block = ds::Slab::rounded(block_bytes());
  if (layout() == Layout::kHeap) return block + sizeof(HeapString) + heap_string()->capacity;
  if (layout() != Layout::kObject) return block;
  switch (type()) {
    case Type::kList:
      return block + list().byte_size();
    case Type::kSet:
      return block + set().memory_bytes();
    case Type::kZSet:
      return block + sorted_set().memory_bytes();
    case Type::kStream:
      return block + stream().memory_bytes();
    default:
      return block + hash().memory_bytes();
  }
}

}  // namespace millrace
