#include "ae/net/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace ae {
namespace {

// Longest text inet_pton can take, scope excluded; longer input is not an address.
constexpr size_t kMaxNumericHost = INET6_ADDRSTRLEN;
// Where the path begins in a sockaddr_un; an unnamed socket has this length.
constexpr socklen_t kUnixHeader = offsetof(sockaddr_un, sun_path);

bool to_number(int family, std::string_view text, void* out) {
  char terminated[kMaxNumericHost] = {};
  if (text.size() >= sizeof(terminated)) return false;
  std::memcpy(terminated, text.data(), text.size());
  return ::inet_pton(family, terminated, out) == 1;
}

// The interface's number; 0 where there is no such interface.
uint32_t scope_number(std::string_view interface) {
  return ::if_nametoindex(std::string(interface).c_str());
}

}  // namespace

Result<Address> Address::parse(std::string_view host, uint16_t port) {
  if (host.empty()) return fail(EINVAL, "parse address");
  if (host.front() == '@') {
    if (host.size() > sizeof(sockaddr_un::sun_path)) return fail(ENAMETOOLONG, "parse address");
    return from_abstract_name(host.substr(1));
  }
  if (host.find('/') != host.npos) return from_path(host);
  if (host == "*") host = "0.0.0.0";
  if (host == "::*") host = "::";
  Address address;
  if (!to_number(AF_INET, host, &address.storage_.ipv4.sin_addr)) return parse_ipv6(host, port);
  address.storage_.ipv4.sin_family = AF_INET;
  address.storage_.ipv4.sin_port = htons(port);
  address.length_ = sizeof(sockaddr_in);
  return address;
}

Result<Address> Address::parse_ipv6(std::string_view host, uint16_t port) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const size_t percent = host.find('%');
  Address address;
  sockaddr_in6& ipv6 = address.storage_.ipv6;
  if (!to_number(AF_INET6, host.substr(0, percent), &ipv6.sin6_addr)) {
    return fail(EINVAL, "parse address");
  }
  if (percent != host.npos) {
    ipv6.sin6_scope_id = scope_number(host.substr(percent + 1));
    if (ipv6.sin6_scope_id == 0) return fail(EINVAL, "parse address");
  }
  ipv6.sin6_family = AF_INET6;
  ipv6.sin6_port = htons(port);
  address.length_ = sizeof(sockaddr_in6);
  return address;
}

Result<Address> Address::from_path(std::string_view path) {
  Address address;
  sockaddr_un& local = address.storage_.local;
  if (path.size() >= sizeof(local.sun_path)) return fail(ENAMETOOLONG, "parse address");
  local.sun_family = AF_UNIX;
  std::memcpy(local.sun_path, path.data(), path.size());
  address.length_ = static_cast<socklen_t>(kUnixHeader + path.size() + 1);
  return address;
}

// In the abstract namespace the name begins with a zero byte and ends with the length, not with
// one.
Address Address::from_abstract_name(std::string_view name) {
  Address address;
  address.storage_.local.sun_family = AF_UNIX;
  std::memcpy(address.storage_.local.sun_path + 1, name.data(), name.size());
  address.length_ = static_cast<socklen_t>(kUnixHeader + 1 + name.size());
  return address;
}

Result<Address> Address::from_sockaddr(const sockaddr* address, socklen_t length) {
  const bool known = address->sa_family == AF_INET || address->sa_family == AF_INET6 ||
                     address->sa_family == AF_UNIX;
  if (!known || length > sizeof(Storage)) return fail(EAFNOSUPPORT, "read address");
  Address result;
  std::memcpy(&result.storage_, address, length);
  result.length_ = length;
  return result;
}

Address Address::loopback(uint16_t port) {
  Address address;
  address.storage_.ipv4.sin_family = AF_INET;
  address.storage_.ipv4.sin_port = htons(port);
  address.storage_.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.length_ = sizeof(sockaddr_in);
  return address;
}

Address Address::loopback6(uint16_t port) {
  Address address;
  address.storage_.ipv6.sin6_family = AF_INET6;
  address.storage_.ipv6.sin6_port = htons(port);
  address.storage_.ipv6.sin6_addr = in6addr_loopback;
  address.length_ = sizeof(sockaddr_in6);
  return address;
}

bool Address::is_loopback() const {
  if (family() == AF_INET) return ntohl(storage_.ipv4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  if (family() != AF_INET6) return is_unix();
  const in6_addr& ip = storage_.ipv6.sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&ip)) return ip.s6_addr[12] == IN_LOOPBACKNET;
  return IN6_IS_ADDR_LOOPBACK(&ip);
}

uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(storage_.ipv4.sin_port);
  if (family() == AF_INET6) return ntohs(storage_.ipv6.sin6_port);
  return 0;
}

Address Address::with_port(uint16_t port) const {
  Address changed = *this;
  if (family() == AF_INET) changed.storage_.ipv4.sin_port = htons(port);
  if (family() == AF_INET6) changed.storage_.ipv6.sin6_port = htons(port);
  return changed;
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (family() == AF_INET) return ::inet_ntop(AF_INET, &storage_.ipv4.sin_addr, text, sizeof(text));
  if (family() == AF_INET6) {
    return ::inet_ntop(AF_INET6, &storage_.ipv6.sin6_addr, text, sizeof(text));
  }
  if (!is_unix() || length_ <= kUnixHeader) return {};
  const char* path = storage_.local.sun_path;
  const size_t room = length_ - kUnixHeader;
  if (path[0] == '\0') return '@' + std::string(path + 1, room - 1);
  return std::string(path, ::strnlen(path, room));
}

std::string Address::to_string() const {
  std::string text = host();
  if (family() == AF_INET6) text = '[' + text + ']';
  return text + ':' + std::to_string(port());
}

bool operator==(const Address& a, const Address& b) {
  return a.length_ == b.length_ && std::memcmp(&a.storage_, &b.storage_, a.length_) == 0;
}

}  // namespace ae
