#include "server/process/kernel_checks.h"

#include <gtest/gtest.h>

#include "tests/server/config/temporary_directory.h"

namespace millrace {
namespace {

TEST(KernelChecks, GoodMachineGivesNoWarning) {
  TemporaryDirectory root;
  root.write("proc/sys/net/core/somaxconn", "4096\n");
  root.write("proc/sys/vm/overcommit_memory", "1\n");
  root.write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  Config config;
  config.disable_thp = false;
  EXPECT_TRUE(kernel_warnings(config, root.path() + "/").empty());
}

TEST(KernelChecks, EachBadSettingIsNamed) {
  TemporaryDirectory root;
  root.write("proc/sys/net/core/somaxconn", "128\n");
  root.write("proc/sys/vm/overcommit_memory", "2\n");
  root.write("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
  Config config;
  config.disable_thp = false;
  const std::vector<std::string> warnings = kernel_warnings(config, root.path() + "/");
  ASSERT_EQ(warnings.size(), 3u);
  EXPECT_EQ(
      warnings[0],
      "WARNING: The TCP backlog setting of 511 cannot be enforced because "
      "/proc/sys/net/core/somaxconn is set to the lower value of 128. To raise it run 'sysctl "
      "net.core.somaxconn=511' and add 'net.core.somaxconn = 511' to /etc/sysctl.conf.");
  EXPECT_NE(warnings[1].find("overcommit_memory is 2"), std::string::npos);
  EXPECT_NE(warnings[2].find("disable-thp"), std::string::npos);
  config.disable_thp = true;
  EXPECT_EQ(kernel_warnings(config, root.path() + "/").size(), 2u);
}

TEST(KernelChecks, SynBacklogCountsOnlyWithoutCookies) {
  TemporaryDirectory root;
  root.write("proc/sys/net/ipv4/tcp_max_syn_backlog", "512\n");
  root.write("proc/sys/net/ipv4/tcp_syncookies", "1\n");
  Config config;
  EXPECT_TRUE(kernel_warnings(config, root.path() + "/").empty());
  root.write("proc/sys/net/ipv4/tcp_syncookies", "0\n");
  const std::vector<std::string> warnings = kernel_warnings(config, root.path() + "/");
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("tcp_max_syn_backlog=682"), std::string::npos) << warnings[0];
  root.write("proc/sys/net/ipv4/tcp_max_syn_backlog", "682\n");
  EXPECT_TRUE(kernel_warnings(config, root.path() + "/").empty());
}

TEST(KernelChecks, MoreClientsThanUsualNeedABacklogForTheirReturn) {
  TemporaryDirectory root;
  root.write("proc/sys/net/core/somaxconn", "4096\n");
  Config config;
  config.maxclients = 20'000;
  std::vector<std::string> warnings = kernel_warnings(config, root.path() + "/");
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("find room for 511 in the backlog"), std::string::npos);
  EXPECT_TRUE(warnings[0].ends_with("set 'tcp-backlog 4096'.")) << warnings[0];
  config.tcp_backlog = 4096;
  EXPECT_TRUE(kernel_warnings(config, root.path() + "/").empty());
  root.write("proc/sys/net/core/somaxconn", "1000\n");
  warnings = kernel_warnings(config, root.path() + "/");
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[1].find("room for 1000"), std::string::npos);
  EXPECT_NE(warnings[1].find("(it is 1000)"), std::string::npos);
  config.port = 0;
  EXPECT_EQ(kernel_warnings(config, root.path() + "/").size(), 1u);
}

TEST(KernelChecks, KeepaliveOfVeryManyIsABurst) {
  Config config;
  config.port = 0;
  const auto warns = [&](uint32_t clients, int seconds) {
    config.maxclients = clients;
    config.tcp_keepalive_s = seconds;
    return !kernel_warnings(config, "/nowhere/").empty();
  };
  EXPECT_FALSE(warns(10'000, 1));
  EXPECT_TRUE(warns(100'000, 45));
  EXPECT_FALSE(warns(100'000, 300));
  EXPECT_TRUE(warns(1'000'000, 300));
  EXPECT_FALSE(warns(1'000'000, 1000));
  EXPECT_FALSE(warns(1'000'000, 0));
}

TEST(KernelChecks, HiddenFilesGiveNoWarning) {
  EXPECT_TRUE(kernel_warnings(Config(), "/nowhere/").empty());
}

}  // namespace
}  // namespace millrace
