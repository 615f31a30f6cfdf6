// The orderly end of the server, from the wish to the return of EventLoop::run().
//
//   request() -> replicas get what they lack      repl/farewell.h; writes wait from here on
//             -> the data is saved                fails: the server goes on, and whoever asked is
//             told
//             -> nobody new comes in, replies that wait for slow readers leave
//             -> the loop stops
//
// All of it until one deadline (`shutdown-timeout`). abort() takes the wish back at any moment
// before the last.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "ae/base/callback.h"
#include "ae/core/event_loop.h"
#include "server/command/lifecycle.h"
#include "server/command/services.h"
#include "server/persist/append_only_file.h"
#include "server/persist/snapshots.h"
#include "server/repl/replication.h"

namespace millrace {

class Shutdown {
 public:
  // All that is referred to outlives it.
  struct Parts {
    ae::EventLoop& loop;
    Services& services;
    Replication& replication;
    Snapshots& snapshots;
    AppendOnlyFile& append_only;
    ae::Callback<void()> close_endpoints;
    ae::Callback<void()> open_endpoints;  // again, after an abort
    ae::Callback<size_t()> flush;         // sends what can be sent; bytes that then still wait
  };

  explicit Shutdown(Parts parts) : parts_(std::move(parts)) {}
  ~Shutdown() { parts_.loop.cancel(timer_); }
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  ShutdownAnswer request(ShutdownRequest request);
  // False: none was under way.
  bool abort();
  // Until replicas are waited for no longer; nothing where none are.
  std::optional<int64_t> in_ms() const;
  // Before the loop sleeps, behind all who have something to send: the replies of the tick that
  // asked for the end leave with it.
  void look();

 private:
  // How often it is looked whether the last replies have left.
  static constexpr ae::Nanoseconds kLook = ae::Milliseconds(10);

  ShutdownAnswer save();
  bool save_data();
  void drain();
  void hold_writes();

  Parts parts_;
  ShutdownRequest request_;
  ae::TimePoint deadline_;
  ae::TimerId timer_{};  // set while replies drain
};

}  // namespace millrace
