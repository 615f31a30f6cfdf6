#include "server/persist/snapshot_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "ae/base/decimal.h"
#include "server/persist/rdb_format.h"
#include "server/persist/value_reader.h"

namespace millrace {
namespace {

namespace op = rdb::op;

// Remarks about keys that are left out: the first few, then the sum.
constexpr uint64_t kMaxEmptyKeyRemarks = 10;

std::optional<int> version_in(std::string_view digits) {
  int version = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    version = version * 10 + (c - '0');
  }
  return version;
}

// Nine letters of six bits each, above ten bits of version.
std::string module_name(uint64_t id) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string name;
  for (int shift = 58; shift >= 10; shift -= 6) name += kLetters[id >> shift & 63];
  return name;
}

}  // namespace

SnapshotLoader::SnapshotLoader(ByteSource& source, Databases& databases, Settings settings)
    : reader_(source, settings.checksum),
      databases_(databases),
      settings_(std::move(settings)),
      db_(&databases[0]) {
  reader_.on_refill([this] { leave_if_due(); });
}

void SnapshotLoader::remark(std::string_view sentence) {
  if (settings_.on_remark) settings_.on_remark(sentence);
}

// What stands on the other stack has to be left in order: its values are freed on the way out.
SnapshotLoader::~SnapshotLoader() {
  if (!fiber_.is_away()) return;
  reader_.fail("the rest", "nobody who wants it");
  fiber_.resume();
}

ae::Result<SnapshotLoader::Progress> SnapshotLoader::step(uint64_t budget_bytes) {
  until_ = reader_.offset() + budget_bytes;
  if (fiber_.is_away()) {
    fiber_.resume();
  } else if (!done_) {
    fiber_.start([this] { load(); });
  }
  if (reader_.failed()) return ae::fail(EBADMSG, "load");
  return done_ ? Progress::kDone : Progress::kMore;
}

void SnapshotLoader::load() {
  read_head();
  while (!reader_.failed() && !done_) {
    done_ = read_item() == Progress::kDone;
    if (!done_) leave_if_due();
  }
}

void SnapshotLoader::leave_if_due() {
  if (!reader_.failed() && reader_.offset() >= until_) fiber_.leave();
}

void SnapshotLoader::read_head() {
  const std::string_view magic =
      reader_.bytes(rdb::kMagic.size() + rdb::kVersionDigits, "\"REDIS\" and a version");
  if (reader_.failed()) return;
  if (!magic.starts_with(rdb::kMagic)) return reader_.fail("\"REDIS\"", "another signature");
  const auto version = version_in(magic.substr(rdb::kMagic.size()));
  if (!version || *version < 1 || *version > rdb::kNewestVersion) {
    return reader_.fail(fmt::format("a version from 1 to {}", rdb::kNewestVersion), "another");
  }
  version_ = *version;
}

// What belongs to the key that follows.
bool SnapshotLoader::read_ahead(uint8_t code) {
  switch (code) {
    case op::kExpireSeconds:
      ahead_.expire_at_ms = int64_t{static_cast<int32_t>(reader_.fixed32("a time"))} * 1000;
      return true;
    case op::kExpireMs:
      ahead_.expire_at_ms = static_cast<int64_t>(reader_.fixed64("a time"));
      return true;
    case op::kFrequency:
      ahead_.frequency = reader_.byte("a frequency of use");
      return true;
    case op::kIdle:
      ahead_.idle_s = reader_.length("a time since the last use");
      return true;
    default:
      return false;
  }
}

SnapshotLoader::Progress SnapshotLoader::read_item() {
  const uint8_t code = reader_.byte("a key, or the end of the file");
  if (reader_.failed()) return Progress::kMore;
  if (read_ahead(code)) return Progress::kMore;
  switch (code) {
    case op::kSelectDb:
      read_database();
      break;
    case op::kResizeDb:
      // Tables here grow without standing still, so there is nothing to prepare.
      (void)reader_.length("a number of keys");
      (void)reader_.length("a number of keys that expire");
      break;
    case op::kAux:
      read_aux();
      break;
    case op::kFunction2:
      read_function();
      break;
    case op::kFunctionPreRelease:
      reader_.fail("functions of a released version", "those of a Redis 7.0 release candidate");
      break;
    case op::kModuleAux:
      skip_module_aux();
      break;
    case op::kEnd:
      finish();
      return Progress::kDone;
    default:
      read_key(code);
  }
  return Progress::kMore;
}

void SnapshotLoader::read_database() {
  const uint64_t index = reader_.length("the number of a database");
  if (reader_.failed()) return;
  if (index >= databases_.count()) {
    return reader_.fail(fmt::format("one of the {} databases configured here", databases_.count()),
                        fmt::format("database {}", index));
  }
  db_ = &databases_[index];
  db_number_ = index;
}

void SnapshotLoader::read_aux() {
  const std::string name(reader_.text("the name of a fact"));
  const std::string_view value = reader_.text("a fact");
  if (reader_.failed()) return;
  const int64_t number = ae::parse_int64(value).value_or(0);
  auto point = [this]() -> ReplicationPoint& {
    if (!aux_.replication) aux_.replication.emplace();
    return *aux_.replication;
  };
  if (name == "redis-ver") aux_.redis_version = value;
  if (name == "ctime") aux_.created_s = number;
  if (name == "used-mem")
    aux_.used_memory_bytes = static_cast<uint64_t>(std::max<int64_t>(number, 0));
  if (name == "repl-stream-db") point().db = static_cast<int>(number);
  if (name == "repl-id") point().id = value;
  if (name == "repl-offset") point().offset = number;
  if (name == "aof-base" && number != 0) aux_.use = SnapshotUse::kAppendOnlyBase;
  // Others are of versions to come, and by their nature may be passed over.
}

void SnapshotLoader::read_function() {
  const std::string_view code = reader_.text("a library of functions");
  if (reader_.failed() || !settings_.on_function) return;
  const std::string problem = settings_.on_function(code);
  if (!problem.empty()) reader_.fail("a library of functions", problem);
}

void SnapshotLoader::read_key(uint8_t type) {
  if (!is_value_type(type))
    return reader_.fail("the type of a value", fmt::format("code {}", type));
  key_ = reader_.text("the name of a key");
  if (reader_.failed()) return;
  Detached entry = read_value(reader_, type, key_, settings_.limits);
  if (!reader_.failed()) place(std::move(entry));
  ahead_ = {};
  settings_.key_delay.after_key();
}

void SnapshotLoader::place(Detached entry) {
  if (!entry) {
    if (empty_keys_skipped_++ < kMaxEmptyKeyRemarks) {
      remark(fmt::format("the snapshot has the empty key \"{}\": left out", key_));
    }
    return;
  }
  const bool is_past = ahead_.expire_at_ms != kNoExpiry && ahead_.expire_at_ms < settings_.now_ms;
  if (is_past && settings_.expired == Expired::kDrop) {
    ++keys_expired_;
    if (settings_.on_expired) settings_.on_expired(db_number_, key_);
    return;
  }
  const Key key = Keyspace::key(key_);
  if (Entry* existing = db_->find(key)) {
    if (settings_.existing == Existing::kProblem) {
      return reader_.fail("distinct keys", "the same one twice");
    }
    db_->erase(key, existing);
  }
  Entry* placed = db_->attach(key, std::move(entry));
  if (ahead_.expire_at_ms != kNoExpiry) {
    // A time before 1970 has passed like any other, and here times are not negative.
    placed = db_->set_expiry(key, placed, std::max<int64_t>(ahead_.expire_at_ms, 0));
  }
  restore_access(*placed);
  ++keys_loaded_;
}

void SnapshotLoader::restore_access(Entry& entry) {
  const AccessClock* clock = settings_.access_clock;
  if (clock == nullptr) return;
  entry.set_access(clock->initial());
  const auto measure = clock->settings().measure;
  if (ahead_.idle_s && measure == AccessClock::Measure::kRecency) {
    const auto idle_s = std::min<uint64_t>(*ahead_.idle_s, AccessClock::kMask);
    entry.set_access(clock->bits_of_idle(static_cast<uint32_t>(idle_s)));
  } else if (ahead_.frequency && measure == AccessClock::Measure::kFrequency) {
    entry.set_access(clock->bits_of_frequency(*ahead_.frequency));
  }
}

// A module's data beside the keys. It has a shape that can be followed without the module.
void SnapshotLoader::skip_module_aux() {
  const std::string name = module_name(reader_.length("the id of a module"));
  (void)reader_.length("when a module's data is loaded");
  (void)reader_.length("when a module's data is loaded");
  for (;;) {
    const uint64_t kind = reader_.length("a module's data");
    if (reader_.failed()) return;
    if (kind == rdb::module::kEnd) break;
    if (kind == rdb::module::kSigned || kind == rdb::module::kUnsigned) {
      (void)reader_.length("a module's number");
    } else if (kind == rdb::module::kFloat) {
      (void)reader_.fixed32("a module's number");
    } else if (kind == rdb::module::kDouble) {
      (void)reader_.float64("a module's number");
    } else if (kind == rdb::module::kString) {
      (void)reader_.text("a module's text");
    } else {
      return reader_.fail("a module's data", fmt::format("kind {}", kind));
    }
  }
  remark(
      fmt::format("the snapshot has data of the module '{}', which is not here: left out", name));
}

void SnapshotLoader::finish() {
  if (empty_keys_skipped_ > kMaxEmptyKeyRemarks) {
    remark(fmt::format("the snapshot has {} empty keys: left out", empty_keys_skipped_));
  }
  constexpr int kFirstWithChecksum = 5;
  if (version_ < kFirstWithChecksum) return;
  const uint64_t computed = reader_.checksum();
  const uint64_t stored = reader_.fixed64("a checksum");
  if (reader_.failed() || settings_.checksum == RdbReader::Checksum::kIgnore) return;
  if (stored == 0) return remark("the snapshot was saved without a checksum: none was compared");
  if (stored != computed) {
    reader_.fail(fmt::format("the checksum {:016x}", computed),
                 fmt::format("{:016x} (RDB CRC error)", stored));
  }
}

}  // namespace millrace
