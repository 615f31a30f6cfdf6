// The simulated sockets against the kernel's: every sequence of a few steps at the two ends of a
// connection is played on both, and every result and every poll in between must be the same.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "ae/core/os.h"
#include "ae/core/poller.h"
#include "ae/sim/agenda.h"
#include "ae/sim/sim_os.h"
#include "ae/sim/sim_poller.h"
#include "tests/contract/real_sockets.h"

namespace ae::sim {
namespace {

enum class Step : uint8_t { kWrite, kRead, kShutdown, kClose, kReset, kTakeError };
constexpr std::array kSteps = {Step::kWrite, Step::kRead,  Step::kShutdown,
                               Step::kClose, Step::kReset, Step::kTakeError};
constexpr std::array<const char*, 6> kStepNames = {"write", "read",  "shutdown",
                                                   "close", "reset", "take_error"};

// One step at one of two ends.
struct Move {
  size_t end;
  Step step;
};
constexpr size_t kMoves = kSteps.size() * 2;
Move move_of(size_t number) {
  return {number / kSteps.size(), kSteps[number % kSteps.size()]};
}

Address meeting_place(Transport transport) {
  if (transport == Transport::kTcp) return Address::loopback(0);
  return *Address::parse("@millrace-parity-" + std::to_string(::getpid()), 0);
}

// A world with an Os, a poller, a listener and a way to reset.
class Ground {
 public:
  virtual ~Ground() = default;
  virtual Os& os() = 0;
  virtual Poller& poller() = 0;
  // Closes with SO_LINGER 0.
  virtual void reset(int fd) = 0;
  // How long a packet may take here.
  virtual Nanoseconds latency() const { return Nanoseconds::zero(); }

  void listen(Transport transport) {
    const Address at = meeting_place(transport);
    listener_ = *os().socket(at.family(), SOCK_STREAM, 0);
    ASSERT_TRUE(os().bind(listener_, at));
    ASSERT_TRUE(os().listen(listener_, 4));
  }
  void stop_listening() { os().close(listener_); }

  // The dialler's end, the acceptor's end.
  std::array<int, 2> pair() {
    const Address to = *os().local_address(listener_);
    const int dialer = *os().socket(to.family(), SOCK_STREAM, 0);
    EXPECT_TRUE(os().connect(dialer, to));
    Result<int> acceptor = os().accept(listener_);
    for (int tries = 0; !acceptor && tries < 1'000'000; ++tries) acceptor = os().accept(listener_);
    return {dialer, *acceptor};
  }

 private:
  int listener_ = -1;
};

class KernelGround final : public Ground {
 public:
  // From here on a packet is given this much time after each step.
  void be_patient(Nanoseconds latency) { latency_ = latency; }
  Os& os() override { return real_os(); }
  Poller& poller() override { return *poller_; }
  void reset(int fd) override { contract::close_with_reset(fd); }
  Nanoseconds latency() const override { return latency_; }

 private:
  std::unique_ptr<Poller> poller_ = std::move(*create_poller(Backend::kEpoll));
  Nanoseconds latency_{0};
};

class SimulatedGround final : public Ground {
 public:
  Os& os() override { return os_; }
  Poller& poller() override { return poller_; }
  void reset(int fd) override { os_.close_with_reset(fd); }

 private:
  SimClock clock_;
  Agenda agenda_{clock_};
  SimOs os_;
  SimPoller poller_{os_, agenda_, 1};
};

std::string describe(IoResult result) {
  switch (result.status) {
    case IoStatus::kOk:
      return std::to_string(result.bytes);
    case IoStatus::kWouldBlock:
      return "EAGAIN";
    case IoStatus::kEnd:
      return "end";
    case IoStatus::kError:
      return strerrorname_np(result.error);
  }
  return "?";
}

// Plays a script and writes down what a program would have seen.
class Play {
 public:
  explicit Play(Ground& ground) : ground_(ground), fds_(ground.pair()) {}
  ~Play() {
    for (const int fd : fds_) {
      if (fd != -1) ground_.os().close(fd);
    }
  }

  void make(Move move) {
    int& fd = fds_[move.end];
    if (fd == -1) return;
    trace_ += std::string(move.end == 0 ? "dialer " : "acceptor ") + kStepNames[size_t(move.step)] +
              "=" + step(move.step, fd) + " [" + poll(fds_[0]) + "|" + poll(fds_[1]) + "]; ";
  }
  const std::string& trace() const { return trace_; }

 private:
  std::string step(Step step, int& fd) {
    switch (step) {
      case Step::kWrite:
        return describe(ground_.os().write(fd, "abc"));
      case Step::kRead:
        return describe(ground_.os().read(fd, MutableBytes(buffer_.data(), 2)));
      case Step::kShutdown: {
        const Status status = ground_.os().shutdown_write(fd);
        return status ? "ok" : strerrorname_np(status.error().code);
      }
      case Step::kTakeError:
        return strerrorname_np(ground_.os().pending_error(fd));
      case Step::kClose:
        ground_.os().close(std::exchange(fd, -1));
        return "";
      case Step::kReset:
        ground_.reset(std::exchange(fd, -1));
        return "";
    }
    return "?";
  }

  std::string poll(int fd) {
    if (fd == -1) return "-";
    // A wait for nothing that comes: it gives the packets of this step their time.
    std::array<ReadyEvent, 1> ready;
    if (ground_.latency() > Nanoseconds::zero()) {
      EXPECT_TRUE(ground_.poller().wait(ready, ground_.latency()));
    }
    EXPECT_TRUE(ground_.poller().add(fd, Events::kReadWrite, Trigger::kLevel, 1));
    const size_t count = *ground_.poller().wait(ready, Nanoseconds::zero());
    EXPECT_TRUE(ground_.poller().remove(fd));
    return count == 0 ? "0" : std::to_string(int(ready[0].events));
  }

  Ground& ground_;
  std::array<int, 2> fds_;
  std::array<char, 2> buffer_{};
  std::string trace_;
};

std::string trace_of(Ground& ground, const std::vector<Move>& moves) {
  Play play(ground);
  for (const Move move : moves) play.make(move);
  return play.trace();
}

std::vector<Move> script_of(size_t number, size_t length) {
  std::vector<Move> moves;
  for (; length > 0; --length, number /= kMoves) moves.push_back(move_of(number % kMoves));
  return moves;
}

class ParityTest : public ::testing::TestWithParam<Transport> {
 protected:
  static constexpr size_t kLength = 4;
  // On loopback a packet is there when the call that sent it returns, nearly always. What differs
  // is looked at again with this much time after each step.
  static constexpr Nanoseconds kPatience = Milliseconds(3);

  void SetUp() override {
    for (Ground* ground : grounds()) ground->listen(GetParam());
  }
  void TearDown() override {
    for (Ground* ground : grounds()) ground->stop_listening();
  }

  void compare(const std::vector<Move>& moves) {
    const std::string simulated = trace_of(simulated_, moves);
    if (trace_of(kernel_, moves) == simulated) return;
    ++second_looks_;
    kernel_.be_patient(kPatience);
    EXPECT_EQ(trace_of(kernel_, moves), simulated);
    kernel_.be_patient(Nanoseconds::zero());
  }

  std::array<Ground*, 2> grounds() { return {&kernel_, &simulated_}; }

  KernelGround kernel_;
  SimulatedGround simulated_;
  size_t second_looks_ = 0;
};

TEST_P(ParityTest, EveryScriptOfFourSteps) {
  size_t scripts = 1;
  for (size_t i = 0; i < kLength; ++i) scripts *= kMoves;
  for (size_t number = 0; number < scripts && !HasFailure(); ++number) {
    compare(script_of(number, kLength));
  }
  std::printf("scripts: %zu, looked at twice: %zu\n", scripts, second_looks_);
}

TEST_P(ParityTest, RandomLongScripts) {
  Prng random(20240101);
  for (size_t round = 0; round < 2000 && !HasFailure(); ++round) {
    std::vector<Move> moves;
    for (size_t i = 0; i < 12; ++i) moves.push_back(move_of(random.below(kMoves)));
    compare(moves);
  }
}

INSTANTIATE_TEST_SUITE_P(Transports, ParityTest,
                         ::testing::Values(Transport::kTcp, Transport::kUnix),
                         [](const auto& info) {
                           return info.param == Transport::kTcp ? "Tcp" : "Unix";
                         });

}  // namespace
}  // namespace ae::sim
