#include "server/process/descriptor_limit.h"

#include <gtest/gtest.h>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <algorithm>

namespace millrace {
namespace {

// A machine: setrlimit(2)'s rules over three numbers.
class Machine final : public DescriptorLimit {
 public:
  enum class Privilege { kNone, kRoot };
  Machine(Values values, uint64_t highest, Privilege privilege)
      : values_(values), highest_(highest), privilege_(privilege) {}

  ae::Result<Values> get() const override { return values_; }
  ae::Status set(Values values) override {
    if (values.soft > values.hard) return ae::fail(EINVAL, "setrlimit");
    if (values.hard > highest_) return ae::fail(EPERM, "setrlimit");
    if (values.hard > values_.hard && privilege_ == Privilege::kNone) {
      return ae::fail(EPERM, "setrlimit");
    }
    values_ = values;
    return {};
  }
  uint64_t highest_possible() const override { return highest_; }

 private:
  Values values_;
  uint64_t highest_;
  Privilege privilege_;
};

constexpr auto kNone = Machine::Privilege::kNone;
constexpr auto kRoot = Machine::Privilege::kRoot;
constexpr uint64_t kUsual = 1048576;

TEST(DescriptorLimit, EnoughIsLeftAlone) {
  Machine machine({20'000, 20'000}, kUsual, kNone);
  const DescriptorGrant grant = reserve_descriptors(machine, 10'000);
  EXPECT_EQ(grant.maxclients, 10'000u);
  EXPECT_EQ(machine.get()->soft, 20'000u);
  EXPECT_TRUE(describe(grant, 10'000).empty());
}

TEST(DescriptorLimit, SoftLimitIsRaisedToWhatIsNeeded) {
  Machine machine({1024, 524'288}, kUsual, kNone);
  const DescriptorGrant grant = reserve_descriptors(machine, 10'000);
  EXPECT_EQ(grant.maxclients, 10'000u);
  EXPECT_EQ(machine.get()->soft, 10'032u);
  EXPECT_EQ(machine.get()->hard, 524'288u);
  EXPECT_EQ(describe(grant, 10'000),
            std::vector<std::string>{"Increased maximum number of open files to 10032 (it was "
                                     "originally set to 1024)."});
}

TEST(DescriptorLimit, RootRaisesTheHardLimitToo) {
  Machine machine({1024, 4096}, kUsual, kRoot);
  EXPECT_EQ(reserve_descriptors(machine, 1'000'000).maxclients, 1'000'000u);
  EXPECT_EQ(machine.get()->soft, 1'000'032u);
}

TEST(DescriptorLimit, NobodyPassesNrOpen) {
  Machine machine({1024, 4096}, kUsual, kRoot);
  const DescriptorGrant grant = reserve_descriptors(machine, 2'000'000);
  EXPECT_EQ(grant.maxclients, kUsual - 32);
  EXPECT_EQ(grant.error, EPERM);
}

TEST(DescriptorLimit, MaxclientsIsLoweredWithTheNumbers) {
  Machine machine({1024, 4096}, kUsual, kNone);
  const DescriptorGrant grant = reserve_descriptors(machine, 10'000);
  EXPECT_EQ(grant.maxclients, 4064u);
  EXPECT_EQ(machine.get()->soft, 4096u);
  EXPECT_EQ(describe(grant, 10'000),
            (std::vector<std::string>{
                "You requested maxclients of 10000 requiring at least 10032 max file descriptors.",
                "Server can't set maximum open files to 10032 because of OS error: Operation not "
                "permitted.",
                "Current maximum open files is 4096. maxclients has been reduced to 4064 to "
                "compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'."}));
}

TEST(DescriptorLimit, TooFewToServeAnybody) {
  Machine machine({32, 32}, kUsual, kNone);
  const DescriptorGrant grant = reserve_descriptors(machine, 10'000);
  EXPECT_EQ(grant.maxclients, 0u);
  EXPECT_EQ(describe(grant, 10'000).back(),
            "Your current 'ulimit -n' of 32 is not enough for the server to start. Please increase "
            "your open file limit to at least 10032. Exiting.");
  Machine one({33, 33}, kUsual, kNone);
  EXPECT_EQ(reserve_descriptors(one, 10'000).maxclients, 1u);
}

TEST(DescriptorLimit, TheAdminLaneHasDescriptorsOfItsOwn) {
  Config config;
  EXPECT_EQ(admin_descriptors(config), 0u);
  config.admin_port = 6380;
  const uint64_t admin = admin_descriptors(config);
  EXPECT_EQ(admin, kMaxAdminClients + 4u);  // two addresses, a unix socket, one to refuse with
  Machine machine({200, 200}, kUsual, kNone);
  const DescriptorGrant grant = reserve_descriptors(machine, 5000, kReservedDescriptors + admin);
  EXPECT_EQ(grant.maxclients, 200 - 32 - admin);
  EXPECT_NE(describe(grant, 5000)[0].find("at least 5052 max file descriptors"), std::string::npos);
}

// Whatever the machine: no more clients than descriptors, and the limit never sinks.
TEST(DescriptorLimit, EveryMachine) {
  for (const uint64_t soft : {0u, 31u, 32u, 33u, 1000u, 100'000u}) {
    for (const uint64_t hard : {0u, 33u, 1000u, 100'000u}) {
      for (const uint32_t wanted : {1u, 100u, 10'000u, 4'294'967'295u}) {
        for (const auto privilege : {kNone, kRoot}) {
          Machine machine({soft, std::max(soft, hard)}, kUsual, privilege);
          const DescriptorGrant grant = reserve_descriptors(machine, wanted);
          EXPECT_GE(machine.get()->soft, soft);
          EXPECT_EQ(machine.get()->soft, grant.descriptors);
          EXPECT_LE(grant.maxclients, wanted);
          EXPECT_TRUE(grant.maxclients == 0 || grant.maxclients + 32u <= machine.get()->soft);
        }
      }
    }
  }
}

// FDSize of /proc/self/status is the size of the kernel's table.
TEST(DescriptorLimit, TheTableIsWideBeforeClientsComeAndNothingStaysOpen) {
  const auto table_size = [] {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
      uint64_t size = 0;
      if (word == "FDSize:" && status >> size) return size;
    }
    return uint64_t{0};
  };
  const auto open_ones = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto open_before = open_ones();
  const uint64_t wanted = std::min<uint64_t>(SystemDescriptorLimit().get()->soft, 4000);
  widen_descriptor_table(wanted);
  EXPECT_GE(table_size(), wanted);
  EXPECT_EQ(open_ones(), open_before);
}

TEST(DescriptorLimit, IoThreadsTakeTheirOwn) {
  Config config;
  EXPECT_EQ(io_thread_descriptors(config), 0u);
  config.io_threads = 5;
  EXPECT_EQ(io_thread_descriptors(config), 12u);
  config.bind = {"127.0.0.1", "::1"};
  config.io_threads_accept = AcceptPlacement::kReusePort;
  EXPECT_EQ(io_thread_descriptors(config), 20u);
}

}  // namespace
}  // namespace millrace
