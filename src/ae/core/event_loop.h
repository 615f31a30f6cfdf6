// The reactor. One thread calls run(); everything below happens on it.
//
// The tick, phase by phase (run_once is this list, one call each):
//
//   1. before-sleep hooks      last chance before waiting: flush replies, fsync
//   2. apply interest changes  coalesced: a registration changed twice costs one system call or
//   none
//   3. wait                    until an event, the next timer, or a wake from another thread
//   4. refresh the clock       once; now() is a load for the rest of the tick
//   5. after-sleep hooks
//   6. deliver file events     then after-events hooks: what was read this tick runs as one batch.
//                              Urgent ones first, as a batch of their own (watch() with kUrgent)
//   7. drain the mailbox       closures posted by other threads
//   8. run due timers
//   9. reap closed             the only place where anything dies
//
// Nothing dies while an event is being delivered: unwatch() takes effect at once for delivery (no
// further event reaches the handler, even one already fetched), and objects that close themselves
// join the reap list, whose entries are called in phase 9.
//
// Handlers, hooks and timers may call anything here, including unwatch of the registration being
// delivered, cancel of the timer being run, and stop(). They must not call run() or run_once().
//
// Example:
//
//   auto loop = ae::EventLoop::create({.backend = ae::Backend::kEpoll});
//   loop.value()->add_timer(ae::Seconds(1), [&] { (*loop)->stop(); });
//   loop.value()->run();
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "ae/base/callback.h"
#include "ae/base/clock.h"
#include "ae/base/result.h"
#include "ae/base/slot_map.h"
#include "ae/core/events.h"
#include "ae/core/mailbox.h"
#include "ae/core/os.h"
#include "ae/core/poller.h"
#include "ae/core/tick_account.h"
#include "ae/core/timer_queue.h"

namespace ae {

class EventLoop;

// Names one registration. A stale id (its registration is gone, its slot reused) is recognised.
struct FileId {
  uint32_t slot = 0;
  uint32_t generation = 0;  // 0 names nothing
  bool valid() const { return generation != 0; }
  friend bool operator==(FileId, FileId) = default;
};

// Receives file events. One handler serves any number of registrations; `token` tells it which.
class FileHandler {
 public:
  // Called once per tick and registration, with everything that is ready.
  virtual void on_file_event(FileId id, uint32_t token, Events ready) = 0;

 protected:
  ~FileHandler() = default;
};

// Receives the call of the reap phase.
class Reaper {
 public:
  virtual void on_reap(uint64_t token) = 0;

 protected:
  ~Reaper() = default;
};

struct LoopOptions {
  Backend backend = Backend::kEpoll;
  // The three seams; the real ones where null. The loop owns a poller that is passed in.
  Clock* clock = nullptr;
  Os* os = nullptr;
  std::unique_ptr<Poller> poller = nullptr;
  // Events fetched per wait. Bounds the length of a tick under a storm.
  size_t events_per_wait = 1024;
  // Tasks that other threads may have posted and the loop not yet run; post() is refused beyond.
  size_t mailbox_capacity = 1024;
};

// What the loop did, since creation; cheap counters, for INFO and for tests that count instead of
// time. Where its time went is in tick_account.h.
struct LoopStats {
  uint64_t ticks = 0;
  uint64_t waits = 0;
  uint64_t events = 0;
  uint64_t interest_changes = 0;  // add/modify/remove calls made on the poller
  uint64_t timers_run = 0;
  uint64_t mailbox_items = 0;
  uint64_t reaped = 0;
};

// User memory of a loop, in bytes.
struct LoopMemory {
  size_t registrations = 0;  // of what is watched
  size_t spare_slots = 0;    // beside them in the table
  size_t lists = 0;          // what a tick works on
  PollerMemory poller;
};

class EventLoop {
 public:
  static Result<std::unique_ptr<EventLoop>> create(LoopOptions options = {});
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // --- files. The descriptor stays the caller's, who unwatches it before closing it.
  // The registration is made known to the kernel at once, so that its failure has a place to go.
  Result<FileId> watch(int fd, Events interest, FileHandler* handler, uint32_t token,
                       Trigger trigger = Trigger::kLevel, Priority priority = Priority::kNormal);
  // Urgent registrations (level-triggered, at most kMaxUrgent). In a tick that has events for them
  // these are delivered before all others, however many are ready, and the after-events hooks run
  // behind them, and again behind the others: what an urgent connection asked is answered before
  // anybody else is read. A wait that comes back full may have left them out; then they are asked
  // about by name (Poller::look).
  static constexpr size_t kMaxUrgent = 64;
  // Coalesced: takes effect before the next wait. Unknown ids are ignored (the registration is
  // gone).
  void set_interest(FileId id, Events interest);
  Events interest(FileId id) const;
  void unwatch(FileId id);
  size_t watched() const;

  // --- timers
  TimerId add_timer(Nanoseconds delay, Callback<void()> callback);
  TimerId add_timer_at(TimePoint deadline, Callback<void()> callback);
  // Runs every `interval`, the first time after one; a late tick does not make up for missed runs.
  TimerId add_periodic(Nanoseconds interval, Callback<void()> callback);
  bool cancel(TimerId id);
  size_t pending_timers() const { return timers_.size(); }

  // --- hooks: run in order of registration, every tick. Removing one is not offered; a component
  // that hooks into a loop lives as long as the loop runs.
  void before_sleep(Callback<void()> hook);
  void after_sleep(Callback<void()> hook);
  void after_events(Callback<void()> hook);

  // --- other threads
  // Thread-safe: runs `task` on the loop, in phase 7 of a coming tick, in order of posting.
  // False when the mailbox is full. Tasks that never ran are destroyed with the loop.
  bool post(Callback<void()> task);
  // Thread-safe, callable from a signal handler: ends run() after the current tick.
  void stop();

  // --- the end of things
  void reap_later(Reaper* reaper, uint64_t token);
  // Closings that wait for their turn: a tick spends a bounded time on them.
  size_t reaps_pending() const { return to_reap_.size() - reaped_; }

  // --- running
  void run();
  // One tick. `max_wait`: as Poller::wait. Returns the number of file events delivered.
  size_t run_once(std::optional<Nanoseconds> max_wait = std::nullopt);
  // Thread-safe, callable from a signal handler: the loop comes out of its wait, or does not enter
  // the next one. What was written before is seen by the hooks after it. For queues of one's own
  // (spsc_ring.h).
  void wake() { gate_->notify(); }
  // Makes the next wait not block: there is work that no descriptor announces.
  void wake_next_tick() {
    poll_only_ = true;
    account_.note_work();
  }

  TimePoint now() const { return now_; }        // this tick's
  int64_t unix_us() const { return unix_us_; }  // this tick's
  int64_t unix_ms() const { return unix_us_ / 1000; }
  Clock& clock() { return *clock_; }  // for what must be measured inside a tick
  Os& os() { return *os_; }
  Poller& poller() { return *poller_; }
  const LoopStats& stats() const { return stats_; }
  TickAccount& account() { return account_; }
  LoopMemory memory() const;

 private:
  // One per watched descriptor, in a table of up to a million: every byte here is a megabyte there.
  struct Registration {
    FileHandler* handler;
    int fd;
    uint32_t token;
    Events wanted;  // what the owner asked for
    Events armed;   // what the poller has
    Trigger trigger;
    bool known : 1;  // the poller has it, if only disarmed (a one-shot that fired)
    bool dirty : 1;  // is in dirty_
    bool urgent : 1;
  };
  static_assert(sizeof(Registration) <= 24);

 public:
  static constexpr size_t kRegistrationBytes = SlotMap<Registration, FileId>::kSlotBytes;

 private:
  // The registration through which other threads end a wait.
  class WakeHandler final : public FileHandler {
   public:
    explicit WakeHandler(EventLoop& loop) : loop_(loop) {}
    void on_file_event(FileId id, uint32_t token, Events ready) override;

   private:
    EventLoop& loop_;
  };

  struct ReapEntry {
    Reaper* reaper;
    uint64_t token;
  };

  using Hooks = std::deque<Callback<void()>>;  // stable: a hook may add a hook

  explicit EventLoop(LoopOptions options);
  Status open_waker(size_t mailbox_capacity);

  // The phases.
  static void run_hooks(Hooks& hooks);
  void apply_interest_changes();
  size_t wait(std::optional<Nanoseconds> max_wait);
  void refresh_clock();
  size_t deliver_file_events(size_t fetched);  // returns how many
  size_t deliver_urgent(size_t fetched);
  void find_urgent();
  void drain_mailbox();
  void run_due_timers();
  void reap_closed();

  bool apply_interest(Registration& file, FileId id);
  std::optional<Nanoseconds> time_to_wait(std::optional<Nanoseconds> max_wait) const;
  bool deliver(const ReadyEvent& event);

  Clock* clock_;
  Os* os_;
  std::unique_ptr<Poller> poller_;
  TickAccount account_;
  TimePoint now_;
  int64_t unix_us_ = 0;
  bool poll_only_ = false;
  bool in_tick_ = false;
  LoopStats stats_;

  SlotMap<Registration, FileId> files_;
  std::vector<FileId> dirty_;      // registrations whose wanted and armed may differ
  std::vector<ReadyEvent> ready_;  // what the last wait fetched
  std::vector<FileId> urgent_;     // the urgent registrations, at most kMaxUrgent
  std::vector<ReadyEvent> urgent_ready_;
  std::vector<Poller::Look> looks_;
  TimerQueue timers_;
  Hooks before_sleep_, after_sleep_, after_events_;
  std::vector<ReapEntry> to_reap_;
  size_t reaped_ = 0;  // entries of to_reap_ that are done

  WakeHandler wake_handler_{*this};
  int waker_ = -1;
  FileId waker_id_;
  std::optional<WakeGate> gate_;
  std::optional<Mailbox> mailbox_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace ae
