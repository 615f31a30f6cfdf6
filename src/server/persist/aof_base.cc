#include "server/persist/aof_base.h"

#include "server/config/config.h"
#include "server/persist/command_snapshot.h"
#include "server/persist/file_stream.h"
#include "server/persist/snapshot_file.h"
#include "server/scripting/scripting.h"

namespace millrace {
namespace {

ae::Status write_as_snapshot(ByteSink& sink, Services& services, SnapshotProgress progress) {
  SnapshotFacts facts = snapshot_facts(services);
  facts.use = SnapshotUse::kAppendOnlyBase;
  facts.replication.reset();  // it is where the base ends, not where the increments will
  return write_snapshot(sink, services.databases, function_codes(services), facts, progress);
}

}  // namespace

ae::Status write_aof_base(Storage& storage, const std::string& path, AofBase kind,
                          Services& services, SnapshotProgress progress) {
  auto file = storage.create(path);
  if (!file) return ae::fail(file.error());
  FileSink sink(**file, services.config.aof_rewrite_incremental_fsync ? Writeback::kOnTheWay
                                                                      : Writeback::kAtTheEnd);
  const ae::Status written =
      kind == AofBase::kSnapshot
          ? write_as_snapshot(sink, services, progress)
          : write_commands(sink, services.databases, services.scripting.functions(),
                           KeyDelay(services.config.rdb_key_save_delay_us));
  if (!written) return written;
  return (*file)->sync();
}

}  // namespace millrace
