// Bytes by completion: a multishot receive per connection pushes what arrives, and all sends of a
// tick leave in the one system call that also waits.
//
// A receive that is switched off may still push what the kernel had taken already; the table keeps
// it. Switched on again before it has ended, it is started anew when its end is reported.
//
// The pieces of a gathered send are copied into an arena that lives until no send is under way,
// which is the next wait: sends are made with MSG_DONTWAIT and complete there.
#include <algorithm>
#include <vector>

#include "ae/base/assert.h"
#include "ae/core/completions.h"
#include "ae/net/out_queue.h"
#include "ae/net/stream.h"

namespace ae {
namespace {

// Gather arrays of the sends under way; given back all at once.
class GatherArena {
 public:
  std::span<const iovec> keep(std::span<const iovec> pieces) {
    if (used_ == arrays_.size()) arrays_.push_back(std::make_unique<Array>());
    Array& array = *arrays_[used_++];
    AE_ASSERT(pieces.size() <= std::size(array.pieces));
    std::copy(pieces.begin(), pieces.end(), array.pieces);
    return {array.pieces, pieces.size()};
  }
  void clear() { used_ = 0; }

 private:
  struct Array {
    iovec pieces[OutQueue::kMaxGatheredPieces];
  };
  std::vector<std::unique_ptr<Array>> arrays_;
  size_t used_ = 0;
};

class CompletionStream final : public Stream, private CompletionSink {
 public:
  CompletionStream(EventLoop& loop, FileHandler& handler, StreamOwner& owner)
      : loop_(loop), handler_(handler), owner_(owner), below_(*loop.poller().completions()) {
    below_.set_sink(this);
  }
  ~CompletionStream() override { below_.set_sink(nullptr); }

  Status start(StreamEnd& end, ConnectionId id) override { return read_on(end, id); }

  Status read_on(StreamEnd& end, ConnectionId id) override {
    end.wants = end.wants | Events::kReadable;
    if (!end.receiving) {
      end.receiving = true;
      below_.start_receive(end.fd, id.packed());
    }
    return {};
  }

  void read_off(StreamEnd& end, ConnectionId id) override {
    end.wants = end.wants & ~Events::kReadable;
    if (!end.receiving || end.stopping) return;
    end.stopping = true;
    below_.stop_receive(id.packed());
  }

  // Pulling is for streams by readiness.
  IoResult read(StreamEnd&, MutableBytes) override { return {IoStatus::kWouldBlock, 0, 0}; }

  std::optional<IoResult> send(StreamEnd& end, ConnectionId id,
                               std::span<const iovec> pieces) override {
    AE_ASSERT(!end.sending);
    end.sending = true;
    ++sends_under_way_;
    if (pieces.size() > 1) {
      below_.sendv(end.fd, id.packed(), gathered_.keep(pieces));
    } else {
      const iovec& piece = pieces.front();
      below_.send(end.fd, id.packed(),
                  Bytes(static_cast<const char*>(piece.iov_base), piece.iov_len));
    }
    return std::nullopt;
  }

  // Writability is asked of the loop, by readiness, for as long as it is wanted.
  Status write_on(StreamEnd& end, ConnectionId id) override {
    end.wants = end.wants | Events::kWritable;
    if (end.file.valid()) return {};
    const Result<FileId> file = loop_.watch(end.fd, Events::kWritable, &handler_, id.slot);
    if (!file) return fail(file.error());
    end.file = *file;
    return {};
  }
  void write_off(StreamEnd& end) override {
    end.wants = end.wants & ~Events::kWritable;
    if (!end.file.valid()) return;
    loop_.unwatch(end.file);
    end.file = {};
  }

  void stop(StreamEnd& end, ConnectionId id) override {
    write_off(end);
    read_off(end, id);
  }

  void recycle(uint16_t buffer) override { below_.recycle(buffer); }

 private:
  void on_received(uint64_t token, MutableBytes data, uint16_t buffer) override {
    owner_.on_pushed(ConnectionId::unpack(token), data, buffer);
  }

  void on_receive_ended(uint64_t token, IoResult why) override {
    const ConnectionId id = ConnectionId::unpack(token);
    StreamEnd* end = owner_.find_end(id);
    if (end == nullptr) return;
    end->receiving = end->stopping = false;
    if (why.status != IoStatus::kOk) {
      end->wants = end->wants & ~Events::kReadable;
      owner_.on_push_ended(id, why);
    } else if (any(end->wants & Events::kReadable)) {
      static_cast<void>(read_on(*end, id));  // never fails: a failed receive says so by its end
    }
    if (end->at_rest()) owner_.on_at_rest(id);
  }

  void on_sent(uint64_t token, IoResult result) override {
    if (--sends_under_way_ == 0) gathered_.clear();
    const ConnectionId id = ConnectionId::unpack(token);
    StreamEnd* end = owner_.find_end(id);
    if (end == nullptr) return;
    end->sending = false;
    owner_.on_sent(id, result);
    if (end->at_rest()) owner_.on_at_rest(id);
  }

  EventLoop& loop_;
  FileHandler& handler_;
  StreamOwner& owner_;
  Completions& below_;
  GatherArena gathered_;
  size_t sends_under_way_ = 0;
};

}  // namespace

std::unique_ptr<Stream> create_completion_stream(EventLoop& loop, FileHandler& handler,
                                                 StreamOwner& owner) {
  return std::make_unique<CompletionStream>(loop, handler, owner);
}

}  // namespace ae
