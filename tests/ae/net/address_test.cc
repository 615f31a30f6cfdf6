#include "ae/net/address.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "ae/core/os.h"

namespace ae {
namespace {

std::string round_trip(std::string_view host, uint16_t port) {
  const Result<Address> address = Address::parse(host, port);
  if (!address) return "error " + std::to_string(address.error().code);
  const Result<Address> copy = Address::from_sockaddr(address->data(), address->length());
  EXPECT_TRUE(copy.has_value() && *copy == *address);
  return address->to_string();
}

const std::string kInvalid = "error " + std::to_string(EINVAL);

TEST(Address, PrintsAsRedisDoes) {
  EXPECT_EQ(round_trip("127.0.0.1", 6379), "127.0.0.1:6379");
  EXPECT_EQ(round_trip("::1", 6379), "[::1]:6379");
  EXPECT_EQ(round_trip("[2001:DB8:0:0::5]", 65535), "[2001:db8::5]:65535");
  EXPECT_EQ(round_trip("/tmp/redis.sock", 6379), "/tmp/redis.sock:0");
  EXPECT_EQ(round_trip("./here", 1), "./here:0");
  EXPECT_EQ(round_trip("@abstract name", 1), "@abstract name:0");
  EXPECT_EQ(round_trip("*", 80), "0.0.0.0:80");
  EXPECT_EQ(round_trip("::*", 80), "[::]:80");
  EXPECT_EQ(round_trip("::ffff:10.0.0.1", 80), "[::ffff:10.0.0.1]:80");
}

TEST(Address, RefusesWhatIsNoAddress) {
  for (const char* host : {"", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", ":::", "[::1", "[]",
                           "fe80::1%no-such-interface", "127.0.0.1 ", " ::1"}) {
    EXPECT_EQ(round_trip(host, 1), kInvalid) << '"' << host << '"';
  }
  EXPECT_EQ(round_trip(std::string(10000, '1'), 1), kInvalid);
}

TEST(Address, PathsAreBounded) {
  const std::string too_long = "error " + std::to_string(ENAMETOOLONG);
  EXPECT_EQ(round_trip("/" + std::string(106, 'x'), 0), "/" + std::string(106, 'x') + ":0");
  EXPECT_EQ(round_trip("/" + std::string(107, 'x'), 0), too_long);
  EXPECT_EQ(round_trip("@" + std::string(107, 'x'), 0), "@" + std::string(107, 'x') + ":0");
  EXPECT_EQ(round_trip("@" + std::string(108, 'x'), 0), too_long);
}

TEST(Address, ScopesNameInterfaces) {
  const Result<Address> address = Address::parse("fe80::1%lo", 1);
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(reinterpret_cast<const sockaddr_in6*>(address->data())->sin6_scope_id, 1u);
}

TEST(Address, KnowsLoopback) {
  EXPECT_TRUE(Address::loopback(1).is_loopback());
  EXPECT_TRUE(Address::loopback6(1).is_loopback());
  EXPECT_TRUE(Address::parse("127.255.0.1", 1)->is_loopback());
  EXPECT_TRUE(Address::parse("::ffff:127.0.0.1", 1)->is_loopback());
  EXPECT_TRUE(Address::parse("/tmp/x", 1)->is_loopback()) << "a Unix peer is on this machine";
  EXPECT_FALSE(Address::parse("10.0.0.1", 1)->is_loopback());
  EXPECT_FALSE(Address::parse("2001:db8::1", 1)->is_loopback());
}

TEST(Address, PortCanBeChanged) {
  EXPECT_EQ(Address::loopback(1).with_port(2).to_string(), "127.0.0.1:2");
  EXPECT_EQ(Address::loopback6(1).with_port(2).port(), 2);
}

TEST(Address, TheKernelTakesThemAndGivesThemBack) {
  Os& os = real_os();
  for (const char* host : {"127.0.0.1", "::1", "@ae-address-test"}) {
    const Address address = Address::parse(host, 0).value();
    const Result<int> fd = os.socket(address.family(), SOCK_STREAM, 0);
    if (!fd) continue;  // a machine without IPv6
    if (os.bind(*fd, address)) {
      EXPECT_EQ(os.local_address(*fd)->host(), host);
    }
    os.close(*fd);
  }
}

TEST(Address, AnUnnamedPeerHasNoHost) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Result<Address> peer = real_os().peer_address(ends[0]);
  ASSERT_TRUE(peer.has_value());
  EXPECT_EQ(peer->host(), "");
  for (int fd : ends) real_os().close(fd);
}

}  // namespace
}  // namespace ae
