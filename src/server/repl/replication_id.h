// Which history a data set has. A server that accepts writes of its own begins a history, with an
// id of 40 hex digits; its replicas share the id, and an offset into the stream of changes says how
// far each has come. A replica that is promoted begins a new one, but remembers the old id up to
// where it left it (the second id): the other replicas of the old master have the same bytes up to
// there and can go on with it without a full copy (PSYNC2).
//
//   id          of this history
//   second_id   of the history it branched off, valid for bytes before second_offset
//
// Formats: the words of PSYNC and of INFO replication. Thread: the one that runs commands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ae/base/prng.h"

namespace millrace {

class ReplicationId {
 public:
  static constexpr size_t kLength = 40;
  static constexpr int64_t kNoOffset = -1;

  explicit ReplicationId(ae::Prng& prng) : id_(make(prng)) {}

  const std::string& id() const { return id_; }
  const std::string& second_id() const { return second_id_; }
  int64_t second_offset() const { return second_offset_; }

  // A history that nobody has a part of.
  void begin(ae::Prng& prng);
  // Promotion: on from here it is our own; `next_offset` is the first byte of ours.
  void branch(ae::Prng& prng, int64_t next_offset);
  // A full copy of a master's data, or a snapshot on disk: its history.
  void adopt(std::string_view id);
  // A history of our own that goes on from one that was loaded: who had that one up to here can
  // have ours.
  void inherit(std::string_view id, int64_t next_offset);
  // The master we followed has been promoted and goes on under another id.
  void follow(std::string_view id, int64_t next_offset);

  // Whether who has this history and asks for byte `offset` has the same bytes before it.
  bool shares(std::string_view id, int64_t offset) const;

  static std::string make(ae::Prng& prng);
  static bool is_id(std::string_view text);

 private:
  void forget_second();

  std::string id_;
  std::string second_id_ = std::string(kLength, '0');
  int64_t second_offset_ = kNoOffset;
};

}  // namespace millrace
