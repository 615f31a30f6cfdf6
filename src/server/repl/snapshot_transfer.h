// A snapshot on its way from master to replica: what frames it in the stream of bytes.
//
//   \n \n ...                    the master is still making it
//   $<length>\r\n<bytes>         from a file, whose length is known
//   $EOF:<mark>\r\n<bytes><mark>  as it is made; the mark is 40 random hex digits
//   -<error>\r\n                 the master cannot
//
// Bytes in, in pieces of any size; the snapshot's own bytes out. The mark is found wherever it is
// cut: up to 39 bytes that may be its beginning are held back.
//
//   auto step = transfer.feed(bytes, [&](ae::Bytes piece) { file.append(piece); });
//
// Thread: none of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ae/base/bytes.h"
#include "server/ds/function_ref.h"

namespace millrace {

class SnapshotTransfer {
 public:
  static constexpr size_t kMarkBytes = 40;
  // "$EOF:" and a mark, or an error's sentence.
  static constexpr size_t kMaxHeaderBytes = 1024;

  enum class Outcome : uint8_t { kMore, kWhole, kFailed };
  struct Step {
    size_t consumed = 0;  // kWhole: what is behind it is the stream
    Outcome outcome = Outcome::kMore;
  };
  using Payload = ds::FunctionRef<void(ae::Bytes)>;

  Step feed(ae::Bytes bytes, Payload payload);

  bool has_begun() const { return state_ != State::kHeader; }
  // A master that streams it waits for the first ACK before it sends changes.
  bool is_marked() const { return !mark_.empty(); }
  // -1: not known.
  int64_t total_bytes() const { return total_bytes_; }
  int64_t received_bytes() const { return received_bytes_; }
  const std::string& problem() const { return problem_; }

 private:
  enum class State : uint8_t { kHeader, kCounted, kMarked, kOver };

  Step feed_header(ae::Bytes bytes);
  Step feed_counted(ae::Bytes bytes, Payload payload);
  Step feed_marked(ae::Bytes bytes, Payload payload);
  Outcome read_header(std::string_view line);
  Outcome fail(std::string problem);
  void deliver(ae::Bytes bytes, Payload payload);

  State state_ = State::kHeader;
  std::string header_;
  std::string mark_;
  std::string held_;  // may be the mark's beginning
  int64_t total_bytes_ = -1;
  int64_t received_bytes_ = 0;
  std::string problem_;
};

}  // namespace millrace
