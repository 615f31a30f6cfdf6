// Whether what a master sent is a snapshot, whole, before the old data goes for it: how it begins,
// and the checksum it ends with. Taken on the way, so the file need not be read twice.
//
//   "REDIS" dddd ... 0xff  <CRC-64 of all before it, little-endian>      0: the writer took none
//
// Format: persist/rdb_format.h. Thread: none of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

class SnapshotSeal {
 public:
  void add(std::string_view bytes);
  // Nothing: it is whole. Else a sentence.
  std::optional<std::string> problem() const;

 private:
  static constexpr size_t kChecksumBytes = 8;
  static constexpr size_t kHeadBytes = 9;  // the name and four digits
  // With an end of one byte: the shortest there is.
  static constexpr uint64_t kLeastBytes = kHeadBytes + 1 + kChecksumBytes;

  uint64_t bytes_ = 0;
  uint64_t crc_ = 0;  // of all but the last kChecksumBytes
  std::string head_;
  std::string tail_;  // at most kChecksumBytes
};

}  // namespace millrace
