// Whether a key holds the same on two servers. Asked for with the commands every client has, so it
// does not matter what the servers are or how they keep their data.
//
// Small values are read whole, those of many keys in one pipeline. Large ones are read in chunks,
// so that neither server nor verifier ever holds much of one: what has an order (strings, lists,
// sorted sets, streams) chunk by chunk from both, what has none (sets, hashes) by asking one server
// for what the other one enumerates.
#pragma once

#include <string>
#include <vector>

#include "verify/server_link.h"

namespace verify {

// What the verifier compares, and what against.
struct Servers {
  ServerLink& here;
  ServerLink& there;
};

enum class Verdict : uint8_t {
  kEqual,
  kMissing,  // here
  kGone,     // there, since it was enumerated
  kDiffers,
};

struct KeyComparison {
  std::string key;
  Verdict verdict = Verdict::kEqual;
  std::string reason = {};  // kDiffers: "type string, there list"
};

// Times to live are read one after the other.
inline constexpr int64_t kTtlToleranceMs = 2000;

// Fills in the verdicts. Both have the same database selected.
Problem compare_values(Servers servers, std::vector<KeyComparison>& keys);

}  // namespace verify
