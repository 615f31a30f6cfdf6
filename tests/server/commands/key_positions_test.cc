#include "server/command/key_positions.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

void nothing(Context&) {}

// The positions for one row, or "invalid".
std::string positions(const CommandSpec& spec, std::vector<std::string_view> args) {
  Command command;
  command.spec = &spec;
  command.full_name = spec.name;
  const auto found = key_positions(command, args);
  if (!found) return "invalid";
  std::string text;
  for (const KeyPosition& key : *found) text += std::to_string(key.position) + " ";
  return text;
}

CommandSpec row(KeySpec keys, KeySpec more = {}) {
  return {.name = "x", .handler = nothing, .arity = -1, .keys = keys, .more_keys = more};
}

TEST(KeyPositionsTest, Ranges) {
  EXPECT_EQ(positions(row(key_at(1)), {"GET", "a"}), "1 ");
  EXPECT_EQ(positions(row(keys_between(1, -1)), {"DEL", "a", "b", "c"}), "1 2 3 ");
  EXPECT_EQ(positions(row(keys_between(1, -1, 2)), {"MSET", "a", "1", "b", "2"}), "1 3 ");
  EXPECT_EQ(positions(row(keys_between(1, -2)), {"BLPOP", "a", "b", "0"}), "1 2 ");
  EXPECT_EQ(positions(row(key_at(1), key_at(2)), {"RENAME", "a", "b"}), "1 2 ");
  EXPECT_EQ(positions(row({}), {"PING", "a"}), "");
}

TEST(KeyPositionsTest, Counts) {
  const CommandSpec store = row(key_at(1), keys_counted_at(2));
  EXPECT_EQ(positions(store, {"ZUNIONSTORE", "d", "2", "a", "b"}), "1 3 4 ");
  EXPECT_EQ(positions(store, {"ZUNIONSTORE", "d", "1", "a", "WEIGHTS", "3"}), "1 3 ");
  for (std::string_view count : {"0", "-1", "3", "x", "99999999999999999999"})
    EXPECT_EQ(positions(store, {"ZUNIONSTORE", "d", count, "a", "b"}), "invalid") << count;
}

TEST(KeyPositionsTest, Keywords) {
  const CommandSpec spec = row(key_at(1), {KeySpec::Kind::kKeyword, 2, 0, 1, "STORE"});
  EXPECT_EQ(positions(spec, {"SORT", "a", "LIMIT", "0", "1", "store", "d"}), "1 6 ");
  EXPECT_EQ(positions(spec, {"SORT", "a"}), "1 ");
  EXPECT_EQ(positions(spec, {"SORT", "a", "STORE"}), "1 ");
}

TEST(KeyPositionsTest, TheFirstHalf) {
  const CommandSpec spec = row(keys_in_first_half_behind("STREAMS", 1));
  EXPECT_EQ(positions(spec, {"XREAD", "streams", "a", "b", "0", "$"}), "2 3 ");
  EXPECT_EQ(positions(spec, {"XREAD", "COUNT", "2", "STREAMS", "a", "0"}), "4 ");
  EXPECT_EQ(positions(spec, {"XREAD", "STREAMS", "a", "b", "0"}), "2 ");
  EXPECT_EQ(positions(spec, {"XREAD", "STREAMS"}), "invalid");
  EXPECT_EQ(positions(spec, {"XREAD", "a", "0"}), "invalid");
}

}  // namespace
}  // namespace millrace
