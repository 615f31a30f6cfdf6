// Reads a handler's arguments one by one, typed, and latches the first error, so that a handler has
// one error exit:
//
//   ArgReader args(c, 2);                       // from position 2 on
//   int64_t seconds = args.integer();
//   while (args.more()) {
//     if (args.take("NX")) flags |= kNx;
//     else if (args.take("EX")) expiry = args.integer();
//     else args.syntax_error();
//   }
//   if (!args.finish()) return;                 // the error has been answered
//
// After an error every further read returns a neutral value (0, "", false) and more() is false, so
// a parsing loop ends by itself.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "server/command/context.h"

namespace millrace {

class ArgReader {
 public:
  explicit ArgReader(Context& context, size_t first = 1) : context_(context), position_(first) {}

  bool more() const { return !failed_ && position_ < context_.arg_count(); }
  size_t left() const { return failed_ ? 0 : context_.arg_count() - position_; }
  size_t position() const { return position_; }

  // The next argument; a missing one is a syntax error.
  std::string_view word();
  std::string_view peek() const { return more() ? context_.arg(position_) : std::string_view(); }
  void skip(size_t count = 1) { position_ += count; }
  Key key();

  int64_t integer(std::string_view error = errors::kNotInteger);
  int64_t integer_between(int64_t low, int64_t high, std::string_view error = errors::kOutOfRange);
  double real(std::string_view error = errors::kNotFloat);

  // Takes the next argument if it is this keyword, in any case.
  bool take(std::string_view keyword);
  // The same for a keyword that needs `values` arguments behind it: without them it is not taken.
  bool take(std::string_view keyword, size_t values);

  void error(std::string_view text);
  void syntax_error() { error(errors::kSyntax); }
  bool ok() const { return !failed_; }
  // Answers the latched error; an argument left over is a syntax error. True: go on.
  bool finish();

 private:
  Context& context_;
  size_t position_;
  bool failed_ = false;
};

}  // namespace millrace
