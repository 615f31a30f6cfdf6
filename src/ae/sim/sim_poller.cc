#include "ae/sim/sim_poller.h"

#include <algorithm>
#include <cerrno>

#include "ae/base/assert.h"

namespace ae::sim {
namespace {

// EPOLLRDHUP is asked for together with EPOLLIN; EPOLLERR and EPOLLHUP come unasked and become
// both.
Events as_reported(const Readiness& ready, Events interest) {
  Events events = ready.events & interest & Events::kReadWrite;
  if (any(interest & Events::kReadable)) events = events | (ready.events & Events::kHalfClosed);
  if (ready.error || ready.hang_up) events = events | Events::kReadWrite;
  return events;
}

}  // namespace

SimPoller::SimPoller(SimOs& os, Agenda& agenda, uint64_t seed,
                     std::optional<CompletionBuffers> completions)
    : os_(os), agenda_(agenda), random_(seed) {
  if (completions) {
    completions_ = std::make_unique<SimCompletions>(os, random_.next(), *completions);
  }
  os_.add_observer(this);
}

SimPoller::~SimPoller() {
  for (const auto& [fd, registration] : registrations_) os_.find(fd)->release_claim(this);
  os_.remove_observer(this);
}

bool SimPoller::on_close(int fd) {
  return registrations_.erase(fd) > 0;
}

// --- registrations

Status SimPoller::add(int fd, Events interest, Trigger trigger, uint64_t token) {
  const Fault fault = os_.faults().next(CallKind::kPollAdd);
  if (fault.kind == Fault::Kind::kErrno) return fail(fault.error, "poller add");
  if (os_.find(fd) == nullptr) return fail(EBADF, "poller add");
  const bool fresh = registrations_.try_emplace(fd, Registration{interest, trigger, token}).second;
  if (!fresh) return fail(EEXIST, "poller add");
  return {};
}

Status SimPoller::modify(int fd, Events interest, Trigger trigger, uint64_t token) {
  const Fault fault = os_.faults().next(CallKind::kPollModify);
  if (fault.kind == Fault::Kind::kErrno) return fail(fault.error, "poller modify");
  if (os_.find(fd) == nullptr) return fail(EBADF, "poller modify");
  const auto found = registrations_.find(fd);
  if (found == registrations_.end()) return fail(ENOENT, "poller modify");
  const uint64_t last_reported = found->second.last_reported;
  found->second = {interest, trigger, token};
  found->second.last_reported = last_reported;
  return {};
}

Status SimPoller::remove(int fd) {
  const Fault fault = os_.faults().next(CallKind::kPollRemove);
  if (fault.kind == Fault::Kind::kErrno) return fail(fault.error, "poller remove");
  if (os_.find(fd) == nullptr) return fail(EBADF, "poller remove");
  if (registrations_.erase(fd) == 0) return fail(ENOENT, "poller remove");
  if (SimSocket* socket = os_.find(fd)) socket->release_claim(this);
  return {};
}

// --- waiting

Result<size_t> SimPoller::wait(std::span<ReadyEvent> out, std::optional<Nanoseconds> timeout) {
  const Fault fault = os_.faults().next(CallKind::kPollWait);
  if (fault.kind == Fault::Kind::kInterrupted) return size_t{0};
  if (fault.kind == Fault::Kind::kErrno) return fail(fault.error, "poller wait");
  ++waits_;
  agenda_.run_due();
  const Found found = find_ready(out);
  const bool may_sleep = !timeout || *timeout > Nanoseconds::zero();
  if (!found.nothing() || !may_sleep) return found.events;
  if (!timeout) return sleep_until(out, std::nullopt);
  return sleep_until(out, agenda_.clock().now() + *timeout);
}

SimPoller::Found SimPoller::find_ready(std::span<ReadyEvent> out) {
  const size_t completions = completions_ == nullptr ? 0 : completions_->perform();
  return {collect(out), completions};
}

void SimPoller::look(std::span<Look> files) {
  for (Look& file : files) {
    if (SimSocket* socket = os_.find(file.fd)) {
      file.ready = as_reported(socket->readiness(), file.interest) & Events::kReadWrite;
    }
  }
}

size_t SimPoller::sleep_until(std::span<ReadyEvent> out, std::optional<TimePoint> deadline) {
  while (const auto next = agenda_.next()) {
    if (deadline && *next > *deadline) break;
    agenda_.clock().advance_to(*next);
    agenda_.run_due();
    if (const Found found = find_ready(out); !found.nothing()) return found.events;
  }
  if (!deadline) {
    assert_failed(__FILE__, __LINE__,
                  "the wait ends: nothing is ready, no timer runs and the agenda is empty");
  }
  agenda_.clock().advance_to(*deadline);
  return 0;
}

size_t SimPoller::collect(std::span<ReadyEvent> out) {
  find_candidates();
  choose(out.size());
  for (size_t i = 0; i < candidates_.size(); ++i) {
    const Candidate& candidate = candidates_[i];
    Registration& registration = *candidate.registration;
    registration.last_reported = waits_;
    registration.seen_wakes = candidate.wakes;
    registration.fired = registration.trigger == Trigger::kOneShot;
    out[i] = {registration.token, candidate.events};
  }
  return candidates_.size();
}

void SimPoller::find_candidates() {
  candidates_.clear();
  for (auto& [fd, registration] : registrations_) {
    SimSocket* socket = os_.find(fd);
    AE_ASSERT(socket != nullptr);  // on_close has taken it out
    const uint64_t wakes = socket->wakes();
    const Events events = as_reported(socket->readiness(), registration.interest);
    if (!any(events) || registration.fired) continue;
    if (registration.trigger == Trigger::kEdge && registration.seen_wakes == wakes) continue;
    if (registration.trigger == Trigger::kExclusive && !socket->claim(this)) continue;
    candidates_.push_back({registration.last_reported, &registration, wakes, events});
  }
}

// Who was reported longest ago goes first; the seed decides between equals, and the final order.
void SimPoller::choose(size_t room) {
  for (size_t i = candidates_.size(); i > 1; --i) {
    std::swap(candidates_[i - 1], candidates_[random_.below(i)]);
  }
  if (candidates_.size() <= room) return;
  std::ranges::stable_sort(candidates_, {}, &Candidate::last_reported);
  candidates_.resize(room);
  for (size_t i = room; i > 1; --i) std::swap(candidates_[i - 1], candidates_[random_.below(i)]);
}

}  // namespace ae::sim
