// The IO pool on real threads and real sockets: what the simulator cannot show, and ThreadSanitizer
// can. Several clients at once send pipelines, look at each other, come and go, and change the
// number of threads; every reply must be the right one, and the server end in order.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "proto/request_writer.h"
#include "server/server.h"
#include "tests/server/persist/sim_storage.h"

namespace millrace {
namespace {

int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  EXPECT_EQ(::bind(probe, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length), 0);
  ::close(probe);
  return ntohs(address.sin_port);
}

// A blocking client.
class Caller {
 public:
  explicit Caller(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(uint16_t(port));
    const timeval patience{30, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Caller() { ::close(fd_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  void send(const std::string& bytes) {
    ASSERT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), ssize_t(bytes.size()));
  }
  // Exactly as many bytes as are expected.
  std::string read(size_t size) {
    std::string got(size, '\0');
    size_t at = 0;
    while (at < size) {
      const ssize_t count = ::recv(fd_, got.data() + at, size - at, 0);
      if (count <= 0) break;
      at += size_t(count);
    }
    got.resize(at);
    return got;
  }
  std::string read_line() {
    std::string line;
    for (std::string byte = read(1); !byte.empty(); byte = read(1)) {
      line += byte;
      if (line.ends_with("\r\n")) break;
    }
    return line;
  }
  // A bulk or verbatim reply, whatever its length.
  std::string read_bulk() {
    const std::string header = read_line();
    if (header.size() < 2) return "";
    return read(size_t(std::atoi(header.c_str() + 1)) + 2);
  }

 private:
  int fd_;
};

class IoPoolThreads : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    port_ = free_port();
    const std::string port = std::to_string(port_);
    const char* arguments[] = {"millrace-server", "--save",     "",
                               "--port",          port.c_str(), "--bind",
                               "127.0.0.1",       "--loglevel", "warning",
                               "--io-threads",    "3",          "--io-threads-accept",
                               GetParam()};
    ASSERT_FALSE(config_.load_arguments(int(std::size(arguments)), arguments));
    std::atomic<bool> open = false;
    runner_ = std::thread([this, &open] {
      server_ = Server::create(config_, {}, {.storage = &disk_}).value();
      EXPECT_FALSE(server_->open());
      open = true;
      open.notify_all();
      server_->loop().run();
      server_.reset();
    });
    open.wait(false);
  }
  void TearDown() override {
    Caller(port_).send(proto::encode_request({"SHUTDOWN", "NOW"}));
    runner_.join();
  }

  // Pipelines of INCR on a key of its own: any reply lost, doubled or out of order shows.
  void count_up(const std::string& key) {
    Caller caller(port_);
    int expected = 0;
    for (int round = 0; round < 20; ++round) {
      std::string requests, replies;
      for (int i = 0; i < 50; ++i) {
        requests += proto::encode_request({"INCR", key});
        replies += ":" + std::to_string(++expected) + "\r\n";
      }
      caller.send(requests);
      EXPECT_EQ(caller.read(replies.size()), replies);
    }
  }

  void look_around() {
    for (int round = 0; round < 10; ++round) {
      Caller caller(port_);
      caller.send(proto::encode_request({"CLIENT", "LIST"}));
      EXPECT_NE(caller.read_bulk().find("io-thread="), std::string::npos);
      caller.send(proto::encode_request({"INFO", "everything"}));
      const std::string info = caller.read_bulk();
      EXPECT_NE(info.find("io_thread_1:"), std::string::npos);
      EXPECT_NE(info.find("io_threads_active:1\r\n"), std::string::npos);
      // Who asks was read by a thread; the main one takes none here but the admin lane's.
      EXPECT_EQ(info.find("io_threaded_reads_processed:0\r\n"), std::string::npos);
    }
  }

  void change_threads() {
    Caller caller(port_);
    for (const char* threads : {"1", "5", "2", "3"}) {
      caller.send(proto::encode_request({"CONFIG", "SET", "io-threads", threads}));
      EXPECT_EQ(caller.read_line(), "+OK\r\n");
      Caller(port_).send(proto::encode_request({"PING"}));
    }
  }

  int port_ = 0;
  ConfigStore config_;
  fakes::SimStorage disk_;
  std::unique_ptr<Server> server_;
  std::thread runner_;
};

TEST_P(IoPoolThreads, ManyClientsAtOnce) {
  std::vector<std::thread> callers;
  for (int i = 0; i < 6; ++i)
    callers.emplace_back([this, i] { count_up("counter:" + std::to_string(i)); });
  callers.emplace_back([this] { look_around(); });
  for (std::thread& caller : callers) caller.join();
}

TEST_P(IoPoolThreads, WhileTheNumberOfThreadsChanges) {
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([this, i] { count_up("counter:" + std::to_string(i)); });
  callers.emplace_back([this] { change_threads(); });
  for (std::thread& caller : callers) caller.join();
}

INSTANTIATE_TEST_SUITE_P(Accept, IoPoolThreads,
                         testing::Values("hand-out", "reuse-port", "exclusive"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace millrace
