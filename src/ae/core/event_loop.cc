// The reactor: one tick is run_once, and every phase is a function below it.
#include "ae/core/event_loop.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "ae/base/assert.h"
#include "ae/base/time_slice.h"
#include "ae/core/completions.h"

namespace ae {
namespace {

// When the kernel had no memory for an interest change, the change is tried again after this long
// at the latest. Long enough not to burn a processor that is short of memory, short enough for a
// client.
constexpr Nanoseconds kRetryInterestAfter = Milliseconds(10);

// Closings per tick, in number and in time, so that a hundred thousand clients dropped at once do
// not keep the others waiting. A close costs the kernel five to ten microseconds; a thousand in one
// tick were the longest stall of a reconnect storm. Five a tick take a tenth longer in all than a
// thousand would. The time is what counts, the number is for a clock that stands still.
constexpr size_t kMaxReapsPerTick = 1024;
constexpr Nanoseconds kReapSlice = Microseconds(50);

uint64_t pack(FileId id) {
  return uint64_t{id.generation} << 32 | id.slot;
}
FileId unpack(uint64_t token) {
  return {uint32_t(token), uint32_t(token >> 32)};
}

}  // namespace

// --- the tick

size_t EventLoop::run_once(std::optional<Nanoseconds> max_wait) {
  AE_ASSERT(!std::exchange(in_tick_, true));
  run_hooks(before_sleep_);
  apply_interest_changes();
  const size_t fetched = wait(max_wait);
  refresh_clock();
  run_hooks(after_sleep_);
  const size_t delivered = deliver_file_events(fetched);
  run_hooks(after_events_);
  drain_mailbox();
  run_due_timers();
  reap_closed();
  ++stats_.ticks;
  in_tick_ = false;
  return delivered;
}

void EventLoop::run() {
  while (!stopping_.load(std::memory_order_acquire)) run_once();
  stopping_.store(false, std::memory_order_relaxed);  // run() may be called again
}

void EventLoop::stop() {
  stopping_.store(true, std::memory_order_release);
  wake();
}

// By index: a hook may add a hook, which then runs in this round already.
void EventLoop::run_hooks(Hooks& hooks) {
  for (size_t i = 0; i < hooks.size(); ++i) hooks[i]();
}

void EventLoop::apply_interest_changes() {
  size_t unapplied = 0;
  for (const FileId id : dirty_) {
    Registration* file = files_.find(id);
    if (file == nullptr) continue;  // unwatched since
    file->dirty = !apply_interest(*file, id);
    if (file->dirty) dirty_[unapplied++] = id;
  }
  dirty_.resize(unapplied);
}

// Brings the poller to what is wanted by at most one call, by none if it is there already. False if
// the kernel has no memory for it now.
//
// Wanting nothing takes the descriptor out of the poller: epoll and poll report errors and hang-ups
// of whatever they hold, asked or not, and a paused connection that was reset would spin the loop.
bool EventLoop::apply_interest(Registration& file, FileId id) {
  const Events wanted = file.wanted & Events::kReadWrite;
  if (wanted == file.armed) return true;
  ++stats_.interest_changes;
  const bool keep = any(wanted);
  Status changed;
  if (!keep) {
    changed = poller_->remove(file.fd);
  } else if (file.known) {
    changed = poller_->modify(file.fd, wanted, file.trigger, pack(id));
  } else {
    changed = poller_->add(file.fd, wanted, file.trigger, pack(id));
  }
  if (!changed) {
    // Anything else is a descriptor that was closed while it was watched.
    AE_ASSERT(changed.error().code == ENOMEM || changed.error().code == ENOSPC);
    return false;
  }
  file.known = keep;
  file.armed = wanted;
  return true;
}

size_t EventLoop::wait(std::optional<Nanoseconds> max_wait) {
  now_ = clock_->now();
  std::optional<Nanoseconds> timeout = time_to_wait(max_wait);
  if (timeout != Nanoseconds::zero() && !gate_->try_sleep()) timeout = Nanoseconds::zero();
  poll_only_ = false;
  ++stats_.waits;
  account_.sleep(now_, timeout);
  const Result<size_t> fetched = poller_->wait(ready_, timeout);
  gate_->wake_up();
  AE_ASSERT(fetched.has_value());  // only a broken poller fails: its descriptor or memory is bad
  return *fetched;
}

std::optional<Nanoseconds> EventLoop::time_to_wait(std::optional<Nanoseconds> max_wait) const {
  if (poll_only_ || reaped_ < to_reap_.size()) return Nanoseconds::zero();
  std::optional<Nanoseconds> shortest = max_wait;
  const auto at_most = [&](Nanoseconds limit) {
    shortest = std::min(shortest.value_or(limit), limit);
  };
  if (const auto deadline = timers_.next_deadline()) {
    at_most(std::max(*deadline - now_, Nanoseconds::zero()));
  }
  if (!dirty_.empty()) at_most(kRetryInterestAfter);
  return shortest;
}

void EventLoop::refresh_clock() {
  now_ = clock_->now();
  unix_us_ = clock_->unix_us();
  account_.wake(now_, unix_us_);
}

size_t EventLoop::deliver_file_events(size_t fetched) {
  size_t delivered = urgent_.empty() ? 0 : deliver_urgent(fetched);
  Completions* completions = poller_->completions();
  const size_t completed = completions == nullptr ? 0 : completions->deliver();
  size_t others = 0;
  for (size_t i = 0; i < fetched; ++i) others += deliver(ready_[i]);
  stats_.events += others;
  account_.pass(Phase::kRun, completed + delivered + others);
  return delivered + others;
}

// The urgent events of this tick and what follows from them, before anybody else's. They are taken
// out of the batch, so that nothing is delivered twice.
size_t EventLoop::deliver_urgent(size_t fetched) {
  urgent_ready_.clear();
  for (ReadyEvent& event : std::span(ready_).first(fetched)) {
    const Registration* file = files_.find(unpack(event.token));
    if (file != nullptr && file->urgent) urgent_ready_.push_back(std::exchange(event, {}));
  }
  if (fetched == ready_.size()) find_urgent();
  size_t delivered = 0;
  for (const ReadyEvent& event : urgent_ready_) delivered += deliver(event);
  stats_.events += delivered;
  if (delivered > 0) run_hooks(after_events_);
  return delivered;
}

// More is ready than one wait fetches: the kernel hands it out in turn, and the turn of an urgent
// one may be many ticks away.
void EventLoop::find_urgent() {
  looks_.clear();
  for (const FileId id : urgent_) {
    const Registration& file = files_.at(id.slot);
    looks_.push_back({file.fd, file.wanted & Events::kReadWrite, Events::kNone});
  }
  poller_->look(looks_);
  urgent_ready_.clear();
  for (size_t i = 0; i < looks_.size(); ++i) {
    if (any(looks_[i].ready)) urgent_ready_.push_back({pack(urgent_[i]), looks_[i].ready});
  }
}

// The table is asked anew for each event: a handler earlier in this batch may have unwatched this
// registration (the id is stale then), or taken its interest away.
bool EventLoop::deliver(const ReadyEvent& event) {
  const FileId id = unpack(event.token);
  Registration* file = files_.find(id);
  if (file == nullptr) return false;
  Events ready = event.events & file->wanted & Events::kReadWrite;
  if (!any(ready)) return false;
  if (any(ready & Events::kReadable)) ready = ready | (event.events & Events::kHalfClosed);
  ready = ready | (file->wanted & Events::kBarrier);
  if (file->trigger == Trigger::kOneShot) file->wanted = file->armed = Events::kNone;
  file->handler->on_file_event(id, file->token, ready);
  return id != waker_id_;
}

void EventLoop::drain_mailbox() {
  account_.pass(Phase::kMailbox, 0);  // how much the hooks before it did, they alone know
  const size_t items = mailbox_->run();
  stats_.mailbox_items += items;
  account_.pass(Phase::kTimers, items);
}

void EventLoop::run_due_timers() {
  const size_t due = timers_.run_due(now_);
  stats_.timers_run += due;
  account_.pass(Phase::kReap, due);
}

// Who joins the list beyond the bound has its turn in the next tick, which does not wait.
void EventLoop::reap_closed() {
  if (reaps_pending() == 0) return account_.pass(Phase::kWrite, 0);
  const size_t first = reaped_;
  const size_t end = std::min(to_reap_.size(), first + kMaxReapsPerTick);
  const TimeSlice slice(*clock_, kReapSlice);
  do {
    const ReapEntry entry = to_reap_[reaped_++];  // by value: the call may add entries
    entry.reaper->on_reap(entry.token);
  } while (reaped_ < end && !slice.over());
  stats_.reaped += reaped_ - first;
  account_.pass(Phase::kWrite, reaped_ - first);
  // Cut off what is done once it is the larger part: each entry moves once at most, on average.
  if (reaped_ < to_reap_.size() / 2) return;
  to_reap_.erase(to_reap_.begin(), to_reap_.begin() + static_cast<ptrdiff_t>(reaped_));
  reaped_ = 0;
}

// --- files

Result<FileId> EventLoop::watch(int fd, Events interest, FileHandler* handler, uint32_t token,
                                Trigger trigger, Priority priority) {
  const bool urgent = priority == Priority::kUrgent;
  AE_ASSERT(!urgent || (trigger == Trigger::kLevel && urgent_.size() < kMaxUrgent));
  const FileId id =
      files_.emplace(handler, fd, token, interest, Events::kNone, trigger, false, false, urgent);
  const Events armed = interest & Events::kReadWrite;
  if (any(armed)) {
    ++stats_.interest_changes;
    if (Status added = poller_->add(fd, armed, trigger, pack(id)); !added) {
      files_.erase(id);
      return fail(added.error());
    }
    Registration& file = files_.at(id.slot);
    file.known = true;
    file.armed = armed;
  }
  if (urgent) urgent_.push_back(id);
  return id;
}

void EventLoop::set_interest(FileId id, Events interest) {
  Registration* file = files_.find(id);
  if (file == nullptr) return;
  file->wanted = interest;
  if (file->dirty || (interest & Events::kReadWrite) == file->armed) return;
  file->dirty = true;
  dirty_.push_back(id);
}

Events EventLoop::interest(FileId id) const {
  const Registration* file = files_.find(id);
  return file == nullptr ? Events::kNone : file->wanted;
}

// Not coalesced: the caller is about to close the descriptor, whose number may come back at once.
void EventLoop::unwatch(FileId id) {
  Registration* file = files_.find(id);
  if (file == nullptr) return;
  if (file->known) {
    ++stats_.interest_changes;
    const Status removed = poller_->remove(file->fd);
    AE_ASSERT(removed.has_value());  // else it was closed while it was watched
  }
  if (file->urgent) std::erase(urgent_, id);
  files_.erase(id);
}

size_t EventLoop::watched() const {
  return files_.size() - (waker_id_.valid() ? 1 : 0);
}

LoopMemory EventLoop::memory() const {
  return {.registrations = files_.live_bytes(),
          .spare_slots = files_.reserved_bytes() - files_.live_bytes(),
          .lists = dirty_.capacity() * sizeof(FileId) + ready_.capacity() * sizeof(ReadyEvent) +
                   to_reap_.capacity() * sizeof(ReapEntry),
          .poller = poller_->memory()};
}

// --- timers, hooks, other threads, reaping

TimerId EventLoop::add_timer(Nanoseconds delay, Callback<void()> callback) {
  return add_timer_at(now_ + delay, std::move(callback));
}

// A deadline in the past is now: run_due relies on nothing being added before it.
TimerId EventLoop::add_timer_at(TimePoint deadline, Callback<void()> callback) {
  return timers_.add(std::max(deadline, now_), Nanoseconds::zero(), std::move(callback));
}

TimerId EventLoop::add_periodic(Nanoseconds interval, Callback<void()> callback) {
  AE_ASSERT(interval > Nanoseconds::zero());
  return timers_.add(now_ + interval, interval, std::move(callback));
}

bool EventLoop::cancel(TimerId id) {
  return timers_.cancel(id);
}

void EventLoop::before_sleep(Callback<void()> hook) {
  before_sleep_.push_back(std::move(hook));
}
void EventLoop::after_sleep(Callback<void()> hook) {
  after_sleep_.push_back(std::move(hook));
}
void EventLoop::after_events(Callback<void()> hook) {
  after_events_.push_back(std::move(hook));
}

bool EventLoop::post(Callback<void()> task) {
  return mailbox_->post(std::move(task));
}

void EventLoop::reap_later(Reaper* reaper, uint64_t token) {
  to_reap_.push_back({reaper, token});
}

// --- life

Result<std::unique_ptr<EventLoop>> EventLoop::create(LoopOptions options) {
  AE_ASSERT(options.events_per_wait > 0);
  if (options.poller == nullptr) {
    Result<std::unique_ptr<Poller>> poller = create_poller(options.backend);
    if (!poller) return fail(poller.error());
    options.poller = std::move(*poller);
  }
  const size_t mailbox_capacity = options.mailbox_capacity;
  std::unique_ptr<EventLoop> loop(new EventLoop(std::move(options)));
  if (Status opened = loop->open_waker(mailbox_capacity); !opened) return fail(opened.error());
  return loop;
}

EventLoop::EventLoop(LoopOptions options)
    : clock_(options.clock != nullptr ? options.clock : &real_clock()),
      os_(options.os != nullptr ? options.os : &real_os()),
      poller_(std::move(options.poller)),
      account_(*clock_),
      ready_(options.events_per_wait) {
  refresh_clock();
}

// Edge-triggered where the poller can: each write is an edge, so the counter is never read, which
// saves a system call per wake.
Status EventLoop::open_waker(size_t mailbox_capacity) {
  const Result<int> waker = os_->create_waker();
  if (!waker) return fail(waker.error());
  waker_ = *waker;
  gate_.emplace(*os_, waker_);
  mailbox_.emplace(mailbox_capacity, *gate_);
  const Trigger trigger = poller_->supports(Trigger::kEdge) ? Trigger::kEdge : Trigger::kLevel;
  const Result<FileId> id =
      watch(waker_, Events::kReadable, &wake_handler_, static_cast<uint32_t>(trigger), trigger);
  if (!id) return fail(id.error());
  waker_id_ = *id;
  stats_ = {};
  return {};
}

void EventLoop::WakeHandler::on_file_event(FileId, uint32_t token, Events) {
  if (static_cast<Trigger>(token) == Trigger::kLevel) loop_.os_->drain_waker(loop_.waker_);
}

EventLoop::~EventLoop() {
  if (waker_ == -1) return;
  unwatch(waker_id_);
  os_->close(waker_);
}

}  // namespace ae
