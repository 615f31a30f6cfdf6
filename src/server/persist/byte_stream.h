// Bytes in order, out and in, wherever they go to or come from: a file, a socket, a string. What
// writes or reads a snapshot knows these two only, so it can be tested without either.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "ae/base/bytes.h"
#include "ae/base/result.h"

namespace millrace {

class ByteSink {
 public:
  // Takes all of them, or fails; after an error nothing more is written.
  virtual ae::Status write(ae::Bytes bytes) = 0;

 protected:
  ~ByteSink() = default;
};

class ByteSource {
 public:
  // At least one byte, if there is any more; 0: the end. Waits for it: who reads a value cannot
  // stop in its middle.
  virtual ae::Result<size_t> read(ae::MutableBytes into) = 0;

 protected:
  ~ByteSource() = default;
};

struct StringSink final : ByteSink {
  ae::Status write(ae::Bytes more) override {
    bytes.append(more);
    return {};
  }
  std::string bytes;
};

class StringSource final : public ByteSource {
 public:
  // The bytes are the caller's.
  explicit StringSource(ae::Bytes bytes) : rest_(bytes) {}
  ae::Result<size_t> read(ae::MutableBytes into) override {
    const size_t count = std::min(into.size(), rest_.size());
    if (count != 0) std::memcpy(into.data(), rest_.data(), count);
    rest_.remove_prefix(count);
    return count;
  }

 private:
  ae::Bytes rest_;
};

}  // namespace millrace
