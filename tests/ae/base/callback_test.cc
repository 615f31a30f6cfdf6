#include "ae/base/callback.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

namespace ae {
namespace {

TEST(Callback, EmptyUntilGivenSomething) {
  Callback<void()> callback;
  EXPECT_FALSE(callback);
  callback = [] {};
  EXPECT_TRUE(callback);
  callback = nullptr;
  EXPECT_FALSE(callback);
}

TEST(Callback, PassesArgumentsAndReturns) {
  Callback<int(int, std::string)> callback = [](int a, std::string b) { return a + int(b.size()); };
  EXPECT_EQ(callback(2, "abc"), 5);
}

TEST(Callback, PassesReferencesAndMoveOnlyArguments) {
  Callback<void(int&, std::unique_ptr<int>)> callback = [](int& out, std::unique_ptr<int> in) {
    out = *in;
  };
  int out = 0;
  callback(out, std::make_unique<int>(7));
  EXPECT_EQ(out, 7);
}

TEST(Callback, AVoidOneDropsWhatTheCallableReturns) {
  int calls = 0;
  Callback<void()> callback = [&calls] { return ++calls; };
  callback();
  EXPECT_EQ(calls, 1);
}

// Counts the living instances of itself; `Size` decides where a Callback keeps it.
template <size_t Size>
struct Counted {
  explicit Counted(int& alive) : alive(&alive) { ++alive; }
  Counted(Counted&& other) noexcept : alive(other.alive) { ++*alive; }
  Counted(const Counted&) = delete;
  ~Counted() { --*alive; }
  int operator()() const { return *alive; }
  int* alive;
  std::array<char, Size> padding{};
};

template <size_t Size>
void check_lifetime() {
  int alive = 0;
  {
    Callback<int()> first = Counted<Size>(alive);
    EXPECT_EQ(alive, 1);
    Callback<int()> second = std::move(first);
    EXPECT_EQ(alive, 1) << "moving destroys what was moved from";
    EXPECT_FALSE(first);
    EXPECT_EQ(second(), 1);
    second = Counted<Size>(alive);
    EXPECT_EQ(alive, 1) << "assignment destroys what was there";
    second.reset();
    EXPECT_EQ(alive, 0);
    first = Counted<Size>(alive);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Callback, EachCallableDiesOnceInline) {
  check_lifetime<8>();
}
TEST(Callback, EachCallableDiesOnceOnTheHeap) {
  check_lifetime<200>();
}

struct alignas(64) Aligned {
  bool operator()() const { return reinterpret_cast<uintptr_t>(this) % 64 == 0; }
};

TEST(Callback, OverAlignedCallablesKeepTheirAlignment) {
  Callback<bool()> callback = Aligned{};
  Callback<bool()> moved = std::move(callback);
  EXPECT_TRUE(moved());
}

TEST(Callback, FourPointersFitInside) {
  EXPECT_EQ(sizeof(Callback<void()>), 5 * sizeof(void*));
}

TEST(CallbackDeathTest, CallingAnEmptyOneAborts) {
  Callback<void()> callback;
  EXPECT_DEATH(callback(), "assertion failed");
}

}  // namespace
}  // namespace ae
