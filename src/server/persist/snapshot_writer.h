// All databases as one RDB file.
//
//   SnapshotFacts facts{.created_s = now};
//   ae::Status done = write_snapshot(sink, databases, functions, facts);
//
// Thread: the one that may read the databases, which must not change meanwhile (a forked child, or
// the main loop). The order of keys is the tables'. Memory: the writer's buffer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/command/replication_view.h"
#include "server/db/databases.h"
#include "server/ds/function_ref.h"
#include "server/persist/byte_stream.h"
#include "server/persist/key_delay.h"
#include "server/persist/rdb_writer.h"

namespace millrace {

// What a snapshot is for, as its reader may want to know.
enum class SnapshotUse : uint8_t { kBackup, kAppendOnlyBase };

struct SnapshotFacts {
  int64_t created_s = 0;  // since 1970
  uint64_t used_memory_bytes = 0;
  std::optional<ReplicationPoint> replication = {};
  SnapshotUse use = SnapshotUse::kBackup;
  // Gives the access bits of keys their meaning: idle times are written under an LRU policy,
  // frequencies under an LFU policy (`maxmemory-policy`), nothing under any other.
  enum class Access : uint8_t { kNone, kIdle, kFrequency } access = Access::kNone;
  const AccessClock* access_clock = nullptr;  // needed unless kNone
  RdbOptions options = {};
  KeyDelay key_delay = KeyDelay();
};

// Called now and then with the number of keys written so far.
using SnapshotProgress = ds::FunctionRef<void(uint64_t keys)>;
inline constexpr uint64_t kKeysPerProgress = 1024;

// `functions`: the code of each library. The sink's first error ends it.
ae::Status write_snapshot(ByteSink& sink, const Databases& databases,
                          std::span<const std::string_view> functions, const SnapshotFacts& facts,
                          SnapshotProgress progress);
ae::Status write_snapshot(ByteSink& sink, const Databases& databases,
                          std::span<const std::string_view> functions, const SnapshotFacts& facts);

}  // namespace millrace
