// Intersection, union and difference of StringSets: SINTER, SUNION, SDIFF and their relatives.
//
// A null pointer among the sets stands for a key that does not exist: an empty set. Results come in
// no order, each member once. The visitor must not change any of the sets.
//
// The algorithms are the classic ones. Intersection walks the smallest set and asks the others,
// smallest first, since that one is the likeliest to say no. Difference has two: ask every other
// set for each member of the first, or remove the members of the others from a copy of the first;
// the smaller estimate wins. Union asks the earlier sets whether they have had a member already,
// or, where there are many sets, collects into one.
#pragma once

#include <cstdint>
#include <span>

#include "server/ds/string_set.h"

namespace millrace::ds {

using StringSets = std::span<const StringSet* const>;

// Visits at most `limit` members of the intersection; returns how many.
uint64_t for_each_in_all(StringSets sets, uint64_t limit, StringSet::Visit visit);

// Members of any of the sets.
void for_each_in_any(StringSets sets, StringSet::Visit visit);

// Members of the first set that are in none of the others.
void for_each_in_first_only(StringSets sets, StringSet::Visit visit);

}  // namespace millrace::ds
