#include "server/persist/old_encodings.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace millrace {
namespace {

std::vector<std::string> elements(const std::optional<ds::Listpack>& pack) {
  if (!pack) return {"(none)"};
  std::vector<std::string> texts;
  pack->for_each([&](const ds::Element& element) {
    ds::Element::TextBuffer buffer;
    texts.emplace_back(element.text(buffer));
  });
  return texts;
}

// Puts entries (encoding and payload) together as a ziplist.
std::string ziplist(const std::vector<std::string>& entries) {
  std::string body;
  size_t last = 0;
  size_t last_length = 0;
  for (const std::string& entry : entries) {
    std::string previous(1, static_cast<char>(last_length));
    if (last_length >= 254) {
      const auto length = static_cast<uint32_t>(last_length);
      previous = '\xfe' + std::string(reinterpret_cast<const char*>(&length), 4);
    }
    last = body.size();
    body += previous + entry;
    last_length = previous.size() + entry.size();
  }
  const uint32_t total = static_cast<uint32_t>(10 + body.size() + 1);
  const uint32_t tail = static_cast<uint32_t>(10 + last);
  const auto count = static_cast<uint16_t>(entries.size());
  std::string head(10, '\0');
  std::memcpy(head.data(), &total, 4);
  std::memcpy(head.data() + 4, &tail, 4);
  std::memcpy(head.data() + 8, &count, 2);
  return head + body + '\xff';
}

const std::vector<std::string> kEntries = {
    std::string("\x03") + "abc",
    std::string("\x40\x64", 2) + std::string(100, 'x'),
    std::string("\x80\x00\x00\x01\x2c", 5) + std::string(300, 'y'),
    std::string("\xf1"),
    std::string("\xfd"),
    std::string("\xfe\x80", 2),
    std::string("\xc0\x00\x80", 3),
    std::string("\xf0\xff\xff\xff", 4),
    std::string("\xd0\x00\x00\x00\x80", 5),
    std::string("\xe0\x00\x00\x00\x00\x00\x00\x00\x80", 9),
};

TEST(OldEncodings, AZiplistsEntriesOfEveryKind) {
  EXPECT_EQ(
      elements(listpack_from_ziplist(ziplist(kEntries))),
      (std::vector<std::string>{"abc", std::string(100, 'x'), std::string(300, 'y'), "0", "12",
                                "-128", "-32768", "-1", "-2147483648", "-9223372036854775808"}));
  EXPECT_EQ(elements(listpack_from_ziplist(ziplist({}))), std::vector<std::string>{});
}

TEST(OldEncodings, ASpoiltZiplistIsNone) {
  const std::string good = ziplist(kEntries);
  for (size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(listpack_from_ziplist(good.substr(0, cut))) << cut;
  }
  EXPECT_FALSE(listpack_from_ziplist(good + "x"));
  for (const size_t at : {0, 4, 8, 10, 15}) {  // total, tail, count, a length before
    std::string spoilt = good;
    spoilt[at] = static_cast<char>(spoilt[at] + 1);
    EXPECT_FALSE(listpack_from_ziplist(spoilt)) << at;
  }
  EXPECT_FALSE(listpack_from_ziplist(ziplist({"\xc1"}))) << "no encoding";
}

TEST(OldEncodings, AZipmapsPairs) {
  const std::string good = std::string(
      "\x02\x03key\x05\x02value..\x01"
      "1\x01\x00"
      "7\xff",
      20);
  EXPECT_EQ(elements(listpack_from_zipmap(good)),
            (std::vector<std::string>{"key", "value", "1", "7"}));
  std::string many = good;
  many[0] = '\xfe';  // more than a byte can count
  EXPECT_TRUE(listpack_from_zipmap(many));
  many[0] = '\x03';
  EXPECT_FALSE(listpack_from_zipmap(many));
  for (size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(listpack_from_zipmap(good.substr(0, cut))) << cut;
  }
  EXPECT_FALSE(listpack_from_zipmap(good + "\xff"));
}

TEST(OldEncodings, AZipmapsLengthsAreAsShortAsCanBe) {
  const auto map = [](const std::string& length_of_value, const std::string& value) {
    return listpack_from_zipmap("\x01\x01k" + length_of_value + std::string(1, '\0') + value +
                                "\xff");
  };
  EXPECT_TRUE(map(std::string("\xfe\xfe\0\0\0", 5), std::string(254, 'v')));
  EXPECT_FALSE(map(std::string("\xfe\xfd\0\0\0", 5), std::string(253, 'v')));
  EXPECT_TRUE(map("\xfd", std::string(253, 'v')));
}

}  // namespace
}  // namespace millrace
