// Reads an RDB file into databases, in pieces between which the loop can go on. A piece may end in
// the middle of a key, however large that is: the reading is ordinary code on a stack of its own
// (command/fiber.h), which is left where the reader gets more bytes.
//
//   SnapshotLoader loader(source, databases, settings);
//   do {
//     auto progress = loader.step(256 << 10);
//     if (!progress) return log(loader.problem());  // "at 0x1f3: expected ..., got ..."
//   } while (*progress == SnapshotLoader::Progress::kMore);
//
// The databases should be empty; a key that is there already, or comes twice, is a problem unless
// the settings say that it is replaced. After a problem they hold what came before it.
//
// Thread: the main one. Bytes from outside are not trusted: see value_reader.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/command/fiber.h"
#include "server/db/databases.h"
#include "server/persist/key_delay.h"
#include "server/persist/rdb_reader.h"
#include "server/persist/snapshot_writer.h"
#include "server/persist/value_limits.h"

namespace millrace {

// What a file says about itself.
struct SnapshotAux {
  std::string redis_version;
  std::optional<int64_t> created_s;
  std::optional<uint64_t> used_memory_bytes;
  std::optional<ReplicationPoint> replication;
  SnapshotUse use = SnapshotUse::kBackup;
};

class SnapshotLoader {
 public:
  enum class Progress : uint8_t { kMore, kDone };
  // Keys whose time has passed: a master forgets them, a replica keeps them until its master says
  // otherwise.
  enum class Expired : uint8_t { kDrop, kKeep };

  // Keys that are there already.
  enum class Existing : uint8_t { kProblem, kReplaced };

  struct Settings {
    ValueLimits limits = {};
    int64_t now_ms = 0;
    Expired expired = Expired::kDrop;
    Existing existing = Existing::kProblem;
    RdbReader::Checksum checksum = RdbReader::Checksum::kCompute;
    // Under what the access bits of keys are to be understood; the databases' own clock.
    const AccessClock* access_clock = nullptr;
    // Takes the code of a library; empty: done, else why not. None: libraries are passed over.
    std::function<std::string(std::string_view code)> on_function = {};
    // Told of each key that is dropped, before it is.
    std::function<void(size_t db, std::string_view key)> on_expired = {};
    // A sentence that is worth a line in the log and is no problem.
    std::function<void(std::string_view sentence)> on_remark = {};
    KeyDelay key_delay = KeyDelay();
  };

  // All three outlive the loader, which may be thrown away at any time.
  SnapshotLoader(ByteSource& source, Databases& databases, Settings settings);
  ~SnapshotLoader();
  SnapshotLoader(const SnapshotLoader&) = delete;
  SnapshotLoader& operator=(const SnapshotLoader&) = delete;

  // Goes on for about so many bytes of the file; more by one fill of the reader's buffer at most.
  // An error is told by problem().
  ae::Result<Progress> step(uint64_t budget_bytes);

  const std::string& problem() const { return reader_.problem(); }
  const SnapshotAux& aux() const { return aux_; }
  uint64_t offset() const { return reader_.offset(); }
  uint64_t keys_loaded() const { return keys_loaded_; }
  uint64_t keys_expired() const { return keys_expired_; }
  uint64_t empty_keys_skipped() const { return empty_keys_skipped_; }
  // After kDone: what was taken from the source behind the snapshot's end.
  std::string_view unread() const { return reader_.unread(); }

 private:
  // What stands before a key.
  struct Ahead {
    int64_t expire_at_ms = kNoExpiry;
    std::optional<uint64_t> idle_s;
    std::optional<uint8_t> frequency;
  };

  void load();
  void leave_if_due();
  void read_head();
  Progress read_item();
  bool read_ahead(uint8_t code);
  void read_aux();
  void read_database();
  void read_function();
  void read_key(uint8_t type);
  void place(Detached entry);
  void restore_access(Entry& entry);
  void skip_module_aux();
  void finish();
  void remark(std::string_view sentence);

  RdbReader reader_;
  Databases& databases_;
  Settings settings_;
  Fiber fiber_;
  uint64_t until_ = 0;  // where the piece ends
  bool done_ = false;
  int version_ = 0;
  Keyspace* db_;
  size_t db_number_ = 0;
  Ahead ahead_;
  std::string key_;
  SnapshotAux aux_;
  uint64_t keys_loaded_ = 0;
  uint64_t keys_expired_ = 0;
  uint64_t empty_keys_skipped_ = 0;
};

}  // namespace millrace
