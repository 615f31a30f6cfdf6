// The categories of commands that COMMAND INFO shows and access rules name: @read, @string,
// @dangerous ...
//
// Most follow from a command's flags and group. The rest, what is dangerous though no flag says so,
// stands in a list in categories.cc.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "server/command/table.h"

namespace millrace {

// In the order Redis prints them.
enum class Category : uint8_t {
  kKeyspace,
  kRead,
  kWrite,
  kSet,
  kSortedSet,
  kList,
  kHash,
  kString,
  kBitmap,
  kHyperLogLog,
  kGeo,
  kStream,
  kPubSub,
  kAdmin,
  kFast,
  kSlow,
  kBlocking,
  kDangerous,
  kConnection,
  kTransaction,
  kScripting,
};
inline constexpr int kCategories = int(Category::kScripting) + 1;

class CategorySet {
 public:
  constexpr CategorySet() = default;
  constexpr CategorySet(std::initializer_list<Category> categories) {
    for (Category category : categories) add(category);
  }
  constexpr void add(Category category) { bits_ |= 1u << int(category); }
  constexpr bool has(Category category) const { return (bits_ & (1u << int(category))) != 0; }
  constexpr int size() const { return __builtin_popcount(bits_); }

 private:
  uint32_t bits_ = 0;
};

CategorySet categories_of(const Command& command);

// "sortedset"; without the '@'.
std::string_view category_name(Category category);
// In any case; nothing: there is no such category.
std::optional<Category> find_category(std::string_view name);

}  // namespace millrace
