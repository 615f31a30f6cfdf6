#include "server/persist/snapshot_writer.h"

#include <fmt/format.h>

#include "ae/base/decimal.h"
#include "server/persist/rdb_format.h"
#include "server/persist/value_writer.h"
#include "server/version.h"

namespace millrace {
namespace {

namespace op = rdb::op;

class SnapshotWriter {
 public:
  SnapshotWriter(ByteSink& sink, const SnapshotFacts& facts, SnapshotProgress progress)
      : facts_(facts), progress_(progress), out_(sink, facts.options) {}

  ae::Status write(const Databases& databases, std::span<const std::string_view> functions) {
    write_head();
    for (const std::string_view code : functions) {
      out_.byte(op::kFunction2);
      out_.text(code);
    }
    for (size_t db = 0; db < databases.count() && !out_.failed(); ++db) {
      write_database(db, databases[db]);
    }
    out_.byte(op::kEnd);
    out_.fixed64(out_.checksum());
    return out_.flush();
  }

 private:
  void write_aux(std::string_view name, std::string_view value) {
    out_.byte(op::kAux);
    out_.text(name);
    out_.text(value);
  }
  void write_aux(std::string_view name, int64_t value) {
    out_.byte(op::kAux);
    out_.text(name);
    out_.integer(value);
  }

  void write_head() {
    out_.bytes(fmt::format("{}{:0{}}", rdb::kMagic, rdb::kWrittenVersion, rdb::kVersionDigits));
    write_aux("redis-ver", kRedisVersion);
    write_aux("redis-bits", 64);
    write_aux("ctime", facts_.created_s);
    write_aux("used-mem", static_cast<int64_t>(facts_.used_memory_bytes));
    if (facts_.replication) {
      write_aux("repl-stream-db", facts_.replication->db);
      write_aux("repl-id", facts_.replication->id);
      write_aux("repl-offset", facts_.replication->offset);
    }
    write_aux("aof-base", facts_.use == SnapshotUse::kAppendOnlyBase ? 1 : 0);
  }

  void write_database(size_t db, const Keyspace& keyspace) {
    if (keyspace.size() == 0) return;
    out_.byte(op::kSelectDb);
    out_.length(db);
    out_.byte(op::kResizeDb);
    out_.length(keyspace.size());
    out_.length(keyspace.expiring());
    keyspace.for_each([this](const Entry& entry) { write_key(entry); });
  }

  void write_key(const Entry& entry) {
    if (out_.failed()) return;  // the walk has no other end
    if (entry.has_expiry()) {
      out_.byte(op::kExpireMs);
      out_.fixed64(static_cast<uint64_t>(entry.expire_at_ms()));
    }
    write_access(entry);
    out_.byte(value_type(entry));
    out_.text(entry.key());
    write_value(out_, entry);
    if (++keys_ % kKeysPerProgress == 0) progress_(keys_);
    delay_.after_key();
  }

  void write_access(const Entry& entry) {
    if (facts_.access == SnapshotFacts::Access::kIdle) {
      out_.byte(op::kIdle);
      out_.length(facts_.access_clock->idle_seconds(entry));
    } else if (facts_.access == SnapshotFacts::Access::kFrequency) {
      out_.byte(op::kFrequency);
      out_.byte(facts_.access_clock->frequency(entry));
    }
  }

  const SnapshotFacts& facts_;
  SnapshotProgress progress_;
  RdbWriter out_;
  KeyDelay delay_ = facts_.key_delay;
  uint64_t keys_ = 0;
};

}  // namespace

ae::Status write_snapshot(ByteSink& sink, const Databases& databases,
                          std::span<const std::string_view> functions, const SnapshotFacts& facts,
                          SnapshotProgress progress) {
  return SnapshotWriter(sink, facts, progress).write(databases, functions);
}

ae::Status write_snapshot(ByteSink& sink, const Databases& databases,
                          std::span<const std::string_view> functions, const SnapshotFacts& facts) {
  auto nobody = [](uint64_t) {};
  return write_snapshot(sink, databases, functions, facts, nobody);
}

}  // namespace millrace
