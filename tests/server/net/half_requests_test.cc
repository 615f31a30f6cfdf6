// The table of half requests against a map, with slots far apart and close together.
#include "server/net/half_requests.h"

#include <gtest/gtest.h>

#include <set>

#include "ae/base/prng.h"

namespace millrace {
namespace {

// What the parser remembers of "*2\r\n$3\r\nGE".
proto::PartialRequest half() {
  std::string bytes = "*2\r\n$3\r\nGE";
  proto::PartialRequest partial;
  proto::ArgVector args;
  const auto result = proto::parse_request({bytes.data(), bytes.size()}, partial,
                                           proto::RequestLimits::normal(1 << 20), args);
  EXPECT_EQ(result.status, proto::ParseStatus::kIncomplete);
  EXPECT_FALSE(partial.empty());
  return partial;
}

TEST(HalfRequests, KnowsWhoIsHalfway) {
  HalfRequests halves;
  std::set<uint32_t> model;
  ae::Prng random(7);
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t slot = uint32_t(random.below(random.below(2) ? 3'000 : 1'000'000));
    if (random.below(2)) {
      halves.put(slot, half());
      model.insert(slot);
    } else {
      EXPECT_EQ(!halves.take(slot).empty(), model.erase(slot) == 1) << slot;
    }
    ASSERT_EQ(halves.size(), model.size());
  }
  for (const uint32_t slot : model) halves.forget(slot);
  EXPECT_EQ(halves.size(), 0u);
}

TEST(HalfRequests, NothingIsNoHalf) {
  HalfRequests halves;
  halves.put(5, half());
  halves.put(5, {});
  EXPECT_EQ(halves.size(), 0u);
  EXPECT_TRUE(halves.take(5).empty());
}

}  // namespace
}  // namespace millrace
