#include "load/request_template.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace load {
namespace {

TEST(RequestTemplateTest, FixedWords) {
  ae::Prng random(1);
  RequestTemplate request("  GET   key ", 10, 3);
  EXPECT_EQ(request.next(random), "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
}

TEST(RequestTemplateTest, NumbersAndData) {
  ae::Prng random(1);
  RequestTemplate request("SET key:__rand__ __data__", 1, 5);
  EXPECT_EQ(request.next(random), "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$5\r\nxxxxx\r\n");
}

TEST(RequestTemplateTest, AllNumbersOfTheKeyspaceAndNoOther) {
  ae::Prng random(7);
  RequestTemplate request("GET __rand__", 12, 3);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(std::string(request.next(random)).substr(18, 12));
  ASSERT_EQ(seen.size(), 12u);
  EXPECT_EQ(*seen.begin(), "000000000000");
  EXPECT_EQ(*seen.rbegin(), "000000000011");
}

TEST(RequestTemplateTest, EachPlaceHasANumberOfItsOwn) {
  ae::Prng random(3);
  RequestTemplate request("MGET __rand__ __rand____rand__", 999'999'999'999, 3);
  const std::string bytes(request.next(random));
  EXPECT_NE(bytes.substr(19, 12), bytes.substr(38, 12));
  EXPECT_NE(bytes.substr(38, 12), bytes.substr(50, 12));
}

}  // namespace
}  // namespace load
