// Sends back what it receives: the smallest server on `ae`, and all the pieces every server has.
//
//   $ echo --port 7000 &
//   $ printf 'hello' | nc -N 127.0.0.1 7000
//   hello
//
// What to look at: nothing here waits, and nothing here owns a buffer. on_data is given the bytes
// in the table's scratch, send() queues them, and they leave in one write before the loop sleeps. A
// client that sends without reading is stopped by the table itself: its output passes the high
// watermark, and reading pauses until it has drained.
#include "ae/core/event_loop.h"
#include "ae/net/connection_table.h"
#include "ae/net/listener.h"
#include "flags.h"

namespace {

constexpr char kHelp[] =
    "echo: sends back what it receives\n"
    "  --bind ADDRESS   127.0.0.1\n"
    "  --port PORT      7000; 0 takes a free one\n"
    "  --backend NAME   epoll, poll, select or io_uring\n";

class Echo : public ae::ConnectionHandler {
 public:
  size_t on_data(ae::Connection connection, ae::MutableBytes data) override {
    connection.send({data.data(), data.size()});
    return data.size();  // consumed; what is not would be kept and presented again
  }

  // The default on_half_closed delivers what is pending and closes: `nc -N` gets its whole echo.

  void on_closed(ae::Connection connection, ae::CloseReason reason) override {
    std::fprintf(stderr, "connection %u closed: %s\n", connection.id().slot,
                 std::string(ae::name(reason)).c_str());
  }
};

}  // namespace

int main(int argc, char** argv) {
  example::help(argc, argv, kHelp);
  const auto backend = ae::parse_backend(example::flag(argc, argv, "--backend", "epoll"));
  const auto address =
      example::must(ae::Address::parse(example::flag(argc, argv, "--bind", "127.0.0.1"),
                                       uint16_t(example::number(argc, argv, "--port", 7000))));
  ae::LoopOptions options;
  options.backend = backend.value_or(ae::Backend::kEpoll);
  const auto loop = example::must(ae::EventLoop::create(std::move(options)));

  Echo echo;
  ae::ConnectionTable table(*loop);
  ae::Listener listener(*loop, [&](int fd, uint32_t) {
    // The table owns the descriptor from here on, also where this fails.
    static_cast<void>(table.adopt(fd, echo));
  });
  const uint32_t endpoint = example::must(listener.listen(address));
  std::printf("listening on %s\n", listener.address(endpoint)->to_string().c_str());
  std::fflush(stdout);
  loop->run();
}
