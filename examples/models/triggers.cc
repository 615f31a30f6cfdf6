// Level- and edge-triggered: the same reactor, on the loop itself instead of a ConnectionTable.
//
//   $ triggers --port 7100 --trigger level      # or edge, edge-short
//
//   level   "there are bytes":    reported by every wait until they are read
//   edge    "bytes have come":    reported once; what you leave lies there until more come
//
// The idea of the edge. Interest is declared once, for good: no epoll_ctl when output has to wait.
//
// Who does it. Edge: nginx, Netty, Go's netpoller, Tokio. Level: Redis, memcached, libevent, libuv.
//
// What it costs. The handler has to go on until EAGAIN, and that read returns nothing: a system
// call more per small request. (`edge-short` ends at a short read, as epoll(7) allows for streams;
// a FIN that came with it is in the event's flags.) Then both make the same calls: the epoll_ctl
// that the edge spares is made only when output waits.
//
// Where it breaks. Whatever stops you before EAGAIN, you have to remember, because nobody will
// remind you: a budget, so that one busy client does not keep the loop, and output that the peer
// does not take. Each is a line that appends to again_ below; level needs neither.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "serve.h"
#include "service.h"

namespace {

using ae::Events, ae::IoStatus;

constexpr char kHelp[] =
    "triggers: level- and edge-triggered\n"
    "  --port PORT      7100; 0 takes a free one\n"
    "  --trigger WORD   level; edge; edge-short\n";

constexpr size_t kReadBytes = 16 * 1024;
constexpr int kReadsPerTurn = 4;                  // then the others have their turn
constexpr size_t kMostOutput = 256 * 1024;        // more is waiting: stop reading
enum class Until { kOnce, kEagain, kShortRead };  // how long one event is read for
const std::map<std::string, Until> kTriggers = {
    {"level", Until::kOnce}, {"edge", Until::kEagain}, {"edge-short", Until::kShortRead}};

class Reactor : public ae::FileHandler {
 public:
  Reactor(ae::EventLoop& loop, Until until) : loop_(loop), until_(until) {
    loop.before_sleep([this] { go_on(); });
  }

  void adopt(int fd) {
    const Events interest = level() ? Events::kReadable : Events::kReadWrite;
    const auto trigger = level() ? ae::Trigger::kLevel : ae::Trigger::kEdge;
    const auto file = loop_.watch(fd, interest, this, uint32_t(fd), trigger);
    if (!file) return loop_.os().close(fd);
    if (peers_.size() <= size_t(fd)) peers_.resize(size_t(fd) + 1);
    peers_[size_t(fd)] = std::make_unique<Peer>(Peer{fd, *file, "", "", false});
  }

 private:
  struct Peer {
    int fd;
    ae::FileId file;
    std::string input, output;  // a half packet; what the kernel did not take
    bool ending;                // nothing more is read; close behind the output
  };

  bool level() const { return until_ == Until::kOnce; }
  static bool full(const Peer& peer) { return peer.output.size() > kMostOutput; }
  void on_file_event(ae::FileId, uint32_t fd, Events ready) override {
    Peer& peer = *peers_[fd];
    if (any(ready & Events::kWritable) && !peer.output.empty() && !flush(peer)) return;
    if (any(ready & Events::kReadable)) read(peer, any(ready & Events::kHalfClosed));
  }

  // One turn; the peer may be gone after it.
  void read(Peer& peer, bool half_closed) {
    for (int i = 0; i < kReadsPerTurn; ++i) {
      if (full(peer) || peer.ending) return;  // flush() knows
      const ae::IoResult got = loop_.os().read(peer.fd, chunk_);
      if (got.status == IoStatus::kWouldBlock) return;
      if (got.status == IoStatus::kError) return end(peer);
      peer.ending = got.status == IoStatus::kEnd;
      if (!answer(peer, {chunk_.data(), got.bytes}) || level()) return;
      if (until_ == Until::kShortRead && got.bytes < chunk_.size() && !half_closed) return;
    }
    again_.push_back(peer.fd);
  }

  // False, here and below: the peer is gone.
  bool answer(Peer& peer, ae::MutableBytes bytes) {
    peer.input.append(bytes.data(), bytes.size());
    const auto taken = service_.take(peer.input);
    peer.input.erase(0, taken.bytes);
    if (peer.input.empty()) peer.input = std::string();  // who waits owns no buffer
    peer.output += service_.replies();
    service_.clear_replies();
    peer.ending |= taken.broken;
    return flush(peer);
  }

  bool flush(Peer& peer) {
    const bool was_full = full(peer);
    ae::IoResult sent;
    if (!peer.output.empty()) sent = loop_.os().write(peer.fd, peer.output);
    peer.output.erase(0, sent.bytes);
    const bool left = peer.output.empty();
    if (sent.status == IoStatus::kError || (left && peer.ending)) return end(peer), false;
    if (left) peer.output = std::string();
    if (level()) {  // a level that nobody acts on is reported for ever, and the loop spins
      const auto reading = full(peer) || peer.ending ? Events::kNone : Events::kReadable;
      loop_.set_interest(peer.file, reading | (left ? Events::kNone : Events::kWritable));
    } else if (was_full && !full(peer)) {
      again_.push_back(peer.fd);  // Linux adds Readable to a Writable; no manual promises it
    }
    return true;
  }

  void go_on() {
    for (const int fd : std::exchange(again_, {})) {
      if (auto& peer = peers_[size_t(fd)]; peer != nullptr) read(*peer, true);
    }
    if (!again_.empty()) loop_.wake_next_tick();
  }

  void end(Peer& peer) {
    loop_.unwatch(peer.file);
    loop_.os().close(peer.fd);
    peers_[size_t(peer.fd)].reset();
  }

  ae::EventLoop& loop_;
  const Until until_;
  models::Store store_;
  models::Service<models::Store> service_{store_};
  std::vector<char> chunk_ = std::vector<char>(kReadBytes);
  std::vector<std::unique_ptr<Peer>> peers_;  // by descriptor
  std::vector<int> again_;                    // to be read in the next tick without being told
};

}  // namespace

int main(int argc, char** argv) {
  example::help(argc, argv, kHelp);
  const std::string word = example::flag(argc, argv, "--trigger", "level");
  if (!kTriggers.contains(word)) return std::fputs(kHelp, stderr), 1;
  const auto loop = example::must(ae::EventLoop::create());
  Reactor reactor(*loop, kTriggers.at(word));
  models::serve(*loop, models::address_of(argc, argv), [&](int fd) { reactor.adopt(fd); });
}
