// All keys of two servers, each against the other's.
//
// There are enumerated the keys of the other server, and each is compared; then those of this one,
// to see which of them the other has not. What changes meanwhile would seem to differ, so a key
// that does is looked at again a little later, a few times, before it counts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "verify/value_comparison.h"

namespace verify {

struct Difference {
  int db = 0;
  std::string key;
  std::string reason;
};

struct Tally {
  // So many are named; all are counted.
  static constexpr size_t kMostExamples = 20;

  uint64_t equal = 0;
  uint64_t differing = 0;
  uint64_t missing = 0;    // here
  uint64_t only_here = 0;  // and not there
  std::vector<Difference> examples;

  bool all_equal() const { return differing + missing + only_here == 0; }
  uint64_t seen() const { return equal + differing + missing; }
};

class KeyspaceComparison {
 public:
  // Told after each chunk of keys.
  using Progress = std::function<void(const Tally&)>;

  KeyspaceComparison(Servers servers, Progress progress)
      : servers_(servers), progress_(std::move(progress)) {}

  Problem run();
  const Tally& tally() const { return tally_; }

 private:
  Problem list_databases(ServerLink& link, std::vector<int>& databases);
  Problem compare_database(int db);
  Problem compare_keys(int db, std::vector<KeyComparison> keys);
  Problem find_others(int db, const std::vector<std::string>& keys);
  void count(int db, const KeyComparison& key);
  void note(int db, const std::string& key, std::string reason);

  Servers servers_;
  Progress progress_;
  Tally tally_;
};

}  // namespace verify
