// The real server on simulated sockets and a simulated clock, in this process, with or without IO
// threads, and clients who talk to it.
//
//   Stage stage({.io_threads = 2});
//   Talker talker(stage);
//   talker.send(proto::encode_request({"PING"}));
//   EXPECT_EQ(talker.await()->text, "PONG");
//
// The seed of every choice is printed; MILLRACE_SEED repeats it. Thread: one, also for the loops of
// IO threads, which are ticked in an order drawn anew each time.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/prng.h"
#include "ae/sim/agenda.h"
#include "ae/sim/sim_clock.h"
#include "ae/sim/sim_loop_host.h"
#include "ae/sim/sim_os.h"
#include "ae/sim/sim_peer.h"
#include "ae/sim/sim_poller.h"
#include "proto/reply_parser.h"
#include "proto/request_writer.h"
#include "server/server.h"
#include "tests/server/persist/held_worker.h"
#include "tests/server/persist/sim_forker.h"
#include "tests/server/persist/sim_storage.h"

namespace millrace {

struct StageOptions {
  bool completions = false;
  size_t io_threads = 0;
  std::vector<const char*> settings = {};  // further arguments of the server
  fakes::SimStorage* disk = nullptr;       // one that outlives the server; null: its own
};

inline uint64_t seed() {
  static const uint64_t kSeed = [] {
    const char* given = std::getenv("MILLRACE_SEED");
    const uint64_t value = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::printf("replay: MILLRACE_SEED=%llu\n", static_cast<unsigned long long>(value));
    return value;
  }();
  return kSeed;
}

// A server in a world of its own.
class Stage {
 public:
  explicit Stage(const StageOptions& options) : completions_(options.completions), random_(seed()) {
    const std::string threads = std::to_string(options.io_threads + 1);
    std::vector<const char*> arguments = {"millrace-server",
                                          "--port",
                                          "6379",
                                          "--bind",
                                          "127.0.0.1",
                                          "--loglevel",
                                          "warning",
                                          "--enable-debug-command",
                                          "yes",
                                          "--save",
                                          "",
                                          "--io-threads",
                                          threads.c_str()};
    arguments.insert(arguments.end(), options.settings.begin(), options.settings.end());
    if (auto problem = config_.load_arguments(int(arguments.size()), arguments.data()))
      throw std::runtime_error(*problem);
    fakes::SimStorage& disk = options.disk ? *options.disk : disk_;
    disk.add_directory(config_.config().dir);
    auto forker = std::make_unique<fakes::SimForker>();
    auto worker = std::make_unique<fakes::HeldWorker>();
    forker_ = forker.get();
    worker_ = worker.get();
    auto server = Server::create(
        config_, loop_options(),
        {.storage = &disk,
         .forker = std::move(forker),
         .file_worker = std::move(worker),
         .on_fatal = [this] { dead_ = true; }},
        [this](ae::LoopHostOptions options) { return start_thread(std::move(options)); });
    if (!server) throw std::runtime_error(server.error().message());
    server_ = std::move(*server);
    if (auto problem = server_->open()) throw std::runtime_error(*problem);
  }

  ae::sim::SimPeer dial() {
    return ae::sim::SimPeer::dial(os_, *ae::Address::parse("127.0.0.1", 6379));
  }
  // One tick of every loop, in which at most this much time passes.
  void tick(ae::Nanoseconds patience = ae::Nanoseconds(0)) {
    for (size_t i = threads_.size(); i > 1; --i)
      std::swap(threads_[i - 1], threads_[random_.below(i)]);
    const size_t before_main = threads_.empty() ? 0 : random_.below(threads_.size() + 1);
    for (size_t i = 0; i < before_main; ++i) tick_thread(i);
    server_->loop().run_once(patience);
    for (size_t i = before_main; i < threads_.size(); ++i) tick_thread(i);
  }
  // IO threads that there are.
  size_t threads() const { return threads_.size(); }
  Server& server() { return *server_; }
  fakes::SimForker& forker() { return *forker_; }
  fakes::HeldWorker& worker() { return *worker_; }
  // The process would have ended: what it has said since does not count.
  bool dead() const { return dead_; }
  // Calls on closed descriptors and the like, which a kernel would forgive.
  const std::vector<std::string>& misuses() const { return os_.misuses(); }
  // A loop that has something to do at each tick never waits; time passes all the same.
  void pass(ae::Nanoseconds duration) {
    constexpr int kTicksWithoutTime = 20;
    const ae::TimePoint end = clock_.now() + duration;
    while (clock_.now() < end) {
      const ae::TimePoint before = clock_.now();
      for (int i = 0; i < kTicksWithoutTime && clock_.now() == before; ++i) tick(end - before);
      if (clock_.now() == before) clock_.advance(ae::Milliseconds(1));
    }
    tick();
  }

 private:
  ae::LoopOptions loop_options() {
    std::optional<ae::sim::CompletionBuffers> completions;
    if (completions_) completions.emplace();
    ae::LoopOptions options;
    options.clock = &clock_;
    options.os = &os_;
    options.poller =
        std::make_unique<ae::sim::SimPoller>(os_, agenda_, random_.below(UINT64_MAX), completions);
    return options;
  }

  ae::Result<std::unique_ptr<ae::LoopHost>> start_thread(ae::LoopHostOptions options) {
    options.loop = loop_options();
    auto host = ae::sim::SimLoopHost::start(
        std::move(options), [this](ae::sim::SimLoopHost& gone) { std::erase(threads_, &gone); });
    if (!host) return ae::fail(host.error());
    threads_.push_back(host->get());
    return std::unique_ptr<ae::LoopHost>(std::move(*host));
  }

  // By position: a thread may end in a tick.
  void tick_thread(size_t position) {
    if (position < threads_.size()) threads_[position]->loop().run_once(ae::Nanoseconds(0));
  }

  const bool completions_;
  ae::Prng random_;
  std::vector<ae::sim::SimLoopHost*> threads_;
  ConfigStore config_;
  ae::sim::SimClock clock_;
  ae::sim::Agenda agenda_{clock_};
  ae::sim::SimOs os_;
  fakes::SimStorage disk_;
  fakes::SimForker* forker_ = nullptr;
  fakes::HeldWorker* worker_ = nullptr;
  bool dead_ = false;
  std::unique_ptr<Server> server_;
};

// A connection and what has come over it.
class Talker {
 public:
  explicit Talker(Stage& stage) : stage_(stage), peer_(stage.dial()) {}
  ~Talker() { peer_.close(); }
  Talker(const Talker&) = delete;
  Talker& operator=(const Talker&) = delete;

  // All of it, however often the socket must be emptied in between.
  void send(std::string_view bytes) {
    for (int ticks = 0; ticks < kTicksOfPatience; ++ticks) {
      bytes.remove_prefix(peer_.send_segment(bytes));
      stage_.tick();
      if (bytes.empty()) return;
      receive();
    }
    throw std::runtime_error("the server takes no more");
  }

  // Sends a request and returns its reply; an error is one too.
  proto::ReplyValue ask(std::initializer_list<std::string_view> command) {
    send(proto::encode_request(command));
    std::optional<proto::ReplyValue> reply = await();
    if (!reply) throw std::runtime_error("no reply");
    return std::move(*reply);
  }

  // The next reply. Most come without time passing; some after a pause or a timeout.
  std::optional<proto::ReplyValue> await() {
    for (int ticks = 0; replies_.empty() && ticks < kTicksAtOnce + kTicksOfPatience; ++ticks) {
      receive();
      if (replies_.empty()) stage_.tick(ae::Milliseconds(ticks < kTicksAtOnce ? 0 : 1));
    }
    if (replies_.empty()) return std::nullopt;
    proto::ReplyValue reply = std::move(replies_.front());
    replies_.pop_front();
    return reply;
  }

 private:
  static constexpr int kTicksAtOnce = 100;
  static constexpr int kTicksOfPatience = 10'000;

  void receive() {
    const std::string bytes = peer_.read();
    for (ae::Bytes input = bytes; !input.empty();) {
      const proto::ReplyResult result = parser_.feed(input);
      if (result.status == proto::ReplyStatus::kError)
        throw std::runtime_error("not RESP: " + std::string(result.error));
      input.remove_prefix(result.consumed);
      if (result.status == proto::ReplyStatus::kReply) replies_.push_back(parser_.take());
    }
  }

  Stage& stage_;
  ae::sim::SimPeer peer_;
  proto::ReplyParser parser_;
  std::deque<proto::ReplyValue> replies_;
};

}  // namespace millrace
