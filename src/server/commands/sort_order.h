// What SORT puts in order: elements, each with what it is weighed by.
//
// Elements and weights are copied into chunks, since looking up weights may change the keyspace
// (an expired key goes), and a list's integers are no text until somebody asks.
//
// Orders, as Redis':
//   numbers   by score; of equal ones the elements decide, byte by byte
//   words     by the weight's bytes; an element without a weight comes before all others; equal
//             ones stay as they came
// Descending reverses numbers with their ties, and words without.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace millrace {

struct SortItem {
  std::string_view element;
  std::string_view weight;  // of words; data() is null if there is none
  double score = 0;         // of numbers
  size_t position = 0;      // among the elements as they came
};

class SortItems {
 public:
  void reserve(size_t count) { items_.reserve(count); }
  void add(std::string_view element) { items_.push_back({keep(element), {}, 0, items_.size()}); }
  void set_weight(size_t index, std::string_view weight) { items_[index].weight = keep(weight); }

  size_t size() const { return items_.size(); }
  SortItem& operator[](size_t index) { return items_[index]; }
  const SortItem& operator[](size_t index) const { return items_[index]; }
  void reverse();

  enum class By { kNumbers, kWords };
  enum class Sense { kAscending, kDescending };
  // Puts items begin .. end - 1 of the whole order in their places; the others stand in any order
  // before and behind them.
  void order(By by, Sense sense, size_t begin, size_t end);

 private:
  static constexpr size_t kChunkBytes = size_t{64} << 10;

  std::string_view keep(std::string_view text);
  template <typename Before>
  void order_by(size_t begin, size_t end, Before before);

  std::vector<SortItem> items_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  size_t chunk_left_ = 0;
};

// A number as SORT takes one: strtod's, up to a NUL byte; the empty text is 0. Nothing: none.
std::optional<double> parse_sort_score(std::string_view text);

}  // namespace millrace
