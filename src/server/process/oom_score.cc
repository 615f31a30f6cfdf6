#include "server/process/oom_score.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace millrace {
namespace {

constexpr int kLowest = -1000;  // the kernel's limits
constexpr int kHighest = 1000;

}  // namespace

std::optional<int> OomScore::read() const {
  std::ifstream file(path_);
  int score = 0;
  if (!(file >> score)) return std::nullopt;
  return score;
}

std::optional<std::string> OomScore::write(int score) const {
  errno = 0;
  std::ofstream file(path_);
  file << score << std::flush;
  if (file) return std::nullopt;
  return "Unable to write oom_score_adj: " + std::string(std::strerror(errno));
}

std::optional<std::string> OomScore::apply(const Config& config, Part part) {
  if (config.oom_score_adj == OomScoreMode::kNo) {
    if (!found_) return std::nullopt;
    return write(*std::exchange(found_, std::nullopt));
  }
  if (!found_) found_ = read();
  if (!found_) return "Unable to read oom_score_adj";
  const int wanted = config.oom_score_adj_values[size_t(part)];
  const int base = config.oom_score_adj == OomScoreMode::kRelative ? *found_ : 0;
  return write(std::clamp(base + wanted, kLowest, kHighest));
}

}  // namespace millrace
