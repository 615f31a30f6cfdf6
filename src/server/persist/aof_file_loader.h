// Brings the data of one file of an append-only file back: a snapshot, if it begins with one (a
// base, or a file of Redis 4 to 6), then commands. In slices, so that the loop goes on between
// them. The owner keeps clients out (ServerState::loading) and the feed muted.
//
//   AofFileLoader loader(services, storage, path);
//   while (loader.step(slice) == AofFileLoader::State::kMore) ...
//
// Where a file ends too early, within a command or within a transaction, valid_bytes() is where it
// must be cut to be whole: nothing behind it has run.
//
// Thread: the loop's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ae/base/time_slice.h"
#include "server/command/replayer.h"
#include "server/persist/aof_parser.h"
#include "server/persist/key_delay.h"
#include "server/persist/snapshot_loader.h"
#include "server/persist/storage.h"

namespace millrace {

class AofFileLoader {
 public:
  static constexpr size_t kPieceBytes = 64 * 1024;
  // Of a slice, for a clock that stands still.
  static constexpr size_t kPiecesPerStep = 64;

  enum class State : uint8_t { kMore, kDone, kTruncated, kFailed };

  AofFileLoader(Services& services, Storage& storage, std::string path);
  ~AofFileLoader();

  State step(const ae::TimeSlice& slice);

  // kTruncated, kFailed: what is wrong; if it is the content, with the offset and what was expected
  // there.
  const std::string& problem() const { return problem_; }
  // kFailed: the command in the file that this server does not take, or empty.
  const std::string& refused_command() const { return refused_command_; }
  // kFailed: it is the snapshot that is wrong.
  bool in_snapshot() const { return snapshot_ != nullptr; }
  // kFailed: what the disk said, or 0.
  int read_error() const { return read_error_; }
  uint64_t read_bytes() const { return read_bytes_; }
  uint64_t valid_bytes() const { return valid_bytes_; }
  bool in_transaction() const { return replayer_.in_transaction(); }
  const Replayer& replayer() const { return replayer_; }

 private:
  struct Snapshot;

  State open();
  State step_snapshot();
  State read_piece();
  State run_commands();
  State end_of_file();
  State fail_to_read(ae::Error error);

  Services& services_;
  Storage& storage_;
  std::string path_;
  std::unique_ptr<File> file_;
  std::unique_ptr<Snapshot> snapshot_;  // while one is being read
  AofParser parser_;
  Replayer replayer_;
  KeyDelay delay_;
  std::vector<char> piece_;
  uint64_t read_bytes_ = 0;
  uint64_t valid_bytes_ = 0;
  std::string problem_;
  std::string refused_command_;
  int read_error_ = 0;
};

}  // namespace millrace
