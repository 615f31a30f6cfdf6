#include "server/observe/kernel_sockets.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(KernelSocketsTest, TheLineOfTcpAndNoOther) {
  const auto sockets = parse_sockstat(
      "sockets: used 291\n"
      "TCP: inuse 4 orphan 0 tw 2 alloc 18009 mem 730\n"
      "UDP: inuse 1 mem 5\n"
      "FRAG: inuse 0 memory 0\n",
      4096);
  ASSERT_TRUE(sockets);
  EXPECT_EQ(sockets->allocated, 18009u);
  EXPECT_EQ(sockets->buffer_bytes, 730u * 4096);
}

TEST(KernelSocketsTest, WhatIsNotUnderstoodIsNothing) {
  for (const char* text :
       {"", "UDP: inuse 1 mem 5\n", "TCP: inuse 4 orphan 0\nUDP: alloc 1 mem 5\n",
        "TCP: inuse 4 alloc x mem 730\n", "TCP: inuse 4 alloc -1 mem 730\n"})
    EXPECT_FALSE(parse_sockstat(text, 4096)) << text;
}

TEST(KernelSocketsTest, ThisMachineHasOne) {
  const auto sockets = read_kernel_sockets();
  ASSERT_TRUE(sockets);
  EXPECT_LT(sockets->buffer_bytes, size_t{1} << 50);
}

}  // namespace
}  // namespace millrace
