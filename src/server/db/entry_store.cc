#include "server/db/entry_store.h"

#include <algorithm>
#include <new>

#include "server/ds/slab.h"

namespace millrace {
namespace {

// A string that outgrows its block doubles, up to this much more than is needed: Redis' rule.
constexpr size_t kMaxSpareBytes = size_t{1} << 20;

HeapString* new_heap_string(size_t length, size_t capacity) {
  auto* string = static_cast<HeapString*>(::operator new(sizeof(HeapString) + capacity));
  string->length = length;
  string->capacity = capacity;
  return string;
}

char* write_length(char* at, size_t length) {
  if (length < 255) {
    *at = static_cast<char>(length);
    return at + 1;
  }
  *at = static_cast<char>(255);
  const auto long_length = static_cast<uint32_t>(length);
  std::memcpy(at + 1, &long_length, sizeof long_length);
  return at + 5;
}

// f(collection) with the entry's collection in its own type.
template <class F>
auto with_collection(Entry* entry, F&& f) {
  switch (entry->type()) {
    case Type::kList:
      return f(entry->list());
    case Type::kSet:
      return f(entry->set());
    case Type::kZSet:
      return f(entry->sorted_set());
    case Type::kStream:
      return f(entry->stream());
    default:
      return f(entry->hash());
  }
}

}  // namespace

StringValue StringValue::of(std::string_view text) {
  // Longer text is not an integer's; most values are told apart by their length.
  if (text.size() <= ae::kMaxInt64Chars) {
    if (const auto integer = ae::parse_int64(text)) return of(*integer);
  }
  return {.text = text, .integer = 0, .is_integer = false};
}

size_t EntryStore::prefix_bytes(size_t key_bytes, int64_t expire_at_ms) {
  return Entry::kHeaderBytes + (expire_at_ms == kNoExpiry ? 0 : Entry::kExpiryBytes) +
         Entry::length_bytes(key_bytes) + key_bytes;
}

EntryStore::Shape EntryStore::shape_of(size_t prefix_bytes, const StringValue& value) {
  if (value.is_integer) return {Layout::kInteger, sizeof value.integer};
  const size_t inline_bytes = Entry::length_bytes(value.text.size()) + value.text.size();
  if (value.text.size() <= kMaxEmbeddedBytes) return {Layout::kEmbedded, inline_bytes};
  if (prefix_bytes + inline_bytes <= kMaxInlineEntryBytes) return {Layout::kInline, inline_bytes};
  return {Layout::kHeap, Entry::kWordBytes};
}

size_t EntryStore::block_bytes(size_t prefix_bytes, Shape shape) {
  const bool is_inline = shape.layout == Layout::kEmbedded || shape.layout == Layout::kInline;
  return (is_inline ? prefix_bytes : Entry::align8(prefix_bytes)) + shape.value_bytes;
}

Entry* EntryStore::allocate(std::string_view key, Type type, Layout layout, int64_t expire_at_ms,
                            size_t value_bytes) {
  AE_ASSERT(key.size() <= kMaxKeyBytes);
  const size_t prefix = prefix_bytes(key.size(), expire_at_ms);
  auto* entry = new (ds::slab().allocate(block_bytes(prefix, {layout, value_bytes}))) Entry;
  entry->header_ = static_cast<uint32_t>(type) | static_cast<uint32_t>(layout)
                                                     << Entry::kLayoutShift;
  if (expire_at_ms != kNoExpiry) {
    entry->header_ |= Entry::kExpiryBit;
    replace_expiry(entry, expire_at_ms);
  }
  char* at = write_length(entry->base() + entry->key_offset(), key.size());
  std::memcpy(at, key.data(), key.size());
  return entry;
}

void EntryStore::write_value(Entry* entry, Shape shape, const StringValue& value) {
  switch (shape.layout) {
    case Layout::kInteger:
      std::memcpy(entry->word(), &value.integer, sizeof value.integer);
      return;
    case Layout::kHeap: {
      HeapString* string = new_heap_string(value.text.size(), value.text.size());
      std::memcpy(string->bytes(), value.text.data(), value.text.size());
      set_heap_string(entry, string);
      return;
    }
    default: {
      char* at = write_length(entry->base() + entry->value_offset(), value.text.size());
      if (!value.text.empty()) std::memcpy(at, value.text.data(), value.text.size());
    }
  }
}

void EntryStore::set_heap_string(Entry* entry, const HeapString* string) {
  std::memcpy(entry->word(), &string, Entry::kWordBytes);
}

void EntryStore::set_layout(Entry* entry, Type type, Layout layout) {
  constexpr uint32_t kMask = Entry::kTypeMask | Entry::kLayoutMask << Entry::kLayoutShift;
  entry->header_ = (entry->header_ & ~kMask) | static_cast<uint32_t>(type) |
                   static_cast<uint32_t>(layout) << Entry::kLayoutShift;
}

void EntryStore::replace_expiry(Entry* entry, int64_t expire_at_ms) {
  std::memcpy(entry->base() + Entry::kHeaderBytes, &expire_at_ms, sizeof expire_at_ms);
}

Entry* EntryStore::make_string(std::string_view key, const StringValue& value,
                               int64_t expire_at_ms) {
  const Shape shape = shape_of(prefix_bytes(key.size(), expire_at_ms), value);
  Entry* entry = allocate(key, Type::kString, shape.layout, expire_at_ms, shape.value_bytes);
  write_value(entry, shape, value);
  return entry;
}

void EntryStore::release_value(Entry* entry) {
  if (entry->layout() == Layout::kHeap) ::operator delete(entry->heap_string());
  if (entry->layout() != Layout::kObject) return;
  with_collection(entry, [](auto& collection) { std::destroy_at(&collection); });
}

void EntryStore::destroy(Entry* entry) {
  const size_t bytes = entry->block_bytes();
  release_value(entry);
  ds::slab().release(entry, bytes);
}

bool EntryStore::overwrite(Entry* entry, const StringValue& value, int64_t expire_at_ms) {
  if (entry->has_expiry() != (expire_at_ms != kNoExpiry)) return false;
  const size_t prefix = entry->value_offset();
  const Shape shape = shape_of(prefix, value);
  if (ds::Slab::rounded(block_bytes(prefix, shape)) != ds::Slab::rounded(entry->block_bytes())) {
    return false;
  }
  if (expire_at_ms != kNoExpiry) replace_expiry(entry, expire_at_ms);
  const bool both_heap = shape.layout == Layout::kHeap && entry->layout() == Layout::kHeap;
  if (both_heap && entry->heap_string()->capacity == value.text.size()) {
    std::memcpy(entry->heap_string()->bytes(), value.text.data(), value.text.size());
    entry->heap_string()->length = value.text.size();
    return true;
  }
  release_value(entry);
  set_layout(entry, Type::kString, shape.layout);
  write_value(entry, shape, value);
  return true;
}

Entry* EntryStore::rebuild(Entry* entry, std::string_view key, int64_t expire_at_ms) {
  const size_t old_bytes = entry->block_bytes();
  const bool is_word = entry->layout() != Layout::kEmbedded && entry->layout() != Layout::kInline;
  const char* value = is_word ? entry->word() : entry->base() + entry->value_offset();
  const auto value_bytes = static_cast<size_t>(entry->base() + old_bytes - value);
  Entry* fresh = allocate(key, entry->type(), entry->layout(), expire_at_ms, value_bytes);
  // A collection is one word without a pointer to itself, so that it may be moved as bytes.
  std::memcpy(is_word ? fresh->word() : fresh->base() + fresh->value_offset(), value, value_bytes);
  fresh->set_access(entry->access());
  ds::slab().release(entry, old_bytes);
  return fresh;
}

Entry* EntryStore::edit(Entry* entry, size_t new_length, ae::MutableBytes& bytes) {
  if (entry->layout() == Layout::kHeap) return edit_heap(entry, new_length, bytes);
  const size_t inline_bytes = Entry::length_bytes(new_length) + new_length;
  if (entry->value_offset() + inline_bytes <= kMaxInlineEntryBytes) {
    return edit_inline(entry, new_length, bytes);
  }
  TextBuffer buffer;
  const std::string_view text = entry->text(buffer);
  Entry* fresh = allocate(entry->key(), Type::kString, Layout::kHeap, entry->expire_at_ms(),
                          Entry::kWordBytes);
  HeapString* string = new_heap_string(new_length, new_length);
  std::memcpy(string->bytes(), text.data(), std::min(text.size(), new_length));
  set_heap_string(fresh, string);
  fresh->set_access(entry->access());
  destroy(entry);
  bytes = {string->bytes(), new_length};
  return fresh;
}

// The result fits a slab's cell. In the same block if it is an inline string already and its length
// takes as many bytes.
Entry* EntryStore::edit_inline(Entry* entry, size_t new_length, ae::MutableBytes& bytes) {
  TextBuffer buffer;
  const std::string_view text = entry->text(buffer);
  const Shape shape{Layout::kInline, Entry::length_bytes(new_length) + new_length};
  const size_t block = block_bytes(entry->value_offset(), shape);
  const bool in_place = !entry->is_integer() &&
                        Entry::length_bytes(text.size()) == Entry::length_bytes(new_length) &&
                        ds::Slab::rounded(block) == ds::Slab::rounded(entry->block_bytes());
  Entry* fresh = entry;
  if (in_place) {
    set_layout(entry, Type::kString, Layout::kInline);
  } else {
    fresh = allocate(entry->key(), Type::kString, Layout::kInline, entry->expire_at_ms(),
                     shape.value_bytes);
    fresh->set_access(entry->access());
  }
  char* at = write_length(fresh->base() + fresh->value_offset(), new_length);
  if (!in_place) {
    std::memcpy(at, text.data(), std::min(text.size(), new_length));
    destroy(entry);
  }
  bytes = {at, new_length};
  return fresh;
}

Entry* EntryStore::edit_heap(Entry* entry, size_t new_length, ae::MutableBytes& bytes) {
  HeapString* string = entry->heap_string();
  if (new_length > string->capacity) {
    HeapString* grown =
        new_heap_string(new_length, new_length + std::min(new_length, kMaxSpareBytes));
    std::memcpy(grown->bytes(), string->bytes(), string->length);
    ::operator delete(string);
    string = grown;
    set_heap_string(entry, string);
  }
  string->length = new_length;
  bytes = {string->bytes(), new_length};
  return entry;
}

Entry* EntryStore::copy(const Entry& entry) {
  const size_t bytes = entry.block_bytes();
  auto* fresh = static_cast<Entry*>(ds::slab().allocate(bytes));
  std::memcpy(static_cast<void*>(fresh), &entry, bytes);
  if (entry.layout() == Layout::kHeap) {
    const HeapString* from = entry.heap_string();
    HeapString* string = new_heap_string(from->length, from->length);
    std::memcpy(string->bytes(), from->bytes(), from->length);
    set_heap_string(fresh, string);
  } else if (entry.layout() == Layout::kObject) {
    // The word is still the original's; it is replaced without being destroyed.
    with_collection(fresh, [](auto& shared) {
      using Collection = std::remove_reference_t<decltype(shared)>;
      Collection twin = shared.copy();
      new (&shared) Collection(std::move(twin));
    });
  }
  return fresh;
}

size_t EntryStore::free_some(Entry* entry, size_t budget) {
  // A list counts its nodes.
  if (entry->type() == Type::kList) return entry->list().free_some(budget) ? 0 : budget;
  if (entry->type() == Type::kSet) return entry->set().free_some(budget);
  if (entry->type() == Type::kZSet) return entry->sorted_set().free_some(budget);
  if (entry->type() == Type::kHash) return entry->hash().free_some(budget);
  if (entry->type() == Type::kStream) return entry->stream().free_some(budget);
  return 0;
}

}  // namespace millrace
