// A number as a word of a command: what feed_instead() takes.
//
//   c.feed_instead({"PEXPIREAT", key.name, NumberText(at_ms)});
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ae/base/decimal.h"

namespace millrace {

class NumberText {
 public:
  explicit NumberText(int64_t number) : size_(ae::format_int64(number, text_)) {}
  explicit NumberText(uint64_t number) : size_(ae::format_uint64(number, text_)) {}
  operator std::string_view() const {  // NOLINT(google-explicit-constructor): it is one
    return {text_, size_};
  }

 private:
  char text_[ae::kMaxInt64Chars];
  size_t size_;
};

}  // namespace millrace
