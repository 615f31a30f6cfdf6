// Writes commands as RESP arrays, each for the database it belongs to: what an append-only file
// holds and a replica is sent.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

class CommandEncoder {
 public:
  // Appends the command to `out`, behind a SELECT where the one before was for another database.
  void append(std::string& out, uint8_t db, std::span<const std::string_view> words);
  // The reader of what follows knows of no SELECT so far.
  void forget_database() { database_.reset(); }

  // What the reader has selected, as far as it was told.
  std::optional<uint8_t> database() const { return database_; }

  static void append(std::string& out, std::span<const std::string_view> words);

 private:
  std::optional<uint8_t> database_;
};

}  // namespace millrace
