#include "server/persist/snapshot_file.h"

#include <unistd.h>

#include <cstring>

#include "server/command/replication_view.h"
#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/observe/memory_meter.h"
#include "server/persist/file_stream.h"
#include "server/scripting/function_registry.h"
#include "server/scripting/scripting.h"

namespace millrace {
namespace {

SnapshotFacts::Access access_under(MaxmemoryPolicy policy) {
  switch (policy) {
    case MaxmemoryPolicy::kVolatileLru:
    case MaxmemoryPolicy::kAllKeysLru:
      return SnapshotFacts::Access::kIdle;
    case MaxmemoryPolicy::kVolatileLfu:
    case MaxmemoryPolicy::kAllKeysLfu:
      return SnapshotFacts::Access::kFrequency;
    default:
      return SnapshotFacts::Access::kNone;
  }
}

// Content, and that it is on the disk.
ae::Status fill(File& file, Services& services, const SnapshotFacts& facts,
                SnapshotProgress progress) {
  const bool on_the_way = services.config.rdb_save_incremental_fsync;
  FileSink sink(file, on_the_way ? Writeback::kOnTheWay : Writeback::kAtTheEnd);
  ae::Status status =
      write_snapshot(sink, services.databases, function_codes(services), facts, progress);
  if (status) status = file.sync();
  if (!status) {
    log::warning("Write error saving DB on disk({}): {}", status.error().operation,
                 std::strerror(status.error().code));
  }
  return status;
}

ae::Status put_in_place(Storage& storage, const Config& config, const std::string& temporary) {
  const std::string path = snapshot_path(config);
  if (ae::Status renamed = storage.rename(temporary, path); !renamed) {
    log::warning(
        "Error moving temp DB file {} on the final destination {} (in server root dir {}): {}",
        temporary, path, config.dir, std::strerror(renamed.error().code));
    return renamed;
  }
  ae::Status synced = storage.sync_directory(directory_of(path));
  if (!synced) {
    log::warning("Failed to fsync directory while saving DB: {}",
                 std::strerror(synced.error().code));
  }
  return synced;
}

std::string in_directory(const Config& config, const std::string& name) {
  return name.starts_with('/') ? name : config.dir + "/" + name;
}

}  // namespace

std::string snapshot_path(const Config& config) {
  return in_directory(config, config.dbfilename);
}

std::string temporary_snapshot_path(const Config& config, int pid) {
  return in_directory(config, "temp-" + std::to_string(pid) + ".rdb");
}

SnapshotFacts snapshot_facts(Services& services) {
  const Config& config = services.config;
  return {.created_s = services.tick.unix_us / 1'000'000,
          .used_memory_bytes = memory::used_bytes(),
          .replication = services.replicas.point(),
          .access = access_under(config.maxmemory_policy),
          .access_clock = &services.access_clock,
          .options = {.compress = config.rdbcompression, .checksum = config.rdbchecksum},
          .key_delay = KeyDelay(config.rdb_key_save_delay_us)};
}

std::vector<std::string_view> function_codes(Services& services) {
  std::vector<std::string_view> codes;
  for (const auto& [name, library] : services.scripting.functions().libraries()) {
    codes.push_back(library->code);
  }
  return codes;
}

ae::Status write_snapshot_file(Storage& storage, Services& services, const SnapshotFacts& facts,
                               SnapshotProgress progress) {
  const Config& config = services.config;
  const std::string temporary = temporary_snapshot_path(config, getpid());
  auto file = storage.create(temporary);
  if (!file) {
    log::warning("Failed opening the temp RDB file {} (in server root dir {}) for saving: {}",
                 temporary, config.dir, std::strerror(file.error().code));
    return ae::fail(file.error());
  }
  ae::Status status = fill(**file, services, facts, progress);
  file->reset();
  if (status) status = put_in_place(storage, config, temporary);
  if (!status) {
    (void)storage.remove(temporary);
    return status;
  }
  log::notice("DB saved on disk");
  return status;
}

}  // namespace millrace
