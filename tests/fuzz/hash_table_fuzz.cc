// Operations on a HashTable, two bytes each, beside a std::map. The hash of a key is chosen by the
// input, from few bits, so that tags and prefixes collide far more often than a real hash would
// make them.
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "ae/base/assert.h"
#include "server/ds/hash_table.h"

namespace {

struct Item {
  uint64_t hash;
  std::string key;
};

struct ItemPolicy {
  using Element = Item;
  static std::string_view key(const Item& item) { return item.key; }
  static uint64_t hash(const Item& item) { return item.hash; }
};

class Run {
 public:
  ~Run() {
    table_.clear([](Item* item) { delete item; });
  }

  void step(uint8_t operation, uint8_t argument) {
    switch (operation % 8) {
      case 0:
      case 1:
        return insert_many(argument, operation / 8 + 1);
      case 2:
        return remove_many(argument, operation / 8 + 1);
      case 3:
        return mark(argument, operation / 8 % 2 == 0);
      case 4:
        return scan_step();
      case 5:
        return table_.check();
      case 6:
        return probe(argument);
      default:
        return clear_if(argument);
    }
  }

 private:
  static constexpr size_t kMaxItems = 6'000;

  static uint64_t hash_of(unsigned number) {
    // High bits from the number's middle, so that neighbours share a prefix; low bits from its end.
    return static_cast<uint64_t>(number / 16 * 0x9e37'79b9) << 32 | (number & 15) << 3;
  }
  static std::string name(unsigned number) { return std::to_string(number); }

  void insert_many(uint8_t argument, int count) {
    for (int i = 0; i < count * 4 && model_.size() < kMaxItems; ++i) {
      const unsigned number = argument * 64U + next_++ % 512;
      if (model_.contains(number)) continue;
      auto* item = new Item{hash_of(number), name(number)};
      table_.insert(item, item->hash);
      model_.emplace(number, item);
    }
  }
  void remove_many(uint8_t argument, int count) {
    auto victim = model_.lower_bound(argument * 64U);
    for (int i = 0; i < count * 8 && victim != model_.end(); ++i) {
      Item* item = table_.remove(victim->second->key, victim->second->hash);
      AE_ASSERT(item == victim->second);
      begun_.erase(victim->first);
      delete item;
      victim = model_.erase(victim);
    }
  }
  void mark(uint8_t argument, bool on) {
    const auto known = model_.lower_bound(argument * 64U);
    if (known == model_.end()) return;
    const auto slot = table_.slot_of(known->second, known->second->hash);
    AE_ASSERT(slot && slot.element() == known->second);
    if (on) {
      table_.mark(slot);
    } else {
      table_.unmark(slot);
    }
    AE_ASSERT(slot.marked() == on);
  }
  // One call of a scan that goes on through all other operations.
  void scan_step() {
    if (cursor_ == 0) {
      begun_.clear();
      seen_.clear();
      for (const auto& [number, item] : model_) begun_.insert(number);
    }
    cursor_ = table_.scan(cursor_, [this](Item& item) {
      const auto number = static_cast<unsigned>(std::stoul(item.key));
      const bool first = seen_.insert(number).second;
      AE_ASSERT(first || !begun_.contains(number));
    });
    if (cursor_ != 0) return;
    for (const unsigned number : begun_) AE_ASSERT(seen_.contains(number));
  }
  void probe(uint8_t argument) {
    for (unsigned number = argument * 64U; number < argument * 64U + 64; ++number) {
      Item* item = table_.find(name(number), hash_of(number));
      const auto known = model_.find(number);
      AE_ASSERT(item == (known == model_.end() ? nullptr : known->second));
    }
  }
  void clear_if(uint8_t argument) {
    if (argument != 0) return;
    while (!table_.clear_step(100, [](Item* item) { delete item; })) {
    }
    model_.clear();
    begun_.clear();
    cursor_ = 0;
  }

  millrace::ds::HashTable<ItemPolicy> table_;
  std::map<unsigned, Item*> model_;
  unsigned next_ = 0;
  uint64_t cursor_ = 0;
  std::set<unsigned> begun_;  // there when the scan began, and ever since
  std::set<unsigned> seen_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Run run;
  for (size_t i = 0; i + 1 < size; i += 2) run.step(data[i], data[i + 1]);
  return 0;
}
