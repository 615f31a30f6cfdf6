#include "server/command/fiber.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace millrace {
namespace {

TEST(Fiber, RunsWorkToItsEnd) {
  Fiber fiber;
  std::string seen;
  EXPECT_TRUE(fiber.start([&] { seen += "a"; }));
  EXPECT_TRUE(fiber.start([&] { seen += "b"; }));
  EXPECT_EQ(seen, "ab");
  EXPECT_FALSE(fiber.is_away());
}

TEST(Fiber, GoesOnWhereItHasLeft) {
  Fiber fiber;
  std::vector<int> seen;
  bool ended = fiber.start([&] {
    for (int i = 0; i < 3; ++i) {
      seen.push_back(i);
      fiber.leave();
    }
  });
  for (int outside = 10; !ended; ++outside) {
    EXPECT_TRUE(fiber.is_away());
    seen.push_back(outside);
    ended = fiber.resume();
  }
  EXPECT_EQ(seen, (std::vector<int>{0, 10, 1, 11, 2, 12}));
}

// What a script does when it is killed: an error unwinds the stack up to a handler on the same one.
TEST(Fiber, AnExceptionFindsItsHandlerOnTheSameStack) {
  struct Witness {
    explicit Witness(int& count) : count(count) {}
    ~Witness() { ++count; }
    int& count;
  };
  Fiber fiber;
  int destroyed = 0;
  std::string caught;
  ASSERT_FALSE(fiber.start([&] {
    try {
      const Witness witness(destroyed);
      fiber.leave();
      throw std::runtime_error("killed");
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
  }));
  EXPECT_EQ(destroyed, 0);
  EXPECT_TRUE(fiber.resume());
  EXPECT_EQ(caught, "killed");
  EXPECT_EQ(destroyed, 1);
}

// Registers that a function may rely on hold their values over a crossing.
TEST(Fiber, KeepsLocalsOnBothSides) {
  Fiber fiber;
  uint64_t inside = 1;
  bool ended = fiber.start([&] {
    uint64_t a = 3, b = 5, c = 7, d = 11, e = 13;
    for (int i = 0; i < 1000; ++i) {
      a = a * 31 + b, b ^= c, c += d, d = d * 17 + e, e += a;
      fiber.leave();
    }
    inside = a ^ b ^ c ^ d ^ e;
  });
  uint64_t f = 2, g = 4;
  while (!ended) {
    f = f * 33 + g, g ^= f;
    ended = fiber.resume();
  }
  uint64_t a = 3, b = 5, c = 7, d = 11, e = 13, h = 2, j = 4;
  for (int i = 0; i < 1000; ++i) {
    a = a * 31 + b, b ^= c, c += d, d = d * 17 + e, e += a;
    h = h * 33 + j, j ^= h;
  }
  EXPECT_EQ(inside, a ^ b ^ c ^ d ^ e);
  EXPECT_EQ(f, h);
  EXPECT_EQ(g, j);
}

TEST(Fiber, HasRoomForDeepRecursion) {
  struct Deep {
    static size_t run(size_t depth) {  // NOLINT(misc-no-recursion): the point of it
      volatile char frame[1024];
      frame[0] = char(depth);
      return depth == 0 ? 0 : 1 + run(depth - 1) + size_t(frame[0] - char(depth));
    }
  };
  Fiber fiber;
  size_t depth = 0;
  EXPECT_TRUE(fiber.start([&] { depth = Deep::run(2000); }));
  EXPECT_EQ(depth, 2000u);
}

}  // namespace
}  // namespace millrace
