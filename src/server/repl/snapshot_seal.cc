#include "server/repl/snapshot_seal.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "server/ds/crc64.h"

namespace millrace {

static_assert(std::endian::native == std::endian::little);

void SnapshotSeal::add(std::string_view bytes) {
  bytes_ += bytes.size();
  head_.append(bytes.substr(0, kHeadBytes - head_.size()));
  const size_t had = tail_.size() + bytes.size();
  const size_t done = had - std::min(had, kChecksumBytes);
  const size_t of_tail = std::min(done, tail_.size());
  crc_ = ds::crc64(crc_, std::string_view(tail_).substr(0, of_tail));
  tail_.erase(0, of_tail);
  crc_ = ds::crc64(crc_, bytes.substr(0, done - of_tail));
  tail_.append(bytes.substr(done - of_tail));
}

std::optional<std::string> SnapshotSeal::problem() const {
  if (!head_.starts_with("REDIS")) return "it does not begin with REDIS";
  if (bytes_ < kLeastBytes) return fmt::format("it ends after {} bytes", bytes_);
  uint64_t said;
  std::memcpy(&said, tail_.data(), sizeof said);
  if (said == 0 || said == crc_) return std::nullopt;
  return fmt::format("its checksum is {:016x}, and it says {:016x}", crc_, said);
}

}  // namespace millrace
