// The bytes are an RDB file, behind its checksum, which nothing would get past: what is loaded must
// hold the invariants of its structures and be written and read again as the same.
#include <cstdint>
#include <string_view>

#include "ae/base/assert.h"
#include "server/db/access_clock.h"
#include "server/persist/snapshot_loader.h"
#include "server/persist/snapshot_writer.h"

using namespace millrace;

namespace {

constexpr size_t kDatabases = 4;

bool load(std::string_view bytes, Databases& databases) {
  StringSource source(bytes);
  SnapshotLoader loader(source, databases, {.now_ms = 1, .checksum = RdbReader::Checksum::kIgnore});
  for (;;) {
    const auto progress = loader.step(1000);
    if (!progress) {
      AE_ASSERT(!loader.problem().empty());
      return false;
    }
    if (*progress == SnapshotLoader::Progress::kDone) return true;
  }
}

void check(const Databases& databases) {
  for (size_t i = 0; i < databases.count(); ++i) {
    databases[i].check();
    databases[i].for_each([](const Entry& entry) {
      if (entry.type() == Type::kList) AE_ASSERT(entry.list().check());
      if (entry.type() == Type::kStream) entry.stream().check();
      if (entry.type() == Type::kSet) entry.set().check({SIZE_MAX, SIZE_MAX, SIZE_MAX});
      if (entry.type() == Type::kHash) entry.hash().check({SIZE_MAX, SIZE_MAX});
      if (entry.type() == Type::kZSet) entry.sorted_set().check({SIZE_MAX, SIZE_MAX});
    });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const AccessClock clock;
  Databases databases(kDatabases, clock);
  const bool whole = load(bytes, databases);
  check(databases);
  if (!whole) return 0;
  StringSink sink;
  AE_ASSERT(write_snapshot(sink, databases, {}, {}));
  Databases again(kDatabases, clock);
  AE_ASSERT(load(sink.bytes, again));
  AE_ASSERT(again.total_keys() == databases.total_keys());
  return 0;
}
