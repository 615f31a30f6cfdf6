// write_snapshot and SnapshotLoader against each other, and the loader against files that are
// wrong.
#include <gtest/gtest.h>

#include <cerrno>

#include "server/db/access_clock.h"
#include "server/ds/crc64.h"
#include "server/persist/snapshot_loader.h"
#include "server/persist/snapshot_writer.h"
#include "tests/server/persist/sample_data.h"

namespace millrace {
namespace {

using fakes::facts_of;
using fakes::fill;

constexpr size_t kDatabases = 16;

std::string snapshot_of(const Databases& databases, SnapshotFacts facts = {}) {
  StringSink sink;
  EXPECT_TRUE(write_snapshot(sink, databases, {}, facts));
  return sink.bytes;
}

SnapshotLoader::Settings settings() {
  return {.limits = fakes::kLimits, .now_ms = 1'000'000};
}

// The problem, or nothing.
std::string load(SnapshotLoader& loader, uint64_t step = UINT32_MAX) {
  for (;;) {
    const auto progress = loader.step(step);
    if (!progress) return loader.problem();
    if (*progress == SnapshotLoader::Progress::kDone) return {};
  }
}

std::string problem_of(std::string_view bytes) {
  const AccessClock clock;
  Databases databases(kDatabases, clock);
  StringSource source(bytes);
  SnapshotLoader loader(source, databases, settings());
  return load(loader);
}

// What stands before the first key of a file without facts.
const std::string kHead = "REDIS0009";

std::string with_checksum(std::string bytes) {
  bytes += '\xff';
  const uint64_t crc = ds::crc64(bytes);
  return bytes.append(reinterpret_cast<const char*>(&crc), sizeof crc);
}

TEST(Snapshot, EveryEncodingComesBack) {
  const AccessClock clock;
  Databases before(kDatabases, clock);
  fill(before);
  for (const bool compress : {false, true}) {
    const std::string bytes = snapshot_of(before, {.options = {.compress = compress}});
    for (const uint64_t step : {uint64_t{1}, uint64_t{1000}, uint64_t{UINT32_MAX}}) {
      Databases after(kDatabases, clock);
      StringSource source(bytes);
      SnapshotLoader loader(source, after, settings());
      ASSERT_EQ(load(loader, step), "");
      EXPECT_EQ(loader.keys_loaded(), before.total_keys());
      EXPECT_EQ(loader.offset(), bytes.size());
      EXPECT_EQ(facts_of(after), facts_of(before));
    }
  }
}

// A set of so many members, as a file that is put together by hand: a set of texts is a count and
// the texts.
std::string one_large_set(uint32_t members) {
  std::string bytes = kHead + '\x02' + "\x03" + "set" + '\x80';
  for (int shift = 24; shift >= 0; shift -= 8) bytes += char(members >> shift & 0xff);
  for (uint32_t i = 0; i < members; ++i) {
    const std::string member = "member" + std::to_string(1'000'000 + i);
    bytes += char(member.size());
    bytes += member;
  }
  return with_checksum(bytes);
}

constexpr uint32_t kManyMembers = 50'000;  // 700 KB: many fills of the reader's buffer
constexpr uint64_t kPieceBytes = 32 << 10;

TEST(Snapshot, APieceEndsInTheMiddleOfALargeKey) {
  const AccessClock clock;
  Databases databases(kDatabases, clock);
  const std::string bytes = one_large_set(kManyMembers);
  StringSource source(bytes);
  SnapshotLoader loader(source, databases, settings());
  size_t pieces = 0;
  uint64_t at = 0;
  while (*loader.step(kPieceBytes) == SnapshotLoader::Progress::kMore) {
    pieces += databases.total_keys() == 0 ? 1 : 0;  // half a key is not to be seen
    EXPECT_LE(loader.offset() - at, 3 * kPieceBytes);
    at = loader.offset();
  }
  EXPECT_GE(pieces, bytes.size() / (3 * kPieceBytes));
  EXPECT_EQ(databases.total_keys(), 1u);
  EXPECT_EQ(loader.offset(), bytes.size());
}

// LeakSanitizer has the last word.
TEST(Snapshot, ALoaderMayGoInTheMiddleOfAKey) {
  const AccessClock clock;
  const std::string bytes = one_large_set(kManyMembers);
  for (int pieces = 1; pieces < 5; ++pieces) {
    Databases databases(kDatabases, clock);
    StringSource source(bytes);
    SnapshotLoader loader(source, databases, settings());
    for (int i = 0; i < pieces; ++i)
      ASSERT_EQ(*loader.step(kPieceBytes), SnapshotLoader::Progress::kMore);
  }
}

TEST(Snapshot, AKeyThatIsCutOffInALaterPieceIsAProblem) {
  const AccessClock clock;
  Databases databases(kDatabases, clock);
  const std::string whole = one_large_set(kManyMembers);
  const std::string bytes = whole.substr(0, whole.size() / 2);
  StringSource source(bytes);
  SnapshotLoader loader(source, databases, settings());
  EXPECT_NE(load(loader, kPieceBytes).find("the end"), std::string::npos) << loader.problem();
  EXPECT_EQ(databases.total_keys(), 0u);
}

TEST(Snapshot, WhoDropsKeysCanTellOfThem) {
  const AccessClock clock;
  Databases before(kDatabases, clock);
  fill(before);
  const std::string bytes = snapshot_of(before);
  Databases after(kDatabases, clock);
  StringSource source(bytes);
  SnapshotLoader::Settings late = settings();
  late.now_ms = INT64_MAX;
  size_t told = 0;
  late.on_expired = [&](size_t db, std::string_view key) {
    EXPECT_NE(before[db].find(Keyspace::key(key)), nullptr) << key;
    ++told;
  };
  SnapshotLoader loader(source, after, late);
  ASSERT_EQ(load(loader), "");
  EXPECT_GT(told, 0u);
  EXPECT_EQ(told, loader.keys_expired());
}

TEST(Snapshot, FactsComeBack) {
  const AccessClock clock;
  const Databases empty(kDatabases, clock);
  SnapshotFacts facts{.created_s = 1700000000, .used_memory_bytes = 123456789};
  facts.replication = ReplicationPoint{.db = 3, .id = std::string(40, 'a'), .offset = 77};
  facts.use = SnapshotUse::kAppendOnlyBase;
  const std::string bytes = snapshot_of(empty, facts);
  Databases databases(kDatabases, clock);
  StringSource source(bytes);
  SnapshotLoader loader(source, databases, settings());
  ASSERT_EQ(load(loader), "");
  EXPECT_EQ(loader.aux().redis_version, "7.2.4");
  EXPECT_EQ(loader.aux().created_s, 1700000000);
  EXPECT_EQ(loader.aux().used_memory_bytes, 123456789u);
  ASSERT_TRUE(loader.aux().replication);
  EXPECT_EQ(loader.aux().replication->db, 3);
  EXPECT_EQ(loader.aux().replication->id, std::string(40, 'a'));
  EXPECT_EQ(loader.aux().replication->offset, 77);
  EXPECT_EQ(loader.aux().use, SnapshotUse::kAppendOnlyBase);
}

TEST(Snapshot, LibrariesOfFunctionsComeBack) {
  const AccessClock clock;
  Databases databases(kDatabases, clock);
  const std::string_view codes[] = {"#!lua name=one\n", "#!lua name=two\n"};
  StringSink sink;
  ASSERT_TRUE(write_snapshot(sink, databases, codes, {}));
  std::vector<std::string> loaded;
  auto with_functions = settings();
  with_functions.on_function = [&](std::string_view code) {
    loaded.emplace_back(code);
    return std::string(loaded.size() == 3 ? "no" : "");
  };
  {
    StringSource source(sink.bytes);
    SnapshotLoader loader(source, databases, with_functions);
    EXPECT_EQ(load(loader), "");
    EXPECT_EQ(loaded, (std::vector<std::string>{"#!lua name=one\n", "#!lua name=two\n"}));
  }
  StringSource source(sink.bytes);
  SnapshotLoader loader(source, databases, with_functions);
  EXPECT_NE(load(loader).find("expected a library of functions, got no"), std::string::npos);
}

TEST(Snapshot, AMasterDropsWhatHasExpiredAReplicaKeepsIt) {
  const AccessClock clock;
  Databases before(kDatabases, clock);
  before[0].set_string(Keyspace::key("past"), "1", 999'999);
  before[0].set_string(Keyspace::key("now"), "1", 1'000'000);
  before[0].set_string(Keyspace::key("ever"), "1", kNoExpiry);
  const std::string bytes = snapshot_of(before);
  for (const auto& [expired, keys] : {std::pair{SnapshotLoader::Expired::kDrop, 2u},
                                      std::pair{SnapshotLoader::Expired::kKeep, 3u}}) {
    Databases after(kDatabases, clock);
    StringSource source(bytes);
    auto chosen = settings();
    chosen.expired = expired;
    SnapshotLoader loader(source, after, chosen);
    ASSERT_EQ(load(loader), "");
    EXPECT_EQ(after[0].size(), keys);
    EXPECT_EQ(loader.keys_expired(), 3 - keys);
    EXPECT_EQ(after[0].expiring(), keys - 1);
  }
}

TEST(Snapshot, IdleTimesAndFrequenciesComeBack) {
  for (const auto measure : {AccessClock::Measure::kRecency, AccessClock::Measure::kFrequency}) {
    AccessClock clock;
    clock.configure({.measure = measure});
    clock.set_now(1'700'000'000'000);
    Databases before(kDatabases, clock);
    Entry* entry = before[0].set_string(Keyspace::key("key"), "1", kNoExpiry);
    const bool is_recency = measure == AccessClock::Measure::kRecency;
    entry->set_access(is_recency ? clock.bits_of_idle(1234) : clock.bits_of_frequency(99));
    SnapshotFacts facts{.access_clock = &clock};
    facts.access = is_recency ? SnapshotFacts::Access::kIdle : SnapshotFacts::Access::kFrequency;
    const std::string bytes = snapshot_of(before, facts);
    clock.set_now(1'700'000'500'000);
    Databases after(kDatabases, clock);
    StringSource source(bytes);
    auto chosen = settings();
    chosen.access_clock = &clock;
    SnapshotLoader loader(source, after, chosen);
    ASSERT_EQ(load(loader), "");
    const Entry* loaded = after[0].find(Keyspace::key("key"));
    if (is_recency) {
      EXPECT_EQ(clock.idle_seconds(*loaded), 1234u);
    } else {
      EXPECT_EQ(clock.frequency(*loaded), 99u);
    }
  }
}

TEST(Snapshot, EveryTruncationIsAProblem) {
  const AccessClock clock;
  Databases before(kDatabases, clock);
  before[0].set_string(Keyspace::key("string"), "value", 5'000'000);
  ds::FieldMap hash;
  hash.set("field", "value", {});
  before[1].add(Keyspace::key("hash"), std::move(hash));
  const std::string bytes = snapshot_of(before);
  ASSERT_EQ(problem_of(bytes), "");
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_NE(problem_of(bytes.substr(0, cut)), "") << cut;
  }
}

TEST(Snapshot, EveryFlippedBitIsAProblem) {
  const AccessClock clock;
  Databases before(kDatabases, clock);
  before[0].set_string(Keyspace::key("string"), "value", 5'000'000);
  ds::SortedSet set;
  set.add("member", 1.5, {}, {});
  before[1].add(Keyspace::key("zset"), std::move(set));
  const std::string bytes = snapshot_of(before);
  for (size_t at = 5; at < bytes.size() * 8; ++at) {
    std::string spoilt = bytes;
    spoilt[at / 8] = static_cast<char>(spoilt[at / 8] ^ (1 << at % 8));
    EXPECT_NE(problem_of(spoilt), "") << at;
  }
}

TEST(Snapshot, ProblemsSayWhereAndWhat) {
  EXPECT_EQ(problem_of(""),
            "at 0x0: expected \"REDIS\" and a version, got the end after 0 of 9 bytes");
  EXPECT_EQ(problem_of("RODIS0009"), "at 0x9: expected \"REDIS\", got another signature");
  EXPECT_EQ(problem_of("REDIS0012"), "at 0x9: expected a version from 1 to 11, got another");
  EXPECT_EQ(problem_of("REDIS00-1"), "at 0x9: expected a version from 1 to 11, got another");
  EXPECT_EQ(problem_of(kHead + "\xfe\x10"),
            "at 0xb: expected one of the 16 databases configured here, got database 16");
  EXPECT_EQ(problem_of(kHead + "\x63\x01k"), "at 0xa: expected the type of a value, got code 99");
  EXPECT_EQ(problem_of(kHead + "\x07\x01k"),
            "at 0xc: expected a value of a type this server has, got a value of a module");
  EXPECT_EQ(problem_of(kHead + std::string("\0\x01k\x01v\0\x01k\x01v", 10)),
            "at 0x13: expected distinct keys, got the same one twice");
  EXPECT_EQ(problem_of(kHead + std::string("\x02\x01k\x02\x01m\x01m", 8)),
            "at 0x11: expected distinct members of a set, got the same one twice");
}

TEST(Snapshot, WithoutAChecksumThereIsNothingToCompare) {
  std::string bytes = kHead + std::string("\0\x01k\x01v\xff", 6) + std::string(8, '\0');
  EXPECT_EQ(problem_of(bytes), "");
  bytes.back() = 1;
  EXPECT_NE(problem_of(bytes).find("the checksum"), std::string::npos);
  EXPECT_EQ(problem_of("REDIS0004" + std::string("\0\x01k\x01v\xff", 6)), "") << "older had none";
}

TEST(Snapshot, EmptyCollectionsAndModulesDataAreLeftOut) {
  const AccessClock clock;
  Databases databases(kDatabases, clock);
  // A set of no members; a module's aux: id, when, when, unsigned 5, end.
  std::string module = "\xf7\x81";
  module +=
      std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8) + std::string("\x02\x02\x02\x05\x00", 5);
  const std::string bytes = with_checksum(kHead + module + std::string("\x02\x01k\x00", 4));
  StringSource source(bytes);
  std::vector<std::string> remarks;
  auto chosen = settings();
  chosen.on_remark = [&](std::string_view remark) { remarks.emplace_back(remark); };
  SnapshotLoader loader(source, databases, chosen);
  EXPECT_EQ(load(loader), "");
  EXPECT_EQ(databases.total_keys(), 0u);
  EXPECT_EQ(loader.empty_keys_skipped(), 1u);
  ASSERT_EQ(remarks.size(), 2u);
  EXPECT_NE(remarks[0].find("module"), std::string::npos);
  EXPECT_NE(remarks[1].find("\"k\""), std::string::npos);
}

TEST(Snapshot, WhatFollowsTheEndIsNotRead) {
  const AccessClock clock;
  Databases databases(kDatabases, clock);
  const std::string bytes = snapshot_of(databases) + "*1\r\n$4\r\nPING\r\n";
  StringSource source(bytes);
  SnapshotLoader loader(source, databases, settings());
  EXPECT_EQ(load(loader), "");
  EXPECT_EQ(loader.unread(), "*1\r\n$4\r\nPING\r\n");
}

class LimitedSink final : public ByteSink {
 public:
  explicit LimitedSink(size_t room) : room_(room) {}
  ae::Status write(ae::Bytes bytes) override {
    if (bytes.size() > room_) return ae::fail(ENOSPC, "write");
    room_ -= bytes.size();
    return {};
  }

 private:
  size_t room_;
};

TEST(Snapshot, AFullSinkIsAnError) {
  const AccessClock clock;
  Databases databases(kDatabases, clock);
  fill(databases);
  LimitedSink sink(100);
  EXPECT_EQ(write_snapshot(sink, databases, {}, {}).error().code, ENOSPC);
}

TEST(Snapshot, ThresholdsDecideTheEncoding) {
  const AccessClock clock;
  Databases before(kDatabases, clock);
  fill(before);
  const std::string bytes = snapshot_of(before);
  Databases after(kDatabases, clock);
  StringSource source(bytes);
  auto chosen = settings();
  chosen.limits = {.list = ds::ListLimit(2),
                   .hash = {.max_entries = 4},
                   .sorted_set = {.max_entries = 4},
                   .set = {.max_intset_entries = 4, .max_listpack_entries = 4}};
  SnapshotLoader loader(source, after, chosen);
  ASSERT_EQ(load(loader), "");
  auto encoding = [&](const char* key) {
    return encoding_name(after[2].find(Keyspace::key(key))->encoding());
  };
  EXPECT_EQ(encoding("hash:listpack"), "hashtable");
  EXPECT_EQ(encoding("zset:listpack"), "skiplist");
  EXPECT_EQ(encoding("set:listpack"), "hashtable");
  EXPECT_EQ(encoding("set:intset"), "hashtable");
  EXPECT_EQ(after[0].find(Keyspace::key("list:small"))->encoding(), Encoding::kQuickList);
}

}  // namespace
}  // namespace millrace
