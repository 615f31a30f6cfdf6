// Where a socket is or goes: IPv4, IPv6, a Unix path, or an abstract Unix name.
//
//   auto address = ae::Address::parse("::1", 6379);          // Result<Address>
//   os.bind(fd, *address);
//   address->to_string();                                    // "[::1]:6379"
//
// A value of fixed size that owns nothing: copy it, compare it, keep it. Names are not resolved
// here; that blocks, and is the resolver's.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "ae/base/result.h"

namespace ae {

class Address {
 public:
  // Unspecified: AF_UNSPEC, length 0.
  Address() = default;

  // `host`: "127.0.0.1"; "::1", also with a scope ("fe80::1%eth0") and in brackets; "*" and "::*"
  // for every interface, IPv4 and IPv6 (the words of Redis' `bind`); "@name" for the abstract
  // namespace; anything with a '/' is a path. The port is ignored for the last two. EINVAL for
  // other words, ENAMETOOLONG for a path beyond 107 bytes.
  static Result<Address> parse(std::string_view host, uint16_t port);
  // From what the kernel filled in; EAFNOSUPPORT for families other than the above.
  static Result<Address> from_sockaddr(const sockaddr* address, socklen_t length);
  static Address loopback(uint16_t port);   // 127.0.0.1
  static Address loopback6(uint16_t port);  // ::1

  sa_family_t family() const { return storage_.generic.sa_family; }
  bool is_ip() const { return family() == AF_INET || family() == AF_INET6; }
  bool is_unix() const { return family() == AF_UNIX; }
  bool is_loopback() const;

  // 0 for Unix.
  uint16_t port() const;
  Address with_port(uint16_t port) const;
  // "127.0.0.1", "::1", "/tmp/sock", "@name", "" where there is none (an unnamed Unix peer).
  std::string host() const;
  // As Redis prints it in CLIENT LIST: "127.0.0.1:6379", "[::1]:6379", "/tmp/sock:0".
  std::string to_string() const;

  const sockaddr* data() const { return &storage_.generic; }
  socklen_t length() const { return length_; }

  friend bool operator==(const Address& a, const Address& b);

 private:
  // sockaddr_storage would be 128 bytes, and none of ours is longer than sockaddr_un.
  // The largest comes first: {} makes all of a union's first member zero, and no more.
  union Storage {
    sockaddr_un local;
    sockaddr generic;
    sockaddr_in ipv4;
    sockaddr_in6 ipv6;
  };

  static Result<Address> parse_ipv6(std::string_view host, uint16_t port);
  static Result<Address> from_path(std::string_view path);
  static Address from_abstract_name(std::string_view name);

  Storage storage_{};
  socklen_t length_ = 0;
};

}  // namespace ae
