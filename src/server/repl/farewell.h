// A server that is to end waits for its replicas: what it has acknowledged to clients shall be with
// somebody who stays.
//
//   if (farewell.is_due()) farewell.begin(deadline, [this] { end(); });
//
//   begin --- every replica has acknowledged all ---> done()
//     |------ deadline -----------------------------> done()
//     `------ cancel() -----------------------------> those who asked for the end get an error
//
// The owner keeps writes out meanwhile. Redis' rules and log lines. Thread: the one that runs
// commands; `done` is called from the loop, not from within begin().
#pragma once

#include <cstdint>
#include <vector>

#include "ae/base/callback.h"
#include "ae/core/event_loop.h"
#include "server/command/services.h"
#include "server/repl/leader.h"

namespace millrace {

class Farewell {
 public:
  Farewell(ae::EventLoop& loop, Services& services, const ReplicationLog& log, Leader& leader)
      : loop_(loop), services_(services), log_(log), leader_(leader) {}
  ~Farewell() { loop_.cancel(timer_); }
  Farewell(const Farewell&) = delete;
  Farewell& operator=(const Farewell&) = delete;

  // Whether some replica lacks something.
  bool is_due() const { return lagging_count() > 0; }
  void begin(ae::TimePoint deadline, ae::Callback<void()> done);
  bool under_way() const { return timer_.valid(); }
  // A client whose SHUTDOWN waits for the end.
  void add(SessionId session) { askers_.push_back(session); }
  // The server goes on. Who asked for its end runs again.
  void cancel();
  // Whether this client has asked, and in vain; told once.
  bool take_refused(SessionId session) { return std::erase(refused_, session) > 0; }
  // Who is left behind, for the log.
  void log_lagging() const;

 private:
  // How often it is looked whether all have everything.
  static constexpr ae::Nanoseconds kLook = ae::Milliseconds(10);

  int64_t target() const;
  size_t lagging_count() const;
  void look();

  ae::EventLoop& loop_;
  Services& services_;
  const ReplicationLog& log_;
  Leader& leader_;
  ae::TimePoint deadline_;
  ae::Callback<void()> done_;
  ae::TimerId timer_{};
  std::vector<SessionId> askers_, refused_;
};

}  // namespace millrace
