// The IO threads, and the batches that come from them (DESIGN, 6). Every thread is a loop that owns
// its connections; here on the main thread are their sessions, and here their commands run, one
// batch after the other, so that handlers need no lock and cannot tell where a request came from.
//
//   newcomer --> the thread with the fewest clients
//   batch    --> newcomers get sessions -> requests run -> who has left is forgotten --> back
//
// io-threads counts the main thread, as in Redis: 1 is no pool at all, and with N there are N - 1
// loops for clients. It can be changed at run time. A thread that is no longer wanted takes no new
// clients, and ends with its last one: connections do not move between loops.
//
// Thread: the main one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/command/lifecycle.h"
#include "server/command/server_stats.h"
#include "server/core/executor.h"
#include "server/net/io_thread.h"

namespace millrace {

class IoPool {
 public:
  struct Parts {
    ae::EventLoop& loop;
    Services& services;
    Executor& executor;
    ClientDoor& door;
    ae::LoopStarter start;
    ae::ConnectionOptions connections;
    // Before any reply goes back to a thread (ae::ConnectionTable::set_before_flush is the same for
    // the main loop's own connections).
    ae::Callback<void()> before_replies = {};
  };
  explicit IoPool(Parts parts);

  // So many IO threads from now on. An error is a sentence; nothing has changed then.
  std::optional<std::string> resize(size_t threads);
  // Lets the threads accept beside `main`, which is open, where the configuration says that they
  // do; those that come later too.
  std::optional<std::string> listen(Endpoints& main);
  void stop_listening();
  void set_keepalive(int seconds);
  // Called when a thread has come or gone.
  void on_change(ae::Callback<void()> callback) { on_change_ = std::move(callback); }
  bool takes_clients() const { return wanted_ > 0; }
  // A descriptor that main has accepted, and the door has nothing against.
  void hand_out(int fd, Origin origin);
  // To be called when the configuration changes.
  void refresh();

  // --- for IoLink: the thread of a session
  IoThread& at(uint8_t number) { return *threads_[number - 1]; }
  // What this thread's loop has, to be looked at; the threads stand until the main loop sleeps.
  IoWorker& look_into(uint8_t number);

  // --- what they have done, those that have ended included
  Traffic traffic() const;
  size_t queued_output_bytes() const;
  std::vector<IoThreadFacts> facts() const;
  std::vector<LoopView> loops() const;
  void add_memory(ClientMemory& sum);

 private:
  void run_batches();
  size_t run_round(size_t most);
  void give_back();
  bool run_one(size_t index);
  void run(uint8_t number, IoBatch& batch);
  void welcome(uint8_t number, const IoNotice& notice);
  void adopted(uint8_t number, const IoNotice& notice);
  void protocol_error(const IoNotice& notice);
  void gone(uint8_t number, const IoNotice& notice);
  void note_keyspaces(RequestBatch& batch);
  void before_sleep();
  void release();
  void end_retired();
  std::optional<std::string> start_one();
  void stop_listening(IoThread& thread);
  IoSettings settings() const;
  uint8_t least_loaded() const;

  Parts parts_;
  size_t wanted_ = 0;
  Endpoints* main_endpoints_ = nullptr;             // while the threads listen
  std::vector<std::unique_ptr<IoThread>> threads_;  // by number - 1; null: none
  size_t next_first_ = 0;
  bool held_ = false;
  ae::TimerId retry_;
  Traffic of_ended_;
  ae::Callback<void()> on_change_;
};

}  // namespace millrace
