// The seam between the connection table and the kernel: how the bytes of one descriptor come and
// go.
//
//   ReadinessStream    "go and read": the loop reports readiness, the table pulls with read()
//   CompletionStream   "here are bytes": ae::Completions (io_uring) pushes them up
//
// Readiness and completion are not mixed in one interface of the kernel side (poller.h,
// completions.h) and meet only here. A Stream has no record per connection: its few words lie in
// the StreamEnd inside the connection's record, so that an idle connection pays nothing. A stream
// that transforms bytes (TLS) fits in as a third one, which pulls through another Stream and keeps
// its sessions by slot.
//
// Thread: the loop's. Calls go down, StreamOwner calls come up, never from within a call down.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "ae/core/event_loop.h"
#include "ae/net/connection.h"

namespace ae {

// A connection's lower half.
struct StreamEnd {
  FileId file;  // its registration, where it has one
  int32_t fd = -1;
  Events wants = Events::kNone;  // what it wants of the loop, or (reading) of the completions
  // Completions only.
  bool receiving : 1 = false;  // a multishot receive is under way in the kernel
  bool stopping : 1 = false;   // it was told to stop and has not ended yet
  bool sending : 1 = false;    // a send is under way; its bytes must stay

  bool urgent : 1 = false;  // its events come first (Priority::kUrgent): always by readiness

  // Nothing below refers to this connection or its memory any more.
  bool at_rest() const { return !receiving && !sending; }
};
static_assert(sizeof(StreamEnd) == 16, "part of every connection's record");

// What a stream pushes up. Implemented by the table.
class StreamOwner {
 public:
  // Null for a connection that is gone.
  virtual StreamEnd* find_end(ConnectionId id) = 0;
  // Bytes in provided buffer `buffer`, to be given back with Stream::recycle.
  virtual void on_pushed(ConnectionId id, MutableBytes data, uint16_t buffer) = 0;
  // FIN or error: nothing more will be pushed.
  virtual void on_push_ended(ConnectionId id, IoResult why) = 0;
  // The answer to a send() that had none at once.
  virtual void on_sent(ConnectionId id, IoResult result) = 0;
  // The stream has let go of an end (at_rest) that was stopped before.
  virtual void on_at_rest(ConnectionId id) = 0;

 protected:
  ~StreamOwner() = default;
};

class Stream {
 public:
  virtual ~Stream() = default;

  // Starts reading on end.fd.
  virtual Status start(StreamEnd& end, ConnectionId id) = 0;
  virtual Status read_on(StreamEnd& end, ConnectionId id) = 0;
  virtual void read_off(StreamEnd& end, ConnectionId id) = 0;
  // Readiness only: the next bytes.
  virtual IoResult read(StreamEnd& end, MutableBytes into) = 0;

  // One gathered write. Nothing is returned where the answer comes later as on_sent: the bytes must
  // stay until then, the array of pieces need not.
  virtual std::optional<IoResult> send(StreamEnd& end, ConnectionId id,
                                       std::span<const iovec> pieces) = 0;
  // The loop's on_file_event (to the table) tells when the kernel takes bytes again.
  virtual Status write_on(StreamEnd& end, ConnectionId id) = 0;
  virtual void write_off(StreamEnd& end) = 0;

  // No event of this connection comes any more. What is under way ends on its own: on_at_rest.
  virtual void stop(StreamEnd& end, ConnectionId id) = 0;
  virtual void recycle(uint16_t buffer) = 0;
};

std::unique_ptr<Stream> create_readiness_stream(EventLoop& loop, FileHandler& handler);
// One per loop: it is the one sink of the poller's completions.
std::unique_ptr<Stream> create_completion_stream(EventLoop& loop, FileHandler& handler,
                                                 StreamOwner& owner);

}  // namespace ae
