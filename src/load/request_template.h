// The request that is sent over and over: words like "SET key:__rand__ __data__", encoded once.
//
//   __rand__   twelve digits, a number below the keyspace's size, another one each time
//   __data__   as many bytes as asked for
//
// Twelve digits always, so that the encoded length never changes and a new request is the old bytes
// with digits patched in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/bytes.h"
#include "ae/base/prng.h"

namespace load {

class RequestTemplate {
 public:
  // `command` is not blank.
  RequestTemplate(std::string_view command, uint64_t keyspace, size_t data_bytes);

  // The next request. Good until the next call.
  ae::Bytes next(ae::Prng& random);

 private:
  const uint64_t keyspace_;
  std::string bytes_;
  std::vector<size_t> numbers_;  // where the digits go
};

}  // namespace load
