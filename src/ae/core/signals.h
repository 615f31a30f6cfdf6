// Signals as events of a loop: the callback is an ordinary function, called in the phase "deliver
// file events", where it may do anything. (In a signal handler proper it may do next to nothing.)
//
//   ae::SignalSet signals(loop, {SIGTERM, SIGINT}, [&](int) { loop.stop(); });
//
// How: the signals are blocked, so that the kernel keeps them pending instead of interrupting, and
// a signalfd(2) becomes readable when one is.
//
// Threads. A signal sent to a process goes to any one thread that does not block it, and is
// consumed by it; so all must block it. A thread inherits the mask of the thread that made it:
// construct the SignalSet before any other thread exists. (Once the loop's thread is the only one
// that could take it, a signal is delivered to the signalfd whichever thread it was aimed at as a
// process.)
//
// Children. A mask survives fork and execve: a child that runs another program should unblock
// first. Equal signals that come faster than they are read are one; that is how signals are.
//
// Thread: the loop's. The loop must outlive it. The destructor restores the mask as it was.
#pragma once

#include <signal.h>

#include <initializer_list>

#include "ae/base/callback.h"
#include "ae/core/event_loop.h"

namespace ae {

class SignalSet final : private FileHandler {
 public:
  // Aborts if there is no descriptor to be had: it is made at start-up, or not at all.
  SignalSet(EventLoop& loop, std::initializer_list<int> signals,
            Callback<void(int signal)> callback);
  ~SignalSet();
  SignalSet(const SignalSet&) = delete;
  SignalSet& operator=(const SignalSet&) = delete;

 private:
  void on_file_event(FileId id, uint32_t token, Events ready) override;

  EventLoop& loop_;
  Callback<void(int)> callback_;
  sigset_t mask_before_;
  int fd_;
  FileId id_;
};

}  // namespace ae
