#include "server/ds/listpack.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/server/ds/redis_blobs.h"

namespace millrace::ds {
namespace {

using Model = std::vector<std::string>;

std::string text_of(const Element& element) {
  Element::TextBuffer buffer;
  return std::string(element.text(buffer));
}

Model contents(ListpackView pack) {
  Model all;
  pack.for_each([&all](Element element) { all.push_back(text_of(element)); });
  return all;
}

Model contents_backwards(ListpackView pack) {
  Model all;
  for (Cursor at = pack.last(); at; at = pack.previous(at)) all.push_back(text_of(pack.get(at)));
  return {all.rbegin(), all.rend()};
}

Listpack pack_of(const Model& values) {
  Listpack pack;
  for (const std::string& value : values) pack.append(value);
  return pack;
}

// Every length at which the encoding of a string, or the width of its backlen, changes.
Model string_boundaries() {
  Model values;
  for (std::size_t size :
       {0,    1,     62,    63,    64,    125,   126,   127,     128,     4094,    4095,
        4096, 16376, 16377, 16378, 16379, 16383, 16384, 2097145, 2097146, 2097147, 2097150}) {
    values.push_back(std::string(size, 'x'));
  }
  return values;
}

// Every integer at which the encoding changes, with its neighbours.
Model integer_boundaries() {
  Model values;
  for (int bits : {0, 7, 12, 13, 15, 16, 23, 24, 31, 32, 62}) {
    const std::int64_t edge = std::int64_t{1} << bits;
    for (std::int64_t value : {edge - 1, edge, edge + 1}) {
      values.push_back(std::to_string(value));
      values.push_back(std::to_string(-value));
    }
  }
  values.push_back(std::to_string(std::numeric_limits<std::int64_t>::max()));
  values.push_back(std::to_string(std::numeric_limits<std::int64_t>::min()));
  return values;
}

TEST(Listpack, EmptyHasNoBlockAndIsSevenBytes) {
  Listpack pack;
  EXPECT_TRUE(pack.empty());
  EXPECT_EQ(pack.size(), 0U);
  EXPECT_EQ(pack.allocated_bytes(), 0U);
  EXPECT_EQ(pack.raw(), std::string_view("\x07\0\0\0\0\0\xff", 7));
  EXPECT_FALSE(pack.first());
  EXPECT_FALSE(pack.last());
  EXPECT_FALSE(pack.seek(0));
  EXPECT_FALSE(pack.find("a"));
  EXPECT_EQ(pack.erase_range(0, 5), 0U);
  EXPECT_TRUE(pack.check());
}

TEST(Listpack, RoundTripsEveryEncoding) {
  for (const Model& values : {string_boundaries(), integer_boundaries()}) {
    Listpack pack = pack_of(values);
    ASSERT_TRUE(pack.check());
    EXPECT_EQ(contents(pack), values);
    EXPECT_EQ(contents_backwards(pack), values);
    for (const std::string& value : values) {
      const Cursor at = pack.find(value);
      ASSERT_TRUE(at);
      EXPECT_TRUE(pack.get(at) == value);
    }
  }
}

TEST(Listpack, IntegersTakeTheNarrowestEncoding) {
  const auto bytes_for = [](std::string_view text) { return EncodedEntry(text).entry_size(); };
  EXPECT_EQ(bytes_for("127"), 2U);
  EXPECT_EQ(bytes_for("128"), 3U);
  EXPECT_EQ(bytes_for("-1"), 3U);
  EXPECT_EQ(bytes_for("-4096"), 3U);
  EXPECT_EQ(bytes_for("4096"), 4U);
  EXPECT_EQ(bytes_for("-32769"), 5U);
  EXPECT_EQ(bytes_for("8388608"), 6U);
  EXPECT_EQ(bytes_for("-2147483649"), 10U);
}

TEST(Listpack, OnlyCanonicalDecimalsAreIntegers) {
  Listpack pack;
  for (std::string_view text : {"", "-", "-0", "00", "+1", "1 ", " 1", "0x1", "9223372036854775808",
                                "-9223372036854775809", "1e3"}) {
    EXPECT_FALSE(pack.get(pack.append(text)).is_integer()) << text;
  }
  EXPECT_TRUE(pack.get(pack.append("-9223372036854775808")).is_integer());
  EXPECT_TRUE(pack.get(pack.append(EncodedEntry::of_integer(-5))) == "-5");
}

TEST(Listpack, ElementComparesWithText) {
  Listpack pack = pack_of({"17", "abc", ""});
  const Element number = pack.get(pack.seek(0));
  EXPECT_TRUE(number == "17");
  EXPECT_FALSE(number == "017");
  EXPECT_FALSE(number == "abc");
  EXPECT_FALSE(number == "");
  EXPECT_TRUE(pack.get(pack.seek(1)) == "abc");
  EXPECT_FALSE(pack.get(pack.seek(1)) == "abcd");
  EXPECT_TRUE(pack.get(pack.seek(2)) == "");
}

TEST(Listpack, FindSkipsValuesOfPairs) {
  Listpack pack;
  pack.append_pair("a", "b");
  pack.append_pair("b", "c");
  const Cursor at = pack.find("b", pack.first(), 1);
  ASSERT_TRUE(at);
  EXPECT_TRUE(pack.get(pack.next(at)) == "c");
  EXPECT_FALSE(pack.find("c", pack.first(), 1));
  EXPECT_EQ(pack.find("c", at), pack.next(at));
}

TEST(Listpack, AppendAllEqualsSingleAppends) {
  const std::vector<std::string_view> values = {"a", "1", "", "-70000", "field"};
  Listpack pack;
  const Cursor at = pack.append_all(values);
  EXPECT_EQ(at, pack.first());
  EXPECT_EQ(pack.raw(), pack_of({"a", "1", "", "-70000", "field"}).raw());
  EXPECT_FALSE(pack.append_all({}));
}

TEST(Listpack, SmallPacksTakeNoMoreThanTheirSizeClass) {
  Listpack pack;
  for (int i = 0; i < 5; ++i) pack.append_pair("field" + std::to_string(i), "value");
  EXPECT_EQ(pack.bytes(), 7U + 5 * (8 + 7));
  EXPECT_EQ(pack.allocated_bytes(), 96U);
}

TEST(Listpack, CountsBeyondTheHeaderField) {
  Listpack pack;
  for (int i = 0; i < 65534; ++i) pack.append("1");
  EXPECT_EQ(pack.size(), 65534U);
  pack.append("2");
  EXPECT_EQ(pack.size(), 65535U);
  pack.append("3");
  EXPECT_EQ(pack.size(), 65536U);
  EXPECT_TRUE(pack.get(pack.seek(65535)) == "3");
  EXPECT_TRUE(pack.get(pack.seek(-65536)) == "1");
  EXPECT_TRUE(Listpack::from_bytes(pack.raw()).has_value());
  EXPECT_EQ(pack.erase_range(0, 3), 3U);
  EXPECT_EQ(pack.size(), 65533U);
  EXPECT_EQ(static_cast<unsigned char>(pack.raw()[4]), 0xfd);  // written back
  EXPECT_TRUE(pack.check());
}

TEST(Listpack, MovesAndChangesOwner) {
  Listpack pack = pack_of({"a", "b"});
  Listpack other = std::move(pack);
  EXPECT_TRUE(pack.empty());  // NOLINT(bugprone-use-after-move): moved-from is empty, by contract
  other = Listpack::adopt(other.release());
  EXPECT_EQ(contents(other), (Model{"a", "b"}));
  EXPECT_EQ(Listpack::copy_of(other).raw(), other.raw());
}

TEST(Listpack, ReadsWhatRedisWrote) {
  for (const RedisBlob& blob : kRedisListpacks) {
    const std::optional<Listpack> pack = Listpack::from_bytes(blob.bytes);
    ASSERT_TRUE(pack.has_value()) << blob.name;
    EXPECT_EQ(pack_of(contents(*pack)).raw(), blob.bytes) << blob.name;
  }
}

// ---- bytes from outside

TEST(ListpackFromBytes, RefusesEveryTruncationAndExtension) {
  const Listpack pack = pack_of({"a", "300", std::string(70, 'b'), std::string(5000, 'c')});
  const std::string bytes(pack.raw());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Listpack::from_bytes(std::string_view(bytes).substr(0, size)));
  }
  EXPECT_FALSE(Listpack::from_bytes(bytes + '\xff'));
}

TEST(ListpackFromBytes, NeverTrustsAFlippedByte) {
  const std::string good(pack_of({"a", "300", "-70000", std::string(70, 'b')}).raw());
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(value);
      const std::optional<Listpack> pack = Listpack::from_bytes(bytes);
      EXPECT_TRUE(!pack || pack->check());
    }
  }
}

TEST(ListpackFromBytes, EncodesAnewWhatIsNotCanonical) {
  // The string "5", and the integer 5 in 64 bits.
  const std::string_view bytes(
      "\x14\0\0\0\x02\0\x81"
      "5\x02\xf4\x05\0\0\0\0\0\0\0\x09\xff",
      20);
  const std::optional<Listpack> pack = Listpack::from_bytes(bytes);
  ASSERT_TRUE(pack.has_value());
  EXPECT_EQ(pack->raw(), pack_of({"5", "5"}).raw());
}

TEST(ListpackFromBytes, RefusesAWrongCountButNotAnUnknownOne) {
  std::string bytes(pack_of({"a", "b"}).raw());
  bytes[4] = 3;
  EXPECT_FALSE(Listpack::from_bytes(bytes));
  bytes[4] = bytes[5] = '\xff';
  const std::optional<Listpack> pack = Listpack::from_bytes(bytes);
  ASSERT_TRUE(pack.has_value());
  EXPECT_EQ(pack->raw(), pack_of({"a", "b"}).raw());
}

TEST(ListpackFromBytes, AcceptsTheEmptyPack) {
  const std::optional<Listpack> pack = Listpack::from_bytes(Listpack().raw());
  ASSERT_TRUE(pack.has_value());
  EXPECT_EQ(pack->allocated_bytes(), 0U);
}

// ---- against a model

class ListpackModel {
 public:
  explicit ListpackModel(std::uint64_t seed) : random_(seed) {}

  void step() {
    switch (below(9)) {
      case 0:
        return append();
      case 1:
        return prepend();
      case 2:
        return insert();
      case 3:
        return replace();
      case 4:
        return erase();
      case 5:
        return erase_range();
      case 6:
        return append_pair();
      case 7:
        return find();
      default:
        return seek();
    }
  }

  void compare() {
    ASSERT_TRUE(pack_.check());
    ASSERT_EQ(pack_.size(), model_.size());
    ASSERT_EQ(contents(pack_), model_);
    ASSERT_EQ(contents_backwards(pack_), model_);
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  std::string value() {
    switch (below(8)) {
      case 0:
        return std::to_string(static_cast<std::int64_t>(random_()) >> below(64));
      case 1:
        return std::string(below(5000), static_cast<char>('a' + below(3)));
      case 2:
        return std::string(60 + below(70), 'z');
      case 3:
        return std::string(below(3), static_cast<char>(below(256)));
      default:
        return std::to_string(below(200));
    }
  }

  void append() {
    if (model_.size() > 200) return;
    model_.push_back(value());
    const Cursor at = pack_.append(model_.back());
    ASSERT_EQ(at, pack_.last());
  }

  void prepend() {
    if (model_.size() > 200) return;
    model_.insert(model_.begin(), value());
    const Cursor at = pack_.prepend(model_.front());
    ASSERT_EQ(at, pack_.first());
  }

  void append_pair() {
    if (model_.size() > 200) return;
    model_.push_back(value());
    model_.push_back(value());
    pack_.append_pair(model_[model_.size() - 2], model_.back());
  }

  void insert() {
    if (model_.empty()) return;
    const std::size_t index = below(model_.size());
    const std::size_t after = below(2);
    const Cursor at = pack_.seek(static_cast<std::int64_t>(index));
    const auto place = model_.begin() + static_cast<std::ptrdiff_t>(index + after);
    const std::string& inserted = *model_.insert(place, value());
    const Cursor where =
        after == 1 ? pack_.insert_after(at, inserted) : pack_.insert_before(at, inserted);
    ASSERT_TRUE(pack_.get(where) == inserted);
  }

  void replace() {
    if (model_.empty()) return;
    const std::size_t index = below(model_.size());
    const Cursor at = pack_.seek(static_cast<std::int64_t>(index));
    model_[index] = value();
    pack_.replace(at, model_[index]);
    ASSERT_TRUE(pack_.get(at) == model_[index]);
  }

  void erase() {
    if (model_.empty()) return;
    const std::size_t index = below(model_.size());
    const std::size_t count = 1 + below(3);
    const Cursor at =
        pack_.seek(static_cast<std::int64_t>(index) - static_cast<std::int64_t>(model_.size()));
    const Cursor next = pack_.erase(at, count);
    cut(index, count);
    ASSERT_EQ(static_cast<bool>(next), index < model_.size());
    ASSERT_TRUE(!next || pack_.get(next) == model_[index]);
  }

  void erase_range() {
    if (model_.empty() || below(4) != 0) return;
    const std::size_t index = below(model_.size());
    const std::size_t count = below(model_.size() + 3);
    const std::size_t there = std::min(count, model_.size() - index);
    ASSERT_EQ(pack_.erase_range(static_cast<std::int64_t>(index), count), there);
    cut(index, count);
  }

  void find() {
    const std::string wanted = value();
    const std::size_t skip = below(3);
    std::size_t index = 0;
    while (index < model_.size() && model_[index] != wanted) index += 1 + skip;
    const Cursor at = pack_.find(wanted, pack_.first(), skip);
    ASSERT_EQ(static_cast<bool>(at), index < model_.size());
    ASSERT_TRUE(!at || at == pack_.seek(static_cast<std::int64_t>(index)));
  }

  void seek() {
    const auto size = static_cast<std::int64_t>(model_.size());
    EXPECT_FALSE(pack_.seek(size));
    EXPECT_FALSE(pack_.seek(-size - 1));
  }

  void cut(std::size_t index, std::size_t count) {
    const std::size_t end = std::min(index + count, model_.size());
    model_.erase(model_.begin() + static_cast<std::ptrdiff_t>(index),
                 model_.begin() + static_cast<std::ptrdiff_t>(end));
  }

  std::mt19937_64 random_;
  Model model_;
  Listpack pack_;
};

TEST(Listpack, BehavesLikeAVector) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ListpackModel model(seed);
    for (int step = 0; step < 500; ++step) {
      ASSERT_NO_FATAL_FAILURE(model.step());
      if (step % 8 != 0) continue;
      ASSERT_NO_FATAL_FAILURE(model.compare());
    }
    ASSERT_NO_FATAL_FAILURE(model.compare());
  }
}

TEST(BlockCapacity, FollowsTheAllocatorsClasses) {
  for (std::size_t bytes = 1; bytes < 100000; ++bytes) {
    const std::size_t capacity = block_capacity(bytes);
    ASSERT_GE(capacity, bytes);
    ASSERT_EQ(block_capacity(capacity), capacity);
    ASSERT_TRUE(bytes <= 128 ? capacity < bytes + 16 : capacity <= bytes + bytes / 4);
  }
}

}  // namespace
}  // namespace millrace::ds
