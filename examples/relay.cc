// A TCP relay: each client gets a connection of its own to an upstream, and bytes go both ways. The
// whole of it is one thread that never waits, although each client has two slow ends.
//
//   $ relay --port 7002 --to example.org:80
//
//   client <--> [ connection | connection ] <--> upstream
//
// What to look at:
//  - Dialing. The name is resolved on a thread, the connect is non-blocking, with several
//  addresses,
//    a deadline and a second round. Until then the client is paused: its bytes stay in the kernel,
//    where they cost this program nothing and slow the client down by themselves.
//  - Backpressure. When one end does not take its output (on_high_watermark), reading from the
//  *other*
//    end pauses; when it has drained, reading resumes. Memory per client is bounded by the
//    watermark.
//  - Half-close. FIN from one end is passed on behind the last byte (shutdown_output), and the
//  other
//    direction goes on: "send everything, then read the answer" works through the relay.
//  - Heartbeats. The relay does not know the protocol, so it cannot ask; it has TCP keepalive
//  against
//    dead hosts and an idle timeout against silent pairs. Traffic on either end is a sign of both.
#include "ae/core/event_loop.h"
#include "ae/net/connection_table.h"
#include "ae/net/dialer.h"
#include "ae/net/heartbeat.h"
#include "ae/net/listener.h"
#include "ae/net/resolver.h"
#include "ae/net/socket_options.h"
#include "flags.h"

namespace {

constexpr char kHelp[] =
    "relay: passes TCP connections on\n"
    "  --port PORT      7002; 0 takes a free one\n"
    "  --to HOST:PORT   127.0.0.1:7000\n"
    "  --idle-ms MS     300000: a pair without traffic is closed\n";

constexpr ae::ConnectionOptions kOptions{.high_watermark = 512 * 1024, .low_watermark = 64 * 1024};

class Relay : public ae::ConnectionHandler, public ae::HeartbeatHandler {
 public:
  Relay(ae::EventLoop& loop, std::string host, uint16_t port, ae::Nanoseconds idle)
      : loop_(loop),
        table_(loop, kOptions),
        dialer_(loop, uint64_t(loop.unix_us())),
        resolver_(loop),
        heartbeat_(loop, *this, {.resolution = idle / 4, .idle_timeout = idle}),
        host_(std::move(host)),
        port_(port) {}

  void accept(int fd) {
    const ae::Result<ae::Connection> client = adopt(fd, {});
    if (!client) return;
    ae::Connection(*client).pause(ae::PauseReason::kBusy);
    const ae::ConnectionId id = client->id();
    const auto asked = resolver_.resolve(host_, port_, [this, id](auto found) {
      if (!found) return connect_failed(id, found.error());
      dial(id, std::move(*found));
    });
    if (!asked) connect_failed(id, asked.error());
  }

 private:
  ae::Result<ae::Connection> adopt(int fd, ae::ConnectionId other) {
    // A relay that works without them is better than none: these may fail on a dying socket.
    static_cast<void>(ae::set_no_delay(loop_.os(), fd));
    static_cast<void>(ae::set_keepalive(loop_.os(), fd, ae::Seconds(60)));
    ae::Result<ae::Connection> end = table_.adopt(fd, *this, other.packed());
    if (end) heartbeat_.track(end->id());
    return end;
  }

  void dial(ae::ConnectionId client, std::vector<ae::Address> addresses) {
    const ae::DialOptions options{.attempt_timeout = ae::Seconds(2), .rounds = 2};
    dialer_.dial(std::move(addresses), options, [this, client](ae::Result<int> fd) {
      if (!fd) return connect_failed(client, fd.error());
      connected(client, *fd);
    });
  }

  void connected(ae::ConnectionId client_id, int fd) {
    ae::Connection client = table_.find(client_id);
    if (!client.alive()) return loop_.os().close(fd);  // it did not wait
    const ae::Result<ae::Connection> upstream = adopt(fd, client_id);
    if (!upstream) return client.close(ae::CloseReason::kSystemError);
    client.set_user(upstream->id().packed());
    client.resume(ae::PauseReason::kBusy);
  }

  void connect_failed(ae::ConnectionId client, const ae::Error& error) {
    std::fprintf(stderr, "upstream: %s\n", error.message().c_str());
    table_.find(client).close(ae::CloseReason::kConnectFailed);
  }

  // The other end: its id is this end's word. Stale or empty, calls on it do nothing.
  ae::Connection other(ae::Connection end) {
    return table_.find(ae::ConnectionId::unpack(end.user()));
  }

  size_t on_data(ae::Connection from, ae::MutableBytes data) override {
    ae::Connection to = other(from);
    heartbeat_.activity(from.id());
    heartbeat_.activity(to.id());
    to.send({data.data(), data.size()});
    return data.size();
  }

  void on_high_watermark(ae::Connection full) override {
    other(full).pause(ae::PauseReason::kUser);
  }
  void on_drained(ae::Connection drained) override {
    heartbeat_.activity(drained.id());
    other(drained).resume(ae::PauseReason::kUser);
  }
  void on_half_closed(ae::Connection end) override { other(end).shutdown_output(); }
  void on_closed(ae::Connection end, ae::CloseReason reason) override {
    heartbeat_.forget(end.id());
    other(end).close_after_flush(reason);
  }

  void on_idle(ae::ConnectionId id) override {
    table_.find(id).close(ae::CloseReason::kIdleTimeout);
  }
  void on_probe(ae::ConnectionId, uint32_t) override {}  // nothing it could ask
  void on_lost(ae::ConnectionId) override {}

  ae::EventLoop& loop_;
  ae::ConnectionTable table_;
  ae::Dialer dialer_;
  ae::Resolver resolver_;
  ae::Heartbeat heartbeat_;
  const std::string host_;
  const uint16_t port_;
};

}  // namespace

int main(int argc, char** argv) {
  example::help(argc, argv, kHelp);
  const std::string to = example::flag(argc, argv, "--to", "127.0.0.1:7000");
  const size_t colon = to.rfind(':');
  if (colon == std::string::npos) return std::fputs(kHelp, stderr), 1;
  const auto loop = example::must(ae::EventLoop::create());
  Relay relay(*loop, to.substr(0, colon), uint16_t(std::atoi(to.c_str() + colon + 1)),
              ae::Milliseconds(example::number(argc, argv, "--idle-ms", 300000)));
  ae::Listener listener(*loop, [&](int fd, uint32_t) { relay.accept(fd); });
  const auto port = uint16_t(example::number(argc, argv, "--port", 7002));
  const uint32_t endpoint = example::must(listener.listen(ae::Address::loopback(port)));
  std::printf("listening on %s\n", listener.address(endpoint)->to_string().c_str());
  std::fflush(stdout);
  loop->run();
}
