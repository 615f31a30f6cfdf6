// A chat room: lines from one go to all. Framing, broadcasting, a slow reader, and a heartbeat that
// asks in the application's own words.
//
//   $ chat --port 7001 &
//   $ nc 127.0.0.1 7001          # in two terminals; /name ada, /quit, and anything else is said
//
// What to look at:
//  - LineFramer says where a line ends; what is not a whole line yet stays with the table.
//  - A broadcast only queues. Nobody is written to before the loop sleeps, and then once each.
//  - Who does not read is dropped when the output passes the high watermark: the room does not
//  wait.
//  - TCP keepalive is answered by the kernel of a hung program. So the room asks: after some
//  silence
//    "are you there?", and after three questions without any answer it closes.
#include <map>

#include "ae/core/event_loop.h"
#include "ae/net/connection_table.h"
#include "ae/net/framer.h"
#include "ae/net/heartbeat.h"
#include "ae/net/listener.h"
#include "flags.h"

namespace {

constexpr char kHelp[] =
    "chat: a room; lines from one go to all\n"
    "  --port PORT      7001; 0 takes a free one\n"
    "  --probe-ms MS    30000: silence before the room asks, and between questions\n";

constexpr size_t kMaxLineBytes = 1024;
constexpr size_t kMaxNameBytes = 32;

class Room : public ae::ConnectionHandler, public ae::HeartbeatHandler {
 public:
  Room(ae::EventLoop& loop, ae::Nanoseconds probe)
      : table_(loop, {.high_watermark = 256 * 1024, .low_watermark = 64 * 1024}),
        heartbeat_(loop, *this, {.resolution = probe / 4, .probe_after = probe}) {}

  void enter(int fd) {
    ae::Result<ae::Connection> adopted = table_.adopt(fd, *this);
    if (!adopted) return;
    heartbeat_.track(adopted->id());
    names_[adopted->id().slot] = "guest-" + std::to_string(++guests_);
    say(names_[adopted->id().slot] + " has come\n");
  }

 private:
  size_t on_data(ae::Connection who, ae::MutableBytes data) override {
    heartbeat_.activity(who.id());
    const auto lines =
        ae::for_each_frame(framer_, data, [&](ae::Bytes line) { on_line(who, line); });
    if (lines.last.status == ae::FrameStatus::kTooLong) who.close(ae::CloseReason::kInputLimit);
    return lines.consumed;
  }

  void on_line(ae::Connection who, ae::Bytes line) {
    if (who.state() != ae::ConnectionState::kOpen) return;  // a line behind /quit
    std::string& name = names_[who.id().slot];
    if (line == "/quit") {
      who.send("bye\n");
      who.close_after_flush(ae::CloseReason::kRequested);
    } else if (line.starts_with("/name ")) {
      name = std::string(line.substr(6, kMaxNameBytes));
    } else if (!line.empty()) {
      say(name + ": " + std::string(line) + "\n");
    }
  }

  // To everybody. With a million guests this would be done in slices (visit's cursor).
  void say(const std::string& text) {
    table_.visit(0, SIZE_MAX, [&](ae::Connection guest) { guest.send(text); });
  }

  void on_high_watermark(ae::Connection who) override { who.close(ae::CloseReason::kOutputLimit); }

  void on_closed(ae::Connection who, ae::CloseReason reason) override {
    heartbeat_.forget(who.id());
    const auto left = names_.extract(who.id().slot);
    say(left.mapped() + " has left (" + std::string(ae::name(reason)) + ")\n");
  }

  void on_probe(ae::ConnectionId id, uint32_t) override {
    table_.find(id).send("are you there?\n");
  }
  void on_lost(ae::ConnectionId id) override {
    table_.find(id).close(ae::CloseReason::kHeartbeatLost);
  }
  void on_idle(ae::ConnectionId) override {}  // no idle_timeout is set

  ae::ConnectionTable table_;
  ae::Heartbeat heartbeat_;
  ae::LineFramer framer_{kMaxLineBytes};
  std::map<uint32_t, std::string> names_;  // by slot: an id is reused only after on_closed
  int guests_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  example::help(argc, argv, kHelp);
  const auto loop = example::must(ae::EventLoop::create());
  Room room(*loop, ae::Milliseconds(example::number(argc, argv, "--probe-ms", 30000)));
  ae::Listener listener(*loop, [&](int fd, uint32_t) { room.enter(fd); });
  const auto port = uint16_t(example::number(argc, argv, "--port", 7001));
  const uint32_t endpoint = example::must(listener.listen(ae::Address::loopback(port)));
  std::printf("listening on %s\n", listener.address(endpoint)->to_string().c_str());
  std::fflush(stdout);
  loop->run();
}
