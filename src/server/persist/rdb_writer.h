// The primitives of an RDB file, out: lengths, texts, numbers, and the checksum over them. What
// they are put together to is value_writer.h's and snapshot_writer.h's.
//
//   RdbWriter out(sink, {.compress = true});
//   out.byte(rdb::type::kString);
//   out.text("name");
//   ae::Status done = out.flush();
//
// The first error of the sink stays (status()); what is written after it goes nowhere, so that
// callers look once, at the end, or now and then in a long loop.
//
// Thread: one. Memory: a buffer of kBufferBytes, and for the time of compressing a text its length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/persist/byte_stream.h"

namespace millrace {

struct RdbOptions {
  bool compress = true;  // rdbcompression
  bool checksum = true;  // rdbchecksum; false: the file ends with 0
};

class RdbWriter {
 public:
  RdbWriter(ByteSink& sink, RdbOptions options);

  void byte(uint8_t value);
  void bytes(ae::Bytes raw);
  void length(uint64_t value);
  // As a number where it is one of up to 32 bits, compressed where that pays, else as it is.
  void text(std::string_view text);
  void integer(int64_t value);  // the text of a number
  void float64(double value);
  void fixed64(uint64_t value);  // 8 bytes
  void fixed16(uint16_t value);

  // Of all that was written.
  uint64_t checksum();
  bool has_checksum() const { return options_.checksum; }
  uint64_t bytes_written() const { return flushed_ + buffer_.size(); }
  bool failed() const { return !status_; }
  const ae::Status& status() const { return status_; }
  ae::Status flush();

 private:
  static constexpr size_t kBufferBytes = 64 << 10;

  bool try_number(std::string_view text);
  bool try_compressed(std::string_view text);
  void big_endian(uint64_t value, int bytes);
  void little_endian(uint64_t value, int bytes);
  void send(ae::Bytes raw);

  ByteSink& sink_;
  RdbOptions options_;
  std::string buffer_;
  std::string compressed_;
  uint64_t crc_ = 0;
  uint64_t flushed_ = 0;
  ae::Status status_;
};

}  // namespace millrace
