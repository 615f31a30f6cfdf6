#include "proto/inline_request.h"

#include <cstddef>

namespace proto {
namespace {

// White space between words: what isspace(3) says in the C locale.
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// What ends a word that is not in quotes. Narrower than is_space: Redis keeps \v and \f in a word
// that has begun.
bool ends_word(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// The value of a hexadecimal digit, or -1.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

char unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Reads a line behind a cursor and writes the unescaped words over what it has read.
class LineSplitter {
 public:
  explicit LineSplitter(ae::MutableBytes line)
      : read_(line.data()), end_(line.data() + line.size()) {}

  bool skip_spaces() {
    while (read_ != end_ && is_space(*read_)) ++read_;
    return read_ != end_;
  }

  Quotes next_word(std::string_view* word) {
    char* const begin = read_;
    write_ = begin;
    Quotes quotes = Quotes::kBalanced;
    while (quotes == Quotes::kBalanced && read_ != end_ && !ends_word(*read_)) {
      const char c = *read_++;
      if (c == '"') {
        quotes = double_quoted();
      } else if (c == '\'') {
        quotes = single_quoted();
      } else {
        *write_++ = c;
        continue;
      }
      break;  // a closing quote ends the word
    }
    *word = {begin, static_cast<size_t>(write_ - begin)};
    return quotes;
  }

 private:
  Quotes double_quoted() {
    while (read_ != end_) {
      const char c = *read_++;
      if (c == '"') return after_closing_quote();
      *write_++ = c == '\\' && read_ != end_ ? escaped() : c;
    }
    return Quotes::kUnbalanced;
  }

  Quotes single_quoted() {
    while (read_ != end_) {
      const char c = *read_++;
      if (c == '\'') return after_closing_quote();
      const bool quote_follows = c == '\\' && read_ != end_ && *read_ == '\'';
      *write_++ = quote_follows ? *read_++ : c;
    }
    return Quotes::kUnbalanced;
  }

  // Behind a backslash, with at least one byte to come.
  char escaped() {
    if (*read_ == 'x' && end_ - read_ >= 3) {
      const int high = hex_value(read_[1]);
      const int low = hex_value(read_[2]);
      if (high >= 0 && low >= 0) {
        read_ += 3;
        return static_cast<char>(high * 16 + low);
      }
    }
    return unescape(*read_++);
  }

  Quotes after_closing_quote() const {
    return read_ == end_ || is_space(*read_) ? Quotes::kBalanced : Quotes::kUnbalanced;
  }

  char* read_;
  char* const end_;
  char* write_ = nullptr;
};

}  // namespace

Quotes split_inline(ae::MutableBytes line, ArgVector& args) {
  LineSplitter splitter(line);
  while (splitter.skip_spaces()) {
    std::string_view word;
    if (splitter.next_word(&word) == Quotes::kUnbalanced) return Quotes::kUnbalanced;
    args.push_back(word);
  }
  return Quotes::kBalanced;
}

}  // namespace proto
