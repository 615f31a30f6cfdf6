// Operating errors as values: Result<T> is a T or an Error.
//
//   ae::Result<int> fd = os.accept(listener);
//   if (!fd) return ae::fail(fd.error());
//   use(*fd);
//
// An Error is two words and owns nothing, so it can be returned from the hot path. `operation`
// points to a string literal that names what was attempted ("bind", "connect"); `code` is an errno
// value.
#pragma once

#include <cstring>
#include <string>
#include <tl/expected.hpp>

namespace ae {

struct Error {
  int code = 0;
  const char* operation = "";

  // "bind: Address already in use"
  std::string message() const { return std::string(operation) + ": " + std::strerror(code); }
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(error);
}
inline tl::unexpected<Error> fail(int code, const char* operation) {
  return tl::unexpected<Error>(Error{code, operation});
}

}  // namespace ae
