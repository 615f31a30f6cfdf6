// What the server does when nobody asks: `hz` times a second, in slices that do not grow with the
// number of clients or keys.
//
//   expire    a slice of the keys whose time has passed (db/expiry.h)
//   free      a slice of what was unlinked (db/lazy_free.h)
//   clients   a slice of the idle ones (`timeout`); the end of a pause
//   sample    operations per second, traffic, peak memory
//   rest      after a second without a command, the allocator tidies up
//
// Thread: the loop's.
#pragma once

#include <array>
#include <cstdint>

#include "ae/core/event_loop.h"
#include "server/command/services.h"
#include "server/db/expiry.h"

namespace millrace {

// A rate over the last kSamples runs of the cron, as Redis computes instantaneous_ops_per_sec.
class RateMeter {
 public:
  static constexpr size_t kSamples = 16;
  void sample(uint64_t total, ae::TimePoint now);
  double per_second() const;

 private:
  std::array<double, kSamples> rates_{};
  size_t next_ = 0;
  uint64_t last_total_ = 0;
  ae::TimePoint last_time_{};
};

class Cron {
 public:
  // Slots looked at per run for idle clients: at hz 10 a million within ten seconds, which is how
  // late `timeout` may be there. A run costs some 120 µs, an eighth of a percent of a processor.
  static constexpr size_t kClientsPerRun = 10'000;
  static_assert(kClientsPerRun * 10 * 10 >= 1'000'000);
  // The look goes in slices of so many, and ends for this run once so many have been closed: each
  // is a system call at once and two when it is reaped, and a crowd that came together times out
  // together.
  static constexpr size_t kClosedPerRun = 500;

  // The longest that a slice of the expire cycle holds the loop.
  static constexpr ae::Nanoseconds kExpirySlice = ae::Microseconds(300);

  // So long without a command is a pause.
  static constexpr ae::Nanoseconds kIdleBeforeRest = ae::Seconds(1);

  Cron(ae::EventLoop& loop, Services& services);
  // Starts, or restarts after a change of `hz`.
  void start();

 private:
  void run();
  void expire_keys();
  void free_some();
  void close_idle_clients();
  void sample();
  void rest_when_idle();

  ae::EventLoop& loop_;
  Services& services_;
  ActiveExpiry expiry_;
  ae::TimerId timer_{};
  bool expiring_ = false;  // a slice has ended before the cycle had; the next one is under way
  uint32_t client_cursor_ = 0;
  uint64_t commands_when_idle_ = 0;
  ae::TimePoint idle_since_{};
  bool rested_ = false;
  RateMeter commands_, input_, output_;
};

}  // namespace millrace
