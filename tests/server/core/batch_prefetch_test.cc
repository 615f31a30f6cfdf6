// The stages look at entries that the requests between them may have changed or freed. Under
// AddressSanitizer a stage that trusted what an earlier one saw would be caught here.
#include "server/core/batch_prefetch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ae/base/prng.h"
#include "server/command/table.h"
#include "server/db/keyspace.h"

namespace millrace {
namespace {

constexpr ds::StringSetLimits kSetLimits;
constexpr ds::ListpackLimits kPackLimits;

class BatchPrefetchTest : public ::testing::Test {
 protected:
  // `command` key member
  void request(std::string_view command, const std::string& key, const std::string& member) {
    Request& request = batch.add();
    request.command = commands.find(command);
    request.keyspace = &keyspace;
    request.key_hash = Keyspace::hash(key);
    request.first_arg = uint32_t(batch.args().size());
    request.arg_count = 3;
    for (std::string_view arg : {command, std::string_view(key), std::string_view(member)})
      batch.args().push_back(arg);
  }

  // What a request in between may do to a key: drop it, or make it another type and size.
  void disturb(const std::string& name) {
    const Key key = Keyspace::key(name);
    keyspace.erase(key);
    const size_t members = prng.below(300);
    switch (prng.below(5)) {
      case 0:
        return;
      case 1:
        keyspace.set_string(key, "text", kNoExpiry);
        return;
      case 2: {
        ds::StringSet set;
        for (size_t i = 0; i <= members; ++i) set.add("m" + std::to_string(i), kSetLimits);
        keyspace.add(key, std::move(set));
        return;
      }
      case 3: {
        ds::FieldMap map;
        for (size_t i = 0; i <= members; ++i) map.set("m" + std::to_string(i), "v", kPackLimits);
        keyspace.add(key, std::move(map));
        return;
      }
      case 4: {
        ds::StringSet integers;
        for (size_t i = 0; i <= members; ++i) integers.add(std::to_string(i), kSetLimits);
        keyspace.add(key, std::move(integers));
        return;
      }
    }
  }

  CommandTable commands{command_families()};
  Keyspace keyspace;
  RequestBatch batch;
  BatchPrefetch prefetch{batch};
  ae::Prng prng{1};
};

TEST_F(BatchPrefetchTest, KeysMayChangeBetweenTheStages) {
  std::vector<std::string> keys, members;
  for (int i = 0; i < 4; ++i) keys.push_back("key" + std::to_string(i));
  for (int i = 0; i < 50; ++i) members.push_back("m" + std::to_string(i));
  for (int round = 0; round < 20; ++round) {
    batch.clear();
    for (int i = 0; i < 200; ++i) {
      const char* command = prng.one_in(3) ? "get" : prng.one_in(2) ? "sadd" : "hset";
      request(command, keys[prng.below(keys.size())], members[prng.below(members.size())]);
    }
    prefetch.begin();
    for (size_t i = 0; i < batch.size(); ++i) {
      prefetch.ahead(i);
      if (prng.one_in(2)) disturb(keys[prng.below(keys.size())]);
    }
  }
  keyspace.check();
}

TEST_F(BatchPrefetchTest, TheMembersHashIsFoundAheadWhereTheRowNamesOne) {
  const std::string key = "s", member = "m1";
  keyspace.add(Keyspace::key(key), ds::StringSet());
  request("sadd", key, member);
  request("get", key, member);
  request("sadd", "absent", member);
  prefetch.begin();
  EXPECT_EQ(batch.request(0).member_hash, Keyspace::hash(member));
  EXPECT_EQ(batch.request(1).member_hash, 0U);
  EXPECT_EQ(batch.request(2).member_hash, 0U);
}

TEST_F(BatchPrefetchTest, RequestsOfNoKeyAndShortOnesArePassedOver) {
  const std::string key = "s";
  keyspace.add(Keyspace::key(key), ds::StringSet());
  batch.add();  // an unknown command
  request("sadd", key, "m");
  batch.request(1).arg_count = 2;  // wrong arity
  prefetch.begin();
  prefetch.ahead(0);
  prefetch.ahead(1);
  EXPECT_EQ(batch.request(1).member_hash, 0U);
}

}  // namespace
}  // namespace millrace
