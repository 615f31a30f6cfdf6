#include "server/commands/sort_order.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "ae/base/decimal.h"

namespace millrace {

std::string_view SortItems::keep(std::string_view text) {
  if (text.empty()) return "";  // not null: there is one
  if (text.size() > kChunkBytes / 4) {
    // One of its own, behind which the last chunk is still filled.
    auto own = std::make_unique_for_overwrite<char[]>(text.size());
    std::memcpy(own.get(), text.data(), text.size());
    const std::string_view kept(own.get(), text.size());
    chunks_.insert(chunks_.begin() + (chunks_.empty() ? 0 : std::ptrdiff_t(chunks_.size()) - 1),
                   std::move(own));
    return kept;
  }
  if (text.size() > chunk_left_) {
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunkBytes));
    chunk_left_ = kChunkBytes;
  }
  char* const place = chunks_.back().get() + (kChunkBytes - chunk_left_);
  std::memcpy(place, text.data(), text.size());
  chunk_left_ -= text.size();
  return {place, text.size()};
}

void SortItems::reverse() {
  std::reverse(items_.begin(), items_.end());
}

// A page of a long order is found without ordering the rest.
template <typename Before>
void SortItems::order_by(size_t begin, size_t end, Before before) {
  const auto first = items_.begin() + std::ptrdiff_t(begin);
  const auto last = items_.begin() + std::ptrdiff_t(end);
  if (begin >= end) return;
  if (last != items_.end()) std::nth_element(items_.begin(), last, items_.end(), before);
  if (begin != 0) std::nth_element(items_.begin(), first, last, before);
  std::sort(first, last, before);
}

namespace {

int compare_numbers(const SortItem& a, const SortItem& b) {
  if (a.score != b.score) return a.score < b.score ? -1 : 1;
  return a.element.compare(b.element);
}

int compare_words(const SortItem& a, const SortItem& b) {
  const bool has_a = a.weight.data() != nullptr;
  const bool has_b = b.weight.data() != nullptr;
  if (has_a && has_b) return a.weight.compare(b.weight);
  return int(has_a) - int(has_b);
}

}  // namespace

void SortItems::order(By by, Sense sense, size_t begin, size_t end) {
  const int sign = sense == Sense::kAscending ? 1 : -1;
  if (by == By::kNumbers) {
    order_by(begin, end, [sign](const SortItem& a, const SortItem& b) {
      return sign * compare_numbers(a, b) < 0;
    });
  } else {
    order_by(begin, end, [sign](const SortItem& a, const SortItem& b) {
      const int compared = sign * compare_words(a, b);
      return compared != 0 ? compared < 0 : a.position < b.position;
    });
  }
}

std::optional<double> parse_sort_score(std::string_view text) {
  if (const auto usual = ae::parse_double(text)) return usual;
  const std::string terminated(text);
  char* end = nullptr;
  const int saved = std::exchange(errno, 0);
  const double score = std::strtod(terminated.c_str(), &end);
  const bool out_of_range = errno == ERANGE;
  errno = saved;
  if (*end != '\0' || out_of_range || std::isnan(score)) return std::nullopt;
  return score;
}

}  // namespace millrace
