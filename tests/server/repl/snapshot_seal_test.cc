#include "server/repl/snapshot_seal.h"

#include <gtest/gtest.h>

#include "server/ds/crc64.h"

namespace millrace {
namespace {

std::string sealed(std::string body) {
  const uint64_t crc = ds::crc64(0, body);
  body.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  return body;
}

std::optional<std::string> judge(std::string_view bytes, size_t piece) {
  SnapshotSeal seal;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    seal.add(bytes.substr(0, piece));
  return seal.problem();
}

TEST(SnapshotSeal, HoldsHoweverItIsCut) {
  const std::string whole = sealed("REDIS0011 and some forty bytes of something \xff");
  for (size_t piece = 1; piece <= whole.size(); ++piece) {
    ASSERT_FALSE(judge(whole, piece)) << *judge(whole, piece);
    ASSERT_TRUE(judge(whole.substr(0, whole.size() - 1), piece));
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string bent = whole;
    bent[i] = char(bent[i] ^ 1);
    ASSERT_TRUE(judge(bent, 7)) << i;
  }
}

TEST(SnapshotSeal, NotTakenIsZero) {
  EXPECT_FALSE(judge("REDIS0011\xff" + std::string(8, '\0'), 3));
}

TEST(SnapshotSeal, RefusesWhatIsNoSnapshot) {
  EXPECT_TRUE(judge("", 1));
  EXPECT_TRUE(judge("hello", 2));
  EXPECT_TRUE(judge("REDIS0011", 100));
  EXPECT_TRUE(judge(sealed("RUBIES 0011 and more"), 100));
}

}  // namespace
}  // namespace millrace
