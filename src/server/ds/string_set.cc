#include "server/ds/string_set.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "ae/base/assert.h"
#include "ae/base/decimal.h"
#include "server/ds/hash.h"
#include "server/ds/int_set.h"
#include "server/ds/listpack_word.h"
#include "server/ds/member.h"
#include "server/ds/owning_table.h"
#include "server/ds/sampling.h"

namespace millrace::ds {

namespace {

struct MemberPolicy {
  using Element = Member;
  static std::string_view key(const Member& member) { return member.text(); }
};

// The intset of a tagged word, whose tag is 0. Put back at the end of the scope.
class IntSetInWord {
 public:
  explicit IntSetInWord(uintptr_t* word)
      // NOLINTNEXTLINE(performance-no-int-to-ptr): a tag of 0 shares the word with the pointer
      : word_(word), set_(IntSet::adopt(reinterpret_cast<char*>(*word))) {}
  ~IntSetInWord() { *word_ = reinterpret_cast<uintptr_t>(set_.release()); }
  IntSetInWord(const IntSetInWord&) = delete;
  IntSetInWord& operator=(const IntSetInWord&) = delete;
  IntSet* operator->() { return &set_; }
  IntSet& operator*() { return set_; }

 private:
  uintptr_t* word_;
  IntSet set_;
};

// The same to read with: the copy of the word is thrown away.
class IntSetToRead {
 public:
  explicit IntSetToRead(uintptr_t word) : word_(word), set_(&word_) {}
  const IntSet* operator->() { return &*set_; }

 private:
  uintptr_t word_;
  IntSetInWord set_;
};

// The text of an integer member.
class IntegerText {
 public:
  explicit IntegerText(int64_t value) : length_(ae::format_int64(value, text_)) {}
  operator std::string_view() const { return {text_, length_}; }  // NOLINT(google-explicit-*)
  size_t size() const { return length_; }

 private:
  char text_[ae::kMaxInt64Chars];
  size_t length_;
};

size_t intset_limit(const StringSetLimits& limits) {
  return std::min(limits.max_intset_entries, IntSet::kMaxSize - 1);
}

}  // namespace

// Members drawn at random before they are asked for, so that the cache misses of several draws
// overlap: in a large set a draw is two misses, one after the other, and little else. Sixteen at
// once take a third of the time of sixteen one by one (collections_bench, spop).
//
// What is drawn is uniform over the members at the time of the draw. Popping some of them leaves
// the rest uniform over what is left, as long as nothing else comes or goes: any other change
// forgets them.
class StringSet::DrawnAhead {
 public:
  // Smaller tables lie in the cache anyway.
  static constexpr size_t kMinTableSize = 4096;

  void forget() { count_ = 0; }
  const Member* next(const OwningTable<MemberPolicy>& table, ae::Prng& prng) {
    if (count_ == 0) draw(table, prng);
    return members_[--count_];
  }

 private:
  static constexpr size_t kDraws = 16;

  void draw(const OwningTable<MemberPolicy>& table, ae::Prng& prng) {
    Member* drawn[kDraws];
    table.draw(prng, drawn);
    // Twice the same is once: it can be popped only once.
    for (Member* member : drawn) {
      if (std::find(members_, members_ + count_, member) == members_ + count_) {
        members_[count_++] = member;
      }
    }
  }

  size_t count_ = 0;
  Member* members_[kDraws];
};

struct StringSet::Table : OwningTable<MemberPolicy> {
  std::unique_ptr<DrawnAhead> drawn_ahead;  // once there has been a pop

  void add(std::string_view member) { insert(Member::create(member), hash_bytes(member)); }
  void changes() {
    if (drawn_ahead != nullptr) drawn_ahead->forget();
  }
  const Member& draw_one(ae::Prng& prng) {
    if (size() < DrawnAhead::kMinTableSize) {
      changes();
      return random(prng);
    }
    if (drawn_ahead == nullptr) drawn_ahead = std::make_unique<DrawnAhead>();
    return *drawn_ahead->next(*this, prng);
  }
};

uintptr_t StringSet::empty_word() {
  return reinterpret_cast<uintptr_t>(IntSet().release());
}

StringSet::~StringSet() {
  switch (encoding()) {
    case Encoding::kHashTable:
      delete &table();
      return;
    case Encoding::kListpack:
      ListpackInWord(&word_, kListpackTag)->clear();
      return;
    case Encoding::kIntSet:
      *IntSetInWord(&word_) = IntSet();
      return;
  }
}

StringSet& StringSet::operator=(StringSet&& other) noexcept {
  std::swap(word_, other.word_);
  return *this;
}

std::optional<std::string_view> StringSet::raw() const {
  switch (encoding()) {
    case Encoding::kIntSet:
      return IntSetToRead(word_)->raw();
    case Encoding::kListpack:
      return pack().raw();
    case Encoding::kHashTable:
      break;
  }
  return std::nullopt;
}

StringSet StringSet::from_pack(Listpack pack) {
  return StringSet(listpack_word(std::move(pack), kListpackTag));
}

StringSet StringSet::from_integers(IntSet integers) {
  return StringSet(reinterpret_cast<uintptr_t>(integers.release()));
}

ListpackView StringSet::pack() const {
  return view_listpack(word_, kListpackTag);
}

std::string_view StringSet::encoding_name() const {
  switch (encoding()) {
    case Encoding::kIntSet:
      return "intset";
    case Encoding::kListpack:
      return "listpack";
    case Encoding::kHashTable:
      return "hashtable";
  }
  return {};
}

// --- Encodings
// ---------------------------------------------------------------------------------------

StringSet StringSet::sized_for(std::string_view first, size_t members,
                               const StringSetLimits& limits) {
  StringSet set;
  if (members <= limits.max_intset_entries && ae::parse_int64(first)) return set;
  if (members <= limits.max_listpack_entries) {
    set.convert_to_listpack();
  } else {
    set.convert_to_table();
  }
  return set;
}

void StringSet::expect(size_t members, const StringSetLimits& limits) {
  const bool outgrows_integers =
      encoding() == Encoding::kIntSet && members > limits.max_intset_entries;
  const bool outgrows_pack =
      encoding() == Encoding::kListpack && members > limits.max_listpack_entries;
  if (outgrows_integers || outgrows_pack) convert_to_table();
}

void StringSet::convert_to_table() {
  auto table = std::make_unique<Table>();
  for_each([&](std::string_view member) { table->add(member); });
  *this = StringSet(reinterpret_cast<uintptr_t>(table.release()) | kTableTag);
}

void StringSet::convert_to_listpack() {
  Listpack pack;
  for_each([&](std::string_view member) { pack.append(member); });
  *this = StringSet(listpack_word(std::move(pack), kListpackTag));
}

StringSet StringSet::copy() const {
  StringSet copied;
  switch (encoding()) {
    case Encoding::kHashTable:
      copied.convert_to_table();
      copied.table().copy_from(table());
      break;
    case Encoding::kListpack:
      copied = StringSet(listpack_word(Listpack::copy_of(pack()), kListpackTag));
      break;
    case Encoding::kIntSet:
      *IntSetInWord(&copied.word_) = IntSet::copy_of(*IntSetToRead(word_).operator->());
      break;
  }
  return copied;
}

// --- Adding
// ------------------------------------------------------------------------------------------

bool StringSet::add(std::string_view member, const StringSetLimits& limits) {
  switch (encoding()) {
    case Encoding::kHashTable:
      return add_to_table(member);
    case Encoding::kListpack:
      return add_to_pack(member, limits);
    case Encoding::kIntSet:
      return add_to_integers(member, limits);
  }
  return false;
}

bool StringSet::add_to_table(std::string_view member) {
  const uint64_t hash = hash_bytes(member);
  if (table().find(member, hash) != nullptr) return false;
  table().changes();
  table().insert(Member::create(member), hash);
  return true;
}

bool StringSet::add_to_pack(std::string_view member, const StringSetLimits& limits) {
  constexpr size_t kMostOverhead = 16;  // encoding and backlen are at most 10 bytes
  if (pack().find(member)) return false;
  const bool stays_small =
      pack().size() < limits.max_listpack_entries && member.size() <= limits.max_value_bytes;
  if (stays_small) {
    ListpackInWord pack(&word_, kListpackTag);
    if (pack->fits(member.size() + kMostOverhead)) return static_cast<bool>(pack->append(member));
  }
  convert_to_table();
  table().add(member);
  return true;
}

bool StringSet::add_to_integers(std::string_view member, const StringSetLimits& limits) {
  if (const auto integer = ae::parse_int64(member)) return add_integer(*integer, limits);
  if (may_become_listpack(member, limits)) {
    convert_to_listpack();
    ListpackInWord(&word_, kListpackTag)->append(member);
  } else {
    convert_to_table();
    table().add(member);
  }
  return true;
}

bool StringSet::add_integer(int64_t member, const StringSetLimits& limits) {
  if (!IntSetInWord(&word_)->insert(member)) return false;
  if (size() > intset_limit(limits)) convert_to_table();
  return true;
}

// Whether an intset that is to get its first other member is small enough, and its integers short
// enough, which only limits below 20 could deny.
bool StringSet::may_become_listpack(std::string_view newcomer,
                                    const StringSetLimits& limits) const {
  if (size() >= limits.max_listpack_entries || newcomer.size() > limits.max_value_bytes)
    return false;
  if (empty()) return true;
  return IntegerText(IntSetToRead(word_)->front()).size() <= limits.max_value_bytes &&
         IntegerText(IntSetToRead(word_)->back()).size() <= limits.max_value_bytes;
}

// --- Asking and walking
// ------------------------------------------------------------------------------

bool StringSet::erase(std::string_view member) {
  if (encoding() == Encoding::kHashTable) {
    table().changes();
    return table().erase(member);
  }
  if (encoding() == Encoding::kIntSet) {
    const auto integer = ae::parse_int64(member);
    return integer && IntSetInWord(&word_)->erase(*integer);
  }
  ListpackInWord pack(&word_, kListpackTag);
  const Cursor found = pack->find(member);
  if (found) pack->erase(found);
  return static_cast<bool>(found);
}

bool StringSet::contains(std::string_view member) const {
  if (encoding() == Encoding::kHashTable) {
    return table().find(member, hash_bytes(member)) != nullptr;
  }
  if (encoding() == Encoding::kListpack) return static_cast<bool>(pack().find(member));
  const auto integer = ae::parse_int64(member);
  return integer && IntSetToRead(word_)->contains(*integer);
}

uint64_t StringSet::size() const {
  switch (encoding()) {
    case Encoding::kHashTable:
      return table().size();
    case Encoding::kListpack:
      return pack().size();
    case Encoding::kIntSet:
      return IntSetToRead(word_)->size();
  }
  return 0;
}

void StringSet::prefetch_place(uint64_t hash) const {
  if (encoding() == Encoding::kHashTable) return table().prefetch_bucket(hash);
  prefetch_listpack(word_, word_ & kTagMask);  // or the integers, which begin there too
}

void StringSet::prefetch_member(uint64_t hash) const {
  if (encoding() == Encoding::kHashTable) table().prefetch_element(hash);
}

void StringSet::for_each(Visit visit) const {
  switch (encoding()) {
    case Encoding::kHashTable:
      return table().for_each([&](const Member& member) { visit(member.text()); });
    case Encoding::kListpack:
      return pack().for_each([&](const Element& element) {
        Element::TextBuffer buffer;
        visit(element.text(buffer));
      });
    case Encoding::kIntSet:
      return IntSetToRead(word_)->for_each([&](int64_t member) { visit(IntegerText(member)); });
  }
}

// What is left of a bucket, or of a small set, is walked over without being visited.
void StringSet::for_each_until(StepVisit visit) const {
  Step step = Step::kContinue;
  uint64_t cursor = 0;
  do {
    cursor = scan(cursor, [&](std::string_view member) {
      if (step == Step::kContinue) step = visit(member);
    });
  } while (cursor != 0 && step == Step::kContinue);
}

uint64_t StringSet::scan(uint64_t cursor, Visit visit) const {
  if (encoding() == Encoding::kHashTable) {
    return table().scan(cursor, [&](const Member& member) { visit(member.text()); });
  }
  for_each(visit);
  return 0;
}

// --- At random
// ---------------------------------------------------------------------------------------

void StringSet::random(ae::Prng& prng, Visit visit) const {
  AE_ASSERT(!empty());
  random(1, Repetition::kRepeating, prng, visit);
}

void StringSet::random(uint64_t count, Repetition repetition, ae::Prng& prng, Visit visit) const {
  switch (encoding()) {
    case Encoding::kHashTable:
      return table().sample(count, repetition, prng,
                            [&](const Member& member) { visit(member.text()); });
    case Encoding::kListpack:
      return sample_listpack(pack(), 1, count, repetition, prng, [&](Cursor at) {
        Element::TextBuffer buffer;
        visit(pack().get(at).text(buffer));
      });
    case Encoding::kIntSet:
      return sample_indices(size(), count, repetition, prng, [&](uint64_t index) {
        visit(IntegerText(IntSetToRead(word_)->at(index)));
      });
  }
}

void StringSet::pop_random(ae::Prng& prng, Visit visit) {
  AE_ASSERT(!empty());
  if (encoding() == Encoding::kHashTable) {
    const Member& member = table().draw_one(prng);
    visit(member.text());
    table().erase(table().slot_of(member));
    return;
  }
  const uint64_t index = prng.below(size());
  if (encoding() == Encoding::kIntSet) {
    IntSetInWord integers(&word_);
    visit(IntegerText(integers->at(index)));
    integers->erase_at(index);
    return;
  }
  ListpackInWord pack(&word_, kListpackTag);
  const Cursor at = pack->seek(static_cast<int64_t>(index));
  Element::TextBuffer buffer;
  visit(pack->get(at).text(buffer));
  pack->erase(at);
}

uint64_t StringSet::pop_random(uint64_t count, ae::Prng& prng, Visit visit) {
  const uint64_t popped = std::min(count, size());
  if (count >= size()) {
    for_each(visit);
    *this = StringSet();
    return popped;
  }
  for (uint64_t i = 0; i < popped; ++i) pop_random(prng, visit);
  return popped;
}

// --- Memory
// ------------------------------------------------------------------------------------------

size_t StringSet::memory_bytes() const {
  switch (encoding()) {
    case Encoding::kHashTable:
      return sizeof(Table) + table().memory_bytes() +
             (table().drawn_ahead != nullptr ? sizeof(DrawnAhead) : 0);
    case Encoding::kListpack:
      return listpack_bytes(word_, kListpackTag);
    case Encoding::kIntSet:
      return IntSetToRead(word_)->allocated_bytes();
  }
  return 0;
}

size_t StringSet::free_some(size_t budget) {
  const size_t before = size();
  if (encoding() == Encoding::kHashTable && !table().free_some(budget)) return budget;
  *this = StringSet();
  return std::min(before, budget);
}

void StringSet::check(const StringSetLimits& limits) const {
  switch (encoding()) {
    case Encoding::kHashTable:
      return table().check();
    case Encoding::kIntSet:
      AE_ASSERT(IntSetToRead(word_)->check() && size() <= intset_limit(limits));
      return;
    case Encoding::kListpack:
      break;
  }
  AE_ASSERT(pack().check() && size() <= limits.max_listpack_entries);
  for (Cursor at = pack().first(); at; at = pack().next(at)) {
    Element::TextBuffer buffer;
    const std::string_view member = pack().get(at).text(buffer);
    AE_ASSERT(pack().find(member) == at && member.size() <= limits.max_value_bytes);
  }
}

}  // namespace millrace::ds
