// The commands of one tick, parsed but not run: all of them, of all connections, in order of
// arrival.
//
// Why a batch: the cost of a command on a large keyspace is the cache miss, not the work. With the
// whole batch known, the bucket of a later command is fetched while an earlier one runs
// (executor.h).
//
// Arguments are views into bytes that stay where they are until the batch has run: the connection
// table's input scratch, which is held, or a copy that travels with the batch (net/io_batch.h).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "proto/request_parser.h"
#include "server/command/session.h"

namespace millrace {

class Keyspace;

struct Request {
  SessionId session;
  const Command* command = nullptr;    // null: no command has this name
  uint64_t key_hash = 0;               // of the first key; 0: it has none
  uint64_t member_hash = 0;            // once it is known, of the member inside a collection
  const Keyspace* keyspace = nullptr;  // where the first key will be looked up: a hint to prefetch
  uint32_t first_arg = 0;              // position in RequestBatch::args
  uint32_t arg_count = 0;
};

// What can be known of a request before it runs, on any thread: its command, the hash of its first
// key.
void resolve(Request& request, std::span<const std::string_view> args,
             const CommandTable& commands);

class RequestBatch {
 public:
  // Bounds a tick's work between two flushes. At 4096 the records and views of a batch stay within
  // the second-level cache, and no client waits for more than a few milliseconds of others' work.
  static constexpr size_t kMaxRequests = 4096;
  // What the next batch finds ready: a megabyte of views. A request of a million arguments must not
  // hold their memory when it is gone.
  static constexpr size_t kMostKeptArgs = size_t{1} << 16;

  bool empty() const { return requests_.empty(); }
  bool full() const { return requests_.size() >= kMaxRequests; }
  size_t size() const { return requests_.size(); }

  proto::ArgVector& args() { return args_; }
  // A new request at the end, to be filled in place: one filled elsewhere and copied in stalls on
  // its own narrow stores.
  Request& add() { return requests_.emplace_back(); }
  Request& request(size_t position) { return requests_[position]; }
  std::span<const Request> requests() const { return requests_; }
  std::span<const std::string_view> args_of(const Request& request) const {
    return {args_.data() + request.first_arg, request.arg_count};
  }
  size_t memory_bytes() const {
    return requests_.capacity() * sizeof(Request) + args_.capacity() * sizeof(args_[0]);
  }
  void clear() {
    requests_.clear();
    args_.clear();
    if (args_.capacity() > kMostKeptArgs) args_ = proto::ArgVector();
  }

 private:
  std::vector<Request> requests_;
  proto::ArgVector args_;
};

}  // namespace millrace
