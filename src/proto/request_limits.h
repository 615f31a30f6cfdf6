// How much a client may ask the request parser to hold. Every length a client announces is compared
// with one of these before a byte is set aside for it.
//
// The numbers are Redis 7.2's. Before it has authenticated, a client can make the server keep at
// most ten arguments of 16 KiB, because until then anybody on the network can be the client.
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>

namespace proto {

// An argument count beyond this is malformed, whoever sends it.
constexpr int64_t kMaxArgs = INT_MAX;

// The default of the config entry proto-max-bulk-len.
constexpr int64_t kDefaultMaxBulkBytes = 512 * 1024 * 1024;

// A line (an inline request, a count, a length) whose end has not come by then is refused.
constexpr size_t kMaxLineBytes = 64 * 1024;

constexpr int64_t kMaxArgsBeforeAuth = 10;
constexpr int64_t kMaxBulkBytesBeforeAuth = 16 * 1024;

struct RequestLimits {
  int64_t max_args;
  int64_t max_bulk_bytes;
  size_t max_inline_bytes;  // also the longest count line and the longest length line
  // Beyond this a length is called "invalid"; between max_bulk_bytes and this, "unauthenticated".
  int64_t valid_bulk_bytes;

  static constexpr RequestLimits normal(int64_t proto_max_bulk_len = kDefaultMaxBulkBytes) {
    return {kMaxArgs, proto_max_bulk_len, kMaxLineBytes, proto_max_bulk_len};
  }
  static constexpr RequestLimits before_auth(int64_t proto_max_bulk_len = kDefaultMaxBulkBytes) {
    return {kMaxArgsBeforeAuth, kMaxBulkBytesBeforeAuth, kMaxLineBytes, proto_max_bulk_len};
  }
};

}  // namespace proto
