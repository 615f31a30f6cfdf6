// The places where the stream contract is tried: a loop, and connections with a far end that the
// test holds. Real ones over loopback TCP, one for each poller and for completions; and the
// simulated one.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "ae/core/event_loop.h"
#include "ae/core/os.h"
#include "ae/net/connection_table.h"
#include "ae/sim/world.h"
#include "tests/contract/real_sockets.h"

namespace ae::contract {

// The far end of a connection.
class FarEnd {
 public:
  virtual ~FarEnd() = default;
  // How many bytes the window took.
  virtual size_t send(Bytes bytes) = 0;
  // What has arrived, at most `limit` bytes; "" where there is nothing.
  virtual std::string receive(size_t limit) = 0;
  virtual bool at_end() = 0;  // a FIN or a reset is here, and everything before it was received
  virtual void fin() = 0;
  virtual void reset() = 0;
  virtual void close() = 0;
};

class StreamWorld {
 public:
  virtual ~StreamWorld() = default;
  virtual EventLoop& loop() = 0;
  virtual std::pair<int, std::unique_ptr<FarEnd>> connect() = 0;
  // One tick; where time is real, one that waits a little for packets that are under way.
  virtual void tick() = 0;
  virtual void pass(Nanoseconds time) = 0;
  virtual bool use_completions() const { return false; }
};

class RealFarEnd final : public FarEnd {
 public:
  explicit RealFarEnd(int fd) : fd_(fd) {}
  ~RealFarEnd() override { close(); }

  size_t send(Bytes bytes) override { return fd_ == -1 ? 0 : real_os().write(fd_, bytes).bytes; }
  std::string receive(size_t limit) override {
    std::string bytes(limit, '\0');
    if (fd_ == -1 || limit == 0) return "";
    const IoResult result = real_os().read(fd_, bytes);
    at_end_ = result.status == IoStatus::kEnd || result.status == IoStatus::kError;
    bytes.resize(result.status == IoStatus::kOk ? result.bytes : 0);
    return bytes;
  }
  bool at_end() override { return at_end_; }
  void fin() override { EXPECT_TRUE(real_os().shutdown_write(fd_)); }
  void reset() override { close_with_reset(std::exchange(fd_, -1)); }
  void close() override {
    if (fd_ != -1) real_os().close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
  bool at_end_ = false;
};

class RealStreamWorld final : public StreamWorld {
 public:
  RealStreamWorld(std::unique_ptr<EventLoop> loop, bool completions)
      : loop_(std::move(loop)), completions_(completions) {}

  EventLoop& loop() override { return *loop_; }
  std::pair<int, std::unique_ptr<FarEnd>> connect() override {
    const auto [near, far] = tcp_pair();
    return {near, std::make_unique<RealFarEnd>(far)};
  }
  void tick() override { loop_->run_once(Milliseconds(1)); }
  void pass(Nanoseconds time) override {
    const TimePoint end = real_clock().now() + time;
    while (real_clock().now() < end) loop_->run_once(end - real_clock().now());
  }
  bool use_completions() const override { return completions_; }

 private:
  std::unique_ptr<EventLoop> loop_;
  bool completions_;
};

class SimulatedFarEnd final : public FarEnd {
 public:
  explicit SimulatedFarEnd(sim::SimPeer peer) : peer_(std::move(peer)) {}

  size_t send(Bytes bytes) override { return peer_.send(bytes); }
  std::string receive(size_t limit) override { return peer_.read(limit); }
  bool at_end() override { return peer_.saw_end() || peer_.saw_reset(); }
  void fin() override { peer_.fin(); }
  void reset() override { peer_.reset(); }
  void close() override { peer_.close(); }

 private:
  sim::SimPeer peer_;
};

class SimulatedStreamWorld final : public StreamWorld {
 public:
  explicit SimulatedStreamWorld(std::optional<sim::CompletionBuffers> completions)
      : completions_(completions.has_value()), world_({.completions = completions}) {}

  EventLoop& loop() override { return world_.loop(); }
  std::pair<int, std::unique_ptr<FarEnd>> connect() override {
    auto [fd, peer] = world_.os().stream_pair();
    return {fd, std::make_unique<SimulatedFarEnd>(std::move(peer))};
  }
  void tick() override { world_.tick(); }
  void pass(Nanoseconds time) override { world_.pass(time); }
  bool use_completions() const override { return completions_; }

 private:
  bool completions_;
  sim::World world_;
};

// Fails, with the reason, where this machine lacks it.
using StreamWorldFactory = std::function<Result<std::unique_ptr<StreamWorld>>()>;
struct NamedStreamWorld {
  std::string name;
  StreamWorldFactory create;
};

inline void PrintTo(const NamedStreamWorld& world, std::ostream* out) {
  *out << world.name;
}

inline NamedStreamWorld real_world(std::string name, Backend backend, bool completions) {
  return {std::move(name), [backend, completions]() -> Result<std::unique_ptr<StreamWorld>> {
            auto loop = EventLoop::create({.backend = backend});
            if (!loop) return fail(loop.error());
            if (completions && (*loop)->poller().completions() == nullptr) {
              return fail(ENOSYS, "completions");
            }
            return std::make_unique<RealStreamWorld>(std::move(*loop), completions);
          }};
}

inline NamedStreamWorld simulated_world(std::string name,
                                        std::optional<sim::CompletionBuffers> completions) {
  return {std::move(name),
          [completions] { return std::make_unique<SimulatedStreamWorld>(completions); }};
}

inline std::vector<NamedStreamWorld> stream_worlds() {
  return {real_world("epoll", Backend::kEpoll, false),
          real_world("poll", Backend::kPoll, false),
          real_world("select", Backend::kSelect, false),
          real_world("io_uring_readiness", Backend::kIoUring, false),
          real_world("io_uring_completions", Backend::kIoUring, true),
          simulated_world("simulated", std::nullopt),
          simulated_world("simulated_completions", sim::CompletionBuffers{})};
}

}  // namespace ae::contract
