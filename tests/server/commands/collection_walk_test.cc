// What transcripts cannot show: HSCAN, SSCAN and ZSCAN over collections that change between calls,
// draws at random, and ranges by index against a model.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "server/commands/collection.h"
#include "tests/server/commands/command_rig.h"

namespace millrace {
namespace {

// The bulks of a reply, in order: everything else is left out.
std::vector<std::string> bulks_of(std::string_view reply) {
  std::vector<std::string> bulks;
  size_t at = 0;
  while (at < reply.size()) {
    const size_t line_end = reply.find("\r\n", at);
    const std::string line(reply.substr(at, line_end - at));
    at = line_end + 2;
    if (line[0] != '$' || line == "$-1") continue;
    const size_t length = std::stoul(line.substr(1));
    bulks.emplace_back(reply.substr(at, length));
    at += length + 2;
  }
  return bulks;
}

struct Family {
  std::string_view add;  // with the arguments below in front of the member
  std::vector<std::string_view> before;
  std::vector<std::string_view> after;
  std::string_view remove;
  std::string_view scan;
  size_t stride;  // bulks to an element in a scan's reply
};
const Family kFamilies[] = {
    {"HSET", {}, {"v"}, "HDEL", "HSCAN", 2},
    {"SADD", {}, {}, "SREM", "SSCAN", 1},
    {"ZADD", {"7"}, {}, "ZREM", "ZSCAN", 2},
};

class CollectionWalk : public testing::TestWithParam<Family> {
 protected:
  void add(std::string_view member) {
    std::vector<std::string_view> args{GetParam().add, "key"};
    args.insert(args.end(), GetParam().before.begin(), GetParam().before.end());
    args.push_back(member);
    args.insert(args.end(), GetParam().after.begin(), GetParam().after.end());
    ASSERT_EQ(rig_.run(session_, args), ":1\r\n");
  }
  void remove(std::string_view member) { rig_.run(session_, {GetParam().remove, "key", member}); }

  // One call: adds what it reports to `seen`, returns the cursor to go on with.
  std::string scan(const std::string& cursor, std::multiset<std::string>& seen) {
    const auto bulks = bulks_of(rig_.run(session_, {GetParam().scan, "key", cursor}));
    for (size_t i = 1; i < bulks.size(); i += GetParam().stride) seen.insert(bulks[i]);
    return bulks[0];
  }

  CommandRig rig_;
  Session& session_ = rig_.connect();
};

TEST_P(CollectionWalk, ReportsEachMemberOnceInSmallSteps) {
  constexpr size_t kMembers = 5000;
  for (size_t i = 0; i < kMembers; ++i) add("member:" + std::to_string(i));
  std::multiset<std::string> seen;
  size_t calls = 0;
  std::string cursor = "0";
  do {
    const size_t before = seen.size();
    cursor = scan(cursor, seen);
    EXPECT_LT(seen.size() - before, 100u);  // COUNT 10, and what is left of a bucket
    ++calls;
  } while (cursor != "0" && calls < kMembers);
  EXPECT_EQ(cursor, "0");
  EXPECT_EQ(seen.size(), kMembers);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), kMembers);
}

TEST_P(CollectionWalk, MissesNothingThatStaysWhileTheCollectionGrowsAndShrinks) {
  for (size_t i = 0; i < 600; ++i) add("stays:" + std::to_string(i));
  std::multiset<std::string> seen;
  std::string cursor = "0";
  size_t added = 0;
  do {
    cursor = scan(cursor, seen);
    for (size_t i = 0; i < 40 && added < 4000; ++i) add("comes:" + std::to_string(added++));
    for (size_t i = 0; i < 20; ++i) remove("comes:" + std::to_string(rig_.prng.below(added + 1)));
  } while (cursor != "0");
  for (size_t i = 0; i < 600; ++i) EXPECT_EQ(seen.count("stays:" + std::to_string(i)), 1u) << i;
}

TEST_P(CollectionWalk, ReportsASmallCollectionWhole) {
  for (size_t i = 0; i < 100; ++i) add("m" + std::to_string(i));
  std::multiset<std::string> seen;
  EXPECT_EQ(scan("0", seen), "0");
  EXPECT_EQ(seen.size(), 100u);
}

INSTANTIATE_TEST_SUITE_P(Families, CollectionWalk, testing::ValuesIn(kFamilies),
                         [](const auto& info) { return std::string(info.param.scan); });

constexpr std::pair<std::string_view, std::string_view> kDraws[] = {
    {"HRANDFIELD", "h"}, {"SRANDMEMBER", "s"}, {"ZRANDMEMBER", "z"}};

TEST(CollectionDraws, GiveAsManyAsAskedAndEachOnceIfPositive) {
  CommandRig rig;
  Session& session = rig.connect();
  for (const size_t size : {10, 1000}) {  // both encodings
    for (size_t i = 0; i < size; ++i) {
      const std::string member = "m" + std::to_string(i);
      rig.run(session, {"HSET", "h", member, member});
      rig.run(session, {"SADD", "s", member});
      rig.run(session, {"ZADD", "z", "1", member});
    }
    for (const auto& [command, key] : kDraws) {
      for (const size_t count : {size_t{1}, size / 2, size - 1, size, 2 * size}) {
        auto drawn = bulks_of(rig.run(session, {command, key, std::to_string(count)}));
        EXPECT_EQ(drawn.size(), std::min(count, size)) << command;
        std::sort(drawn.begin(), drawn.end());
        EXPECT_EQ(std::unique(drawn.begin(), drawn.end()), drawn.end()) << command;
        drawn = bulks_of(rig.run(session, {command, key, "-" + std::to_string(count)}));
        EXPECT_EQ(drawn.size(), count) << command;
      }
    }
  }
}

TEST(CollectionDraws, RefuseMoreThanAReplyMayHold) {
  CommandRig rig;
  Session& session = rig.connect();
  rig.run(session, {"SADD", "s", "a"});
  EXPECT_EQ(rig.run(session, {"SRANDMEMBER", "s", "-67108865"}), "-ERR value is out of range\r\n");
  EXPECT_EQ(rig.run(session, {"SRANDMEMBER", "s", "67108865"}), "*1\r\n$1\r\na\r\n");
}

TEST(IndexRange, EqualsAWalkOverAllPositions) {
  for (int64_t length = 0; length <= 5; ++length) {
    for (int64_t start = -8; start <= 8; ++start) {
      for (int64_t end = -8; end <= 8; ++end) {
        const IndexRange range = index_range(start, end, uint64_t(length));
        for (int64_t at = 0; at < length; ++at) {
          const bool after_start = at >= (start < 0 ? start + length : start);
          const bool before_end = at <= (end < 0 ? end + length : end);
          const bool inside = uint64_t(at) >= range.begin && uint64_t(at) < range.end;
          EXPECT_EQ(inside, after_start && before_end) << start << ' ' << end << ' ' << length;
        }
        EXPECT_LE(range.end, uint64_t(length));
        EXPECT_LE(range.begin, range.end);
      }
    }
  }
  EXPECT_EQ(index_range(INT64_MIN, INT64_MAX, 3).size(), 3u);
  EXPECT_EQ(index_range(INT64_MAX, INT64_MIN, 3).size(), 0u);
}

}  // namespace
}  // namespace millrace
