// Whom the kernel shall kill first when memory runs out: /proc/self/oom_score_adj, -1000 (never) to
// 1000 (first). A master should outlive its replicas, and both of them a child that only writes a
// file (`oom-score-adj`, `oom-score-adj-values`).
//
//   OomScore score;
//   if (auto problem = score.apply(config, OomScore::Part::kMaster)) ...   // a sentence
//
// Off, it touches nothing; where it was on before, what had been there before comes back. Lowering
// a score below where the process began needs CAP_SYS_RESOURCE.
//
// Thread: the main loop's; in a child, the child's.
#pragma once

#include <optional>
#include <string>

#include "server/config/config.h"

namespace millrace {

class OomScore {
 public:
  enum class Part : uint8_t { kMaster, kReplica, kChild };

  explicit OomScore(std::string path = "/proc/self/oom_score_adj") : path_(std::move(path)) {}

  // Nothing: done. Else why not.
  std::optional<std::string> apply(const Config& config, Part part);

 private:
  std::optional<int> read() const;
  std::optional<std::string> write(int score) const;

  std::string path_;
  std::optional<int> found_;  // before it was adjusted; nothing while it is not
};

}  // namespace millrace
