// Names to addresses, off the loop: getaddrinfo(3) blocks, for seconds when a name server is
// silent, so it runs on a thread of its own and the answer is posted to the loop.
//
// One thread, one question at a time, at most kMaxWaiting questions waiting: a resolver that does
// not answer must show as an error, not as memory. Numeric hosts and Unix paths need no resolver;
// they are answered all the same, in the next tick.
//
// `done` is called exactly once on the loop's thread, unless the question was cancelled or the
// resolver destroyed. The destructor waits for the lookup under way, which nobody can interrupt.
//
//   ae::Resolver resolver(*loop);
//   resolver.resolve("localhost", 6379, [&](ae::Result<std::vector<ae::Address>> found) { ... });
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ae/base/callback.h"
#include "ae/core/event_loop.h"
#include "ae/net/address.h"

namespace ae {

class Resolver {
 public:
  // At least one address; or the error: EHOSTUNREACH for a name that does not exist, EAGAIN for a
  // failure that may pass.
  using Done = Callback<void(Result<std::vector<Address>> found)>;

  // A question takes milliseconds, or seconds when something is wrong; then more than this many in
  // a queue would be answered when nobody wants to know any more.
  static constexpr size_t kMaxWaiting = 256;

  explicit Resolver(EventLoop& loop);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // The number of the question, for cancel(). ENOBUFS when kMaxWaiting wait already.
  Result<uint64_t> resolve(std::string host, uint16_t port, Done done);
  // False when it was answered already.
  bool cancel(uint64_t question);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // with answers that are under way in the loop's mailbox
};

}  // namespace ae
