#include "server/config/output_limit.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

constexpr uint64_t kBacklogBytes = 1 << 20;

OutputBufferLimit in_force(ClientClass which, OutputBufferLimit configured) {
  Config config;
  config.repl_backlog_size_bytes = kBacklogBytes;
  config.client_output_buffer_limit[size_t(which)] = configured;
  return output_limit(config, which);
}

TEST(OutputLimit, OfReplicasIsNoLessThanTheBacklog) {
  EXPECT_EQ(in_force(ClientClass::kReplica, {1000, 500, 60}).hard_bytes, kBacklogBytes);
  EXPECT_EQ(in_force(ClientClass::kReplica, {2 * kBacklogBytes, 0, 0}).hard_bytes,
            2 * kBacklogBytes);
  EXPECT_EQ(in_force(ClientClass::kReplica, {0, 500, 60}).hard_bytes, 0u) << "there is none";
  EXPECT_EQ(in_force(ClientClass::kReplica, {1000, 500, 60}).soft_bytes, 500u);
}

TEST(OutputLimit, OfOthersIsAsConfigured) {
  for (const ClientClass which : {ClientClass::kNormal, ClientClass::kPubSub})
    EXPECT_EQ(in_force(which, {1000, 500, 60}), (OutputBufferLimit{1000, 500, 60}));
}

}  // namespace
}  // namespace millrace
