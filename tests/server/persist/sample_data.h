// Databases with a key for every encoding, and what makes two of them comparable.
#pragma once

#include <map>
#include <string>

#include "server/db/databases.h"
#include "server/persist/dump_payload.h"

namespace millrace::fakes {

inline const ValueLimits kLimits{};

void fill(Databases& databases);

// "3 name" -> encoding, expiry and DUMP of every key of every database. Tables of other histories
// walk in another order, so what is in a table is sorted by loading it first into the same state.
std::map<std::string, std::string> facts_of(const Databases& databases);

}  // namespace millrace::fakes
