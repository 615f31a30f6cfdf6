// The floor of a request: a reactor that parses nothing and answers every request "+OK". What it
// costs is the kernel's share and the tick's; no server can be below it on the machine it runs on.
//
//   compare.py speed --server build/bench/tests/constant_reactor
//
// A request is counted by its '*', which load without a '*' in its arguments allows. Takes --port
// and
// --event-backend; other options of a server are passed over.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ae/core/event_loop.h"
#include "ae/net/connection_table.h"
#include "ae/net/listener.h"

namespace {

constexpr std::string_view kAnswer = "+OK\r\n";
constexpr size_t kMostAnswers = 16 * 1024;  // a read of 64 KiB holds fewer requests

class Constant final : public ae::ConnectionHandler {
 public:
  Constant() {
    for (size_t i = 0; i < kMostAnswers; ++i) answers_ += kAnswer;
  }
  size_t on_data(ae::Connection connection, ae::MutableBytes data) override {
    const auto requests = static_cast<size_t>(std::count(data.begin(), data.end(), '*'));
    const size_t bytes = std::min(requests, kMostAnswers) * kAnswer.size();
    if (bytes > 0) connection.table().send_view(connection.id(), {answers_.data(), bytes});
    return data.size();
  }
  void on_closed(ae::Connection, ae::CloseReason) override {}

 private:
  std::string answers_;
};

const char* option(int argc, char** argv, std::string_view name, const char* fallback) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == name) fallback = argv[i + 1];
  }
  return fallback;
}

}  // namespace

int main(int argc, char** argv) {
  ae::LoopOptions options;
  const auto backend = ae::parse_backend(option(argc, argv, "--event-backend", "epoll"));
  options.backend = backend.value_or(ae::Backend::kEpoll);
  const auto loop = ae::EventLoop::create(std::move(options));
  const auto port = static_cast<uint16_t>(std::atoi(option(argc, argv, "--port", "0")));
  const auto address = ae::Address::parse("127.0.0.1", port);
  if (!loop || !address) return std::fputs("no loop or no address\n", stderr), 1;

  Constant constant;
  ae::ConnectionTable table(**loop);
  ae::Listener listener(**loop, [&](int fd, uint32_t) { (void)table.adopt(fd, constant); });
  if (const auto opened = listener.listen(*address); !opened)
    return std::fprintf(stderr, "%s\n", opened.error().message().c_str()), 1;
  (*loop)->run();
}
