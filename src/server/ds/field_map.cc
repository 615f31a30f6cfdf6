#include "server/ds/field_map.h"

#include <algorithm>
#include <memory>

#include "ae/base/assert.h"
#include "server/ds/field.h"
#include "server/ds/hash.h"
#include "server/ds/listpack_word.h"
#include "server/ds/owning_table.h"
#include "server/ds/sampling.h"

namespace millrace::ds {

namespace {

struct FieldPolicy {
  using Element = Field;
  static std::string_view key(const Field& field) { return field.name(); }
};

Cursor find_in(const ListpackView& pack, std::string_view field) {
  return pack.find(field, pack.first(), 1);
}

Element value_in(const ListpackView& pack, Cursor field) {
  return pack.get(pack.next(field));
}

void visit_pair(const ListpackView& pack, Cursor field, FieldMap::Visit visit) {
  Element::TextBuffer field_buffer;
  Element::TextBuffer value_buffer;
  visit(pack.get(field).text(field_buffer), value_in(pack, field).text(value_buffer));
}

}  // namespace

struct FieldMap::Table : OwningTable<FieldPolicy> {
  void add(std::string_view field, std::string_view value) {
    insert(Field::create(field, value), hash_bytes(field));
  }
};

uintptr_t FieldMap::empty_word() {
  return listpack_word(Listpack(), kListpackTag);
}

FieldMap::~FieldMap() {
  if (is_table()) {
    delete &table();
  } else {
    ListpackInWord(&word_, kListpackTag)->clear();
  }
}

FieldMap& FieldMap::operator=(FieldMap&& other) noexcept {
  std::swap(word_, other.word_);
  return *this;
}

ListpackView FieldMap::pack() const {
  return view_listpack(word_, kListpackTag);
}

std::optional<std::string_view> FieldMap::raw() const {
  return is_table() ? std::nullopt : std::optional(pack().raw());
}

FieldMap FieldMap::from_pack(Listpack pack) {
  return FieldMap(listpack_word(std::move(pack), kListpackTag));
}

void FieldMap::expect(size_t fields, const ListpackLimits& limits) {
  if (!is_table() && fields > limits.max_entries) convert_to_table();
}

void FieldMap::convert_to_table() {
  auto table = std::make_unique<Table>();
  for_each([&](std::string_view field, std::string_view value) { table->add(field, value); });
  ListpackInWord(&word_, kListpackTag)->clear();
  word_ = reinterpret_cast<uintptr_t>(table.release()) | kTableTag;
}

FieldMap FieldMap::copy() const {
  if (!is_table()) return FieldMap(listpack_word(Listpack::copy_of(pack()), kListpackTag));
  FieldMap copied;
  copied.convert_to_table();
  copied.table().copy_from(table());
  return copied;
}

std::optional<std::string_view> FieldMap::get(std::string_view field,
                                              Element::TextBuffer& buffer) const {
  if (is_table()) {
    const Field* found = table().find(field, hash_bytes(field));
    return found != nullptr ? std::optional(found->value()) : std::nullopt;
  }
  const Cursor found = find_in(pack(), field);
  return found ? std::optional(value_in(pack(), found).text(buffer)) : std::nullopt;
}

bool FieldMap::contains(std::string_view field) const {
  if (is_table()) return table().find(field, hash_bytes(field)) != nullptr;
  return static_cast<bool>(find_in(pack(), field));
}

std::optional<size_t> FieldMap::value_length(std::string_view field) const {
  Element::TextBuffer buffer;
  const auto value = get(field, buffer);
  return value ? std::optional(value->size()) : std::nullopt;
}

uint64_t FieldMap::size() const {
  return is_table() ? table().size() : pack().size() / 2;
}

void FieldMap::prefetch_place(uint64_t hash) const {
  is_table() ? table().prefetch_bucket(hash) : prefetch_listpack(word_, kListpackTag);
}

void FieldMap::prefetch_member(uint64_t hash) const {
  if (is_table()) table().prefetch_element(hash);
}

FieldMap::SetResult FieldMap::set(std::string_view field, std::string_view value,
                                  const ListpackLimits& limits) {
  if (!is_table()) {
    if (fits_pack(field, value, limits)) return set_in_pack(field, value, limits);
    convert_to_table();
  }
  return set_in_table(field, value);
}

bool FieldMap::fits_pack(std::string_view field, std::string_view value,
                         const ListpackLimits& limits) {
  constexpr size_t kMostOverheadOfPair = 2 * 16;  // encoding and backlen are at most 10 bytes each
  if (std::max(field.size(), value.size()) > limits.max_value_bytes) return false;
  return ListpackInWord(&word_, kListpackTag)
      ->fits(field.size() + value.size() + kMostOverheadOfPair);
}

FieldMap::SetResult FieldMap::set_in_pack(std::string_view field, std::string_view value,
                                          const ListpackLimits& limits) {
  {
    ListpackInWord pack(&word_, kListpackTag);
    if (const Cursor found = find_in(*pack, field)) {
      pack->replace(pack->next(found), value);
      return SetResult::kUpdated;
    }
    pack->append_pair(field, value);
  }
  if (size() > limits.max_entries) convert_to_table();
  return SetResult::kCreated;
}

FieldMap::SetResult FieldMap::set_in_table(std::string_view field, std::string_view value) {
  const uint64_t hash = hash_bytes(field);
  const Table::Slot slot = table().find_slot(field, hash);
  if (!slot) {
    table().insert(Field::create(field, value), hash);
    return SetResult::kCreated;
  }
  if (slot.element()->takes_value(value.size())) {
    slot.element()->overwrite_value(value);
  } else {
    table().replace(slot, Field::create(field, value));
  }
  return SetResult::kUpdated;
}

bool FieldMap::erase(std::string_view field) {
  if (is_table()) return table().erase(field);
  ListpackInWord pack(&word_, kListpackTag);
  const Cursor found = find_in(*pack, field);
  if (found) pack->erase(found, 2);
  return static_cast<bool>(found);
}

void FieldMap::for_each(Visit visit) const {
  if (is_table()) {
    return table().for_each([&](const Field& field) { visit(field.name(), field.value()); });
  }
  for (Cursor at = pack().first(); at; at = pack().next(pack().next(at))) {
    visit_pair(pack(), at, visit);
  }
}

void FieldMap::random(ae::Prng& prng, Visit visit) const {
  AE_ASSERT(!empty());
  random(1, Repetition::kRepeating, prng, visit);
}

void FieldMap::random(uint64_t count, Repetition repetition, ae::Prng& prng, Visit visit) const {
  if (is_table()) {
    return table().sample(count, repetition, prng,
                          [&](const Field& field) { visit(field.name(), field.value()); });
  }
  sample_listpack(pack(), 2, count, repetition, prng,
                  [&](Cursor field) { visit_pair(pack(), field, visit); });
}

uint64_t FieldMap::scan(uint64_t cursor, Visit visit) const {
  if (is_table()) {
    return table().scan(cursor, [&](const Field& field) { visit(field.name(), field.value()); });
  }
  for_each(visit);
  return 0;
}

size_t FieldMap::memory_bytes() const {
  if (is_table()) return sizeof(Table) + table().memory_bytes();
  return listpack_bytes(word_, kListpackTag);
}

size_t FieldMap::free_some(size_t budget) {
  const size_t before = size();
  if (is_table() && !table().free_some(budget)) return budget;
  *this = FieldMap();
  return std::min(before, budget);
}

void FieldMap::check(const ListpackLimits& limits) const {
  if (is_table()) return table().check();
  AE_ASSERT(pack().check() && pack().size() % 2 == 0 && size() <= limits.max_entries);
  for (Cursor at = pack().first(); at; at = pack().next(pack().next(at))) {
    Element::TextBuffer buffer;
    AE_ASSERT(find_in(pack(), pack().get(at).text(buffer)) == at);
    AE_ASSERT(pack().get(at).text(buffer).size() <= limits.max_value_bytes);
    AE_ASSERT(value_in(pack(), at).text(buffer).size() <= limits.max_value_bytes);
  }
}

}  // namespace millrace::ds
