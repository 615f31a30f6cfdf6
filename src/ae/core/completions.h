// Sockets by completion instead of readiness: "here are bytes that arrived", not "go and read".
//
// Only the io_uring poller has this face. It pays at pipeline 1, where two system calls a request
// are four fifths of the cost: one io_uring_enter submits every send of the last tick and fetches
// every receive of the next. Readiness and completion do not mix on one descriptor for reading: a
// connection either registers with the loop or starts a receive here.
//
// Receives are multishot into a ring of provided buffers that the kernel picks from; an idle
// connection owns no buffer. Sends are made with MSG_DONTWAIT, hence complete during the next
// wait(): the bytes must stay where they are until on_sent, which comes before any on_received of
// that wait. A send that would block completes with kWouldBlock; its owner asks for writability by
// readiness.
//
// Thread: the loop's. Callbacks come from Poller::deliver_completions, which the loop calls in the
// phase "deliver file events".
#pragma once

#include <cstddef>
#include <cstdint>

#include "ae/base/bytes.h"
#include "ae/core/os.h"

namespace ae {

class CompletionSink {
 public:
  // `data` lies in provided buffer `buffer`, which belongs to the sink until Completions::recycle.
  virtual void on_received(uint64_t token, MutableBytes data, uint16_t buffer) = 0;
  // The receive has ended: kEnd (FIN), kError, or kOk after stop_receive. Nothing more follows.
  virtual void on_receive_ended(uint64_t token, IoResult why) = 0;
  virtual void on_sent(uint64_t token, IoResult result) = 0;

 protected:
  ~CompletionSink() = default;
};

class Completions {
 public:
  virtual ~Completions() = default;

  virtual void set_sink(CompletionSink* sink) = 0;
  // Starts a multishot receive. Out of buffers is handled inside: the receive is re-armed when
  // buffers come back, no byte is lost and no error shows.
  virtual void start_receive(int fd, uint64_t token) = 0;
  // Asynchronous: on_receive_ended tells when; bytes already received may still come before it.
  virtual void stop_receive(uint64_t token) = 0;
  virtual void send(int fd, uint64_t token, Bytes bytes) = 0;
  // Like send, several pieces gathered; the iovec array too must stay until on_sent.
  virtual void sendv(int fd, uint64_t token, std::span<const iovec> pieces) = 0;
  virtual void recycle(uint16_t buffer) = 0;
  // Hands everything that the last wait() fetched to the sink: sends first, then receives. Returns
  // how many.
  virtual size_t deliver() = 0;
};

}  // namespace ae
