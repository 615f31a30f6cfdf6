// Bytes by readiness: the loop says that a descriptor is ready, the table reads or writes through
// Os.
#include "ae/net/stream.h"

namespace ae {
namespace {

class ReadinessStream final : public Stream {
 public:
  ReadinessStream(EventLoop& loop, FileHandler& handler) : loop_(loop), handler_(handler) {}

  Status start(StreamEnd& end, ConnectionId id) override {
    return want(end, id, Events::kReadable);
  }

  Status read_on(StreamEnd& end, ConnectionId id) override {
    return want(end, id, end.wants | Events::kReadable);
  }
  void read_off(StreamEnd& end, ConnectionId) override { unwant(end, Events::kReadable); }

  IoResult read(StreamEnd& end, MutableBytes into) override {
    return loop_.os().read(end.fd, into);
  }

  std::optional<IoResult> send(StreamEnd& end, ConnectionId,
                               std::span<const iovec> pieces) override {
    // write() of one piece spares the kernel the copy of an array.
    if (pieces.size() > 1) return loop_.os().writev(end.fd, pieces);
    const iovec& piece = pieces.front();
    return loop_.os().write(end.fd, Bytes(static_cast<const char*>(piece.iov_base), piece.iov_len));
  }

  Status write_on(StreamEnd& end, ConnectionId id) override {
    return want(end, id, end.wants | Events::kWritable);
  }
  void write_off(StreamEnd& end) override { unwant(end, Events::kWritable); }

  void stop(StreamEnd& end, ConnectionId) override {
    if (!end.file.valid()) return;
    loop_.unwatch(end.file);
    end.file = {};
  }

  void recycle(uint16_t) override {}

 private:
  Status want(StreamEnd& end, ConnectionId id, Events events) {
    if (!end.file.valid()) {
      const Priority priority = end.urgent ? Priority::kUrgent : Priority::kNormal;
      const Result<FileId> file =
          loop_.watch(end.fd, events, &handler_, id.slot, Trigger::kLevel, priority);
      if (!file) return fail(file.error());
      end.file = *file;
    } else if (events != end.wants) {
      loop_.set_interest(end.file, events);
    }
    end.wants = events;
    return {};
  }

  void unwant(StreamEnd& end, Events events) {
    if (!any(end.wants & events)) return;
    end.wants = end.wants & ~events;
    loop_.set_interest(end.file, end.wants);
  }

  EventLoop& loop_;
  FileHandler& handler_;
};

}  // namespace

std::unique_ptr<Stream> create_readiness_stream(EventLoop& loop, FileHandler& handler) {
  return std::make_unique<ReadinessStream>(loop, handler);
}

}  // namespace ae
