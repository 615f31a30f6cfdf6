#include "server/ds/set_algebra.h"

#include <algorithm>
#include <vector>

namespace millrace::ds {

namespace {

using SetList = std::vector<const StringSet*>;

bool is_empty(const StringSet* set) {
  return set == nullptr || set->empty();
}

SetList non_empty(StringSets sets) {
  SetList list;
  std::copy_if(sets.begin(), sets.end(), std::back_inserter(list),
               [](const StringSet* set) { return !is_empty(set); });
  return list;
}

bool in_all(StringSets sets, std::string_view member) {
  return std::all_of(sets.begin(), sets.end(),
                     [&](const StringSet* set) { return set->contains(member); });
}
bool in_none(StringSets sets, std::string_view member) {
  return std::none_of(sets.begin(), sets.end(),
                      [&](const StringSet* set) { return set->contains(member); });
}

}  // namespace

uint64_t for_each_in_all(StringSets sets, uint64_t limit, StringSet::Visit visit) {
  SetList list = non_empty(sets);
  if (list.size() < sets.size() || list.empty() || limit == 0) return 0;
  std::sort(list.begin(), list.end(),
            [](const StringSet* a, const StringSet* b) { return a->size() < b->size(); });
  const StringSets others = StringSets(list).subspan(1);
  uint64_t found = 0;
  list.front()->for_each_until([&](std::string_view member) {
    if (!in_all(others, member)) return Step::kContinue;
    visit(member);
    return ++found < limit ? Step::kContinue : Step::kStop;
  });
  return found;
}

namespace {

// Asking k earlier sets costs k lookups a member, at worst; collecting into one set costs an
// insertion, which is worth about three lookups.
constexpr size_t kMostSetsToAsk = 4;

void unite_asking(StringSets sets, StringSet::Visit visit) {
  for (size_t i = 0; i < sets.size(); ++i) {
    sets[i]->for_each([&](std::string_view member) {
      if (in_none(sets.first(i), member)) visit(member);
    });
  }
}

void unite_collecting(StringSets sets, StringSet::Visit visit) {
  StringSet united;
  for (const StringSet* set : sets) {
    set->for_each([&](std::string_view member) {
      if (united.add(member, {})) visit(member);
    });
  }
}

}  // namespace

void for_each_in_any(StringSets sets, StringSet::Visit visit) {
  SetList list = non_empty(sets);
  if (list.size() > kMostSetsToAsk) return unite_collecting(list, visit);
  // The largest first: its members need not ask anybody.
  std::sort(list.begin(), list.end(),
            [](const StringSet* a, const StringSet* b) { return a->size() > b->size(); });
  unite_asking(list, visit);
}

namespace {

void subtract_asking(const StringSet& first, SetList others, StringSet::Visit visit) {
  // The largest first: it is the likeliest to know a member.
  std::sort(others.begin(), others.end(),
            [](const StringSet* a, const StringSet* b) { return a->size() > b->size(); });
  first.for_each([&](std::string_view member) {
    if (in_none(others, member)) visit(member);
  });
}

void subtract_removing(const StringSet& first, const SetList& others, StringSet::Visit visit) {
  StringSet left = first.copy();
  for (const StringSet* set : others) {
    set->for_each([&](std::string_view member) { left.erase(member); });
    if (left.empty()) return;
  }
  left.for_each(visit);
}

}  // namespace

void for_each_in_first_only(StringSets sets, StringSet::Visit visit) {
  if (sets.empty() || is_empty(sets.front())) return;
  const StringSet& first = *sets.front();
  const SetList others = non_empty(sets.subspan(1));
  uint64_t all_members = first.size();
  for (const StringSet* set : others) {
    if (set == &first) return;
    all_members += set->size();
  }
  // Asking stops at the first set that knows the member: half of the sets, on average.
  const bool asking_is_less = first.size() * (others.size() + 1) / 2 <= all_members;
  if (asking_is_less) return subtract_asking(first, others, visit);
  subtract_removing(first, others, visit);
}

}  // namespace millrace::ds
