#include "server/acl/acl_log.h"

#include <gtest/gtest.h>

namespace millrace::acl {
namespace {

AclLog::Entry denial(std::string object, std::string user = "u") {
  return {.what = Denied::kKey,
          .place = Place::kTopLevel,
          .object = std::move(object),
          .user = std::move(user),
          .client = "id=1"};
}

TEST(AclLogTest, LikeIsCountedForAMinute) {
  AclLog log;
  log.add(denial("a"), 1000, 128);
  log.add(denial("b"), 2000, 128);
  log.add(denial("a"), 61'000, 128);
  ASSERT_EQ(log.entries().size(), 2u);
  EXPECT_EQ(log.entries()[0].object, "a");  // the last one is the first
  EXPECT_EQ(log.entries()[0].count, 2u);
  EXPECT_EQ(log.entries()[0].created_ms, 1000);
  EXPECT_EQ(log.entries()[0].updated_ms, 61'000);
  EXPECT_EQ(log.entries()[0].id, 0u);
  log.add(denial("a"), 121'001, 128);
  ASSERT_EQ(log.entries().size(), 3u);
  EXPECT_EQ(log.entries()[0].id, 2u);
  EXPECT_EQ(log.counts().keys, 4u);
}

TEST(AclLogTest, OnlyTheNewestAreLookedAt) {
  AclLog log;
  log.add(denial("first"), 0, 128);
  for (int i = 0; i < 10; ++i) log.add(denial(std::to_string(i)), 0, 128);
  log.add(denial("first"), 0, 128);
  EXPECT_EQ(log.entries().size(), 12u);
}

TEST(AclLogTest, DiffersByUserAndPlace) {
  AclLog log;
  log.add(denial("a", "u"), 0, 128);
  log.add(denial("a", "v"), 0, 128);
  AclLog::Entry in_script = denial("a", "u");
  in_script.place = Place::kScript;
  log.add(std::move(in_script), 0, 128);
  EXPECT_EQ(log.entries().size(), 3u);
  EXPECT_EQ(name_of(log.entries()[0].place), "lua");
}

TEST(AclLogTest, KeepsItsLength) {
  AclLog log;
  for (int i = 0; i < 100; ++i) log.add(denial(std::to_string(i)), 0, 7);
  EXPECT_EQ(log.entries().size(), 7u);
  EXPECT_EQ(log.entries()[0].object, "99");
  log.trim(2);
  EXPECT_EQ(log.entries().size(), 2u);
  log.add(denial("x"), 0, 0);
  EXPECT_TRUE(log.entries().empty());
  EXPECT_EQ(log.counts().keys, 101u);
}

}  // namespace
}  // namespace millrace::acl
