#include "server/ds/hyperloglog.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "server/ds/hyperloglog_trial.h"

namespace millrace::ds {
namespace {

using Change = HyperLogLog::Change;
constexpr size_t kUsualLimit = 3000;

// A value in a string, which is what the server keeps it in.
class Stored {
 public:
  explicit Stored(size_t limit = kUsualLimit) : limit_(limit) {
    HyperLogLog::write_empty(resized(HyperLogLog::kEmptyBytes));
  }
  explicit Stored(std::string bytes, size_t limit = kUsualLimit)
      : bytes(std::move(bytes)), limit_(limit) {}

  template <typename F>
  auto edit(F&& f) {
    const auto resize = [this](size_t length) { return resized(length); };
    HyperLogLog value(resized(bytes.size()), resize, limit_);
    return f(value);
  }
  Change add(std::string_view element) {
    return edit([element](HyperLogLog& value) { return value.add(element); });
  }
  Change raise(size_t index, uint8_t rank) {
    return edit([=](HyperLogLog& value) { return value.raise(index, rank); });
  }
  HyperLogLogView view() const { return HyperLogLogView(bytes); }

  std::string bytes;

 private:
  ae::MutableBytes resized(size_t length) {
    bytes.resize(length);
    return {bytes.data(), bytes.size()};
  }
  size_t limit_;
};

std::string with_runs(std::string_view runs) {
  return std::string("HYLL\1\0\0\0\0\0\0\0\0\0\0\x80", 16) + std::string(runs);
}

void expect_registers(const Stored& stored, const RegisterArray& expected) {
  RegisterArray registers;
  ASSERT_TRUE(stored.view().merge_into(registers));
  for (size_t i = 0; i < kRegisters; ++i) ASSERT_EQ(registers[i], expected[i]) << i;
}

// GET of what redis-server 7.0.15 makes of PFADD h a b c d.
TEST(HyperLogLog, StoresTheBytesOfRedis) {
  Stored h;
  for (const char* element : {"a", "b", "c", "d"}) EXPECT_EQ(h.add(element), Change::kMade);
  EXPECT_EQ(h.bytes, with_runs("\\{\x80"
                               "Dv\x80P\xb1\x84K\xfb\x80"
                               "BZ"));
  EXPECT_EQ(h.add("a"), Change::kNone);
  EXPECT_EQ(h.view().count(), 4u);
  EXPECT_EQ(h.view().cached_count(), std::nullopt);
  h.edit([](HyperLogLog& value) { value.cache_count(4); });
  EXPECT_EQ(h.view().cached_count(), 4u);
}

TEST(HyperLogLog, EmptyCountsNothing) {
  const Stored h;
  EXPECT_EQ(h.bytes.size(), HyperLogLog::kEmptyBytes);
  EXPECT_TRUE(HyperLogLogView::fits(h.bytes));
  EXPECT_EQ(h.view().count(), 0u);
  EXPECT_EQ(h.view().sparse().describe(), "Z:16384");
}

TEST(HyperLogLog, RunsAreSplitAndJoined) {
  Stored h;
  h.raise(5, 1);
  EXPECT_EQ(h.view().sparse().describe(), "z:5 v:1,1 Z:16378");
  h.raise(6, 1);
  h.raise(8, 1);
  h.raise(7, 1);
  EXPECT_EQ(h.view().sparse().describe(), "z:5 v:1,4 Z:16375");
  h.raise(9, 1);
  EXPECT_EQ(h.view().sparse().describe(), "z:5 v:1,4 v:1,1 Z:16374");
  h.raise(6, 2);
  EXPECT_EQ(h.view().sparse().describe(), "z:5 v:1,1 v:2,1 v:1,3 Z:16374");
  EXPECT_EQ(h.raise(6, 2), Change::kNone);
  EXPECT_EQ(h.raise(6, 1), Change::kNone);
  h.raise(0, 32);
  h.raise(16383, 32);
  EXPECT_EQ(h.view().sparse().describe(), "v:32,1 z:4 v:1,1 v:2,1 v:1,3 Z:16373 v:32,1");
}

TEST(HyperLogLog, GetsDenseByRankOrByLength) {
  Stored high;
  high.raise(3, 32);
  EXPECT_TRUE(high.view().is_sparse());
  high.raise(3, 33);
  EXPECT_FALSE(high.view().is_sparse());
  EXPECT_EQ(high.bytes.size(), HyperLogLogView::kDenseTotalBytes);
  EXPECT_EQ(dense_register(high.view().dense(), 3), 33);

  Stored limited(20);
  limited.raise(0, 1);  // VAL XZERO: 19 bytes
  EXPECT_TRUE(limited.view().is_sparse());
  limited.raise(100, 1);
  EXPECT_FALSE(limited.view().is_sparse());
}

TEST(HyperLogLog, SparseAndDenseAgreeWithAModel) {
  const uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  for (const size_t limit : {size_t{18}, size_t{60}, kUsualLimit, size_t{1} << 20}) {
    for (const size_t spread : {size_t{40}, kRegisters}) {
      Stored h(limit);
      RegisterArray model;
      for (int i = 0; i < 3000; ++i) {
        const size_t index = random() % spread;
        const auto rank = static_cast<uint8_t>(1 + std::min<uint64_t>(random() % 6, random() % 50));
        const bool higher = model[index] < rank;
        ASSERT_EQ(h.raise(index, rank), higher ? Change::kMade : Change::kNone);
        model.raise(index, rank);
        if (h.view().is_sparse()) {
          ASSERT_LE(h.bytes.size(), std::max<size_t>(limit, 18));
        }
      }
      expect_registers(h, model);
      ASSERT_EQ(h.view().count(), estimate_count(model.histogram()));
      ASSERT_TRUE(h.edit([](HyperLogLog& value) { return value.make_dense(); }));
      expect_registers(h, model);
      ASSERT_EQ(h.view().count(), estimate_count(model.histogram()));
    }
  }
}

TEST(HyperLogLog, TellsWhatIsNone) {
  EXPECT_FALSE(HyperLogLogView::fits(""));
  EXPECT_FALSE(HyperLogLogView::fits("HYLL"));
  EXPECT_FALSE(HyperLogLogView::fits(std::string("HYLX\1\0\0\0\0\0\0\0\0\0\0\0", 16)));
  EXPECT_FALSE(HyperLogLogView::fits(std::string("HYLL\2\0\0\0\0\0\0\0\0\0\0\0", 16)));
  EXPECT_FALSE(HyperLogLogView::fits(std::string("HYLL\0\0\0\0\0\0\0\0\0\0\0\0", 16)));
  EXPECT_TRUE(HyperLogLogView::fits(with_runs("")));
}

TEST(HyperLogLog, TellsRunsThatAreNotWhole) {
  for (const std::string runs : {"", "\x7f", "\x7f\xfe", "\x80\x7f\xff", "\x7f\xff\x80"}) {
    Stored h(with_runs(runs));
    EXPECT_EQ(h.view().count(), std::nullopt);
    RegisterArray registers;
    EXPECT_FALSE(h.view().merge_into(registers));
    EXPECT_FALSE(h.edit([](HyperLogLog& value) { return value.make_dense(); }));
    EXPECT_EQ(h.raise(16383, 40), Change::kCorrupt);
    EXPECT_EQ(h.bytes, with_runs(runs));
  }
  // A register that some run holds can be raised all the same.
  Stored h(with_runs(std::string("\x03\x80", 2)));
  EXPECT_EQ(h.raise(1, 7), Change::kMade);
  EXPECT_EQ(h.view().sparse().describe(), "z:1 v:7,1 z:2 v:1,1");
  EXPECT_EQ(h.raise(5, 7), Change::kCorrupt);
}

TEST(HyperLogLog, DenseRegistersTouchNoNeighbour) {
  std::string dense(kDenseBytes, '\xff');
  set_dense_register(dense.data(), 1, 0);
  set_dense_register(dense.data(), kRegisters - 1, 42);
  EXPECT_EQ(dense_register(dense.data(), 0), 63);
  EXPECT_EQ(dense_register(dense.data(), 1), 0);
  EXPECT_EQ(dense_register(dense.data(), 2), 63);
  EXPECT_EQ(dense_register(dense.data(), kRegisters - 2), 63);
  EXPECT_EQ(dense_register(dense.data(), kRegisters - 1), 42);
}

TEST(HyperLogLog, Trial) {
  EXPECT_EQ(try_hyperloglog(1), "");
  EXPECT_EQ(try_hyperloglog(std::random_device()()), "");
}

}  // namespace
}  // namespace millrace::ds
