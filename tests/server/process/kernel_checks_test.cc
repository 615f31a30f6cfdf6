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
  EXPECT_EQ(warnings[0],
            "WARNING: The TCP backlog setting of 511 cannot be enforced because "
            "/proc/sys/net/core/somaxconn is set to the lower value of 128.");
  EXPECT_NE(warnings[1].find("overcommit_memory is 2"), std::string::npos);
  EXPECT_NE(warnings[2].find("disable-thp"), std::string::npos);
  config.disable_thp = true;
  EXPECT_EQ(kernel_warnings(config, root.path() + "/").size(), 2u);
}

TEST(KernelChecks, HiddenFilesGiveNoWarning) {
  EXPECT_TRUE(kernel_warnings(Config(), "/nowhere/").empty());
}

}  // namespace
}  // namespace millrace
