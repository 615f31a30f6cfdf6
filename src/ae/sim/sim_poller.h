// Waiting, simulated: an ae::Poller over the descriptors of a SimOs.
//
// Reports what epoll would, with all four triggers. What a kernel leaves open is drawn from the
// seed: the order of the events of one wait and, when more are ready than fit, which of those that
// waited equally long come first. (None starves: who was reported longest ago comes first.)
//
// Time passes only here. A wait that finds something ready takes none. Otherwise the agenda is run
// up to the deadline, stopping at the first instant at which something is ready, and the clock
// moves with it. A wait without a deadline, with nothing ready and an empty agenda, would sleep for
// ever: that is a bug of the program or of its test, and stops the process with a word.
//
// Given buffers for it, it also has the face of completions.h, as io_uring has (sim_completions.h).
//
// Exclusive registrations of several pollers on one descriptor: each wake-up is claimed by the one
// that waits first after it, and a level that stays ready goes on being reported to that one.
//
// Thread: one. Ownership: an EventLoop owns it; SimOs and Agenda are borrowed and live longer.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "ae/base/prng.h"
#include "ae/core/poller.h"
#include "ae/sim/agenda.h"
#include "ae/sim/sim_completions.h"
#include "ae/sim/sim_os.h"

namespace ae::sim {

class SimPoller final : public Poller, private SimOs::CloseObserver {
 public:
  SimPoller(SimOs& os, Agenda& agenda, uint64_t seed,
            std::optional<CompletionBuffers> completions = std::nullopt);
  ~SimPoller() override;
  SimPoller(const SimPoller&) = delete;
  SimPoller& operator=(const SimPoller&) = delete;

  // Descriptors registered now.
  size_t registered() const { return registrations_.size(); }
  // Null where it has none.
  SimCompletions* completions() override { return completions_.get(); }

  std::string_view name() const override { return "simulated"; }
  bool supports(Trigger) const override { return true; }
  Status add(int fd, Events interest, Trigger trigger, uint64_t token) override;
  Status modify(int fd, Events interest, Trigger trigger, uint64_t token) override;
  Status remove(int fd) override;
  Result<size_t> wait(std::span<ReadyEvent> out, std::optional<Nanoseconds> timeout) override;
  void look(std::span<Look> files) override;

 private:
  struct Registration {
    Events interest;
    Trigger trigger;
    uint64_t token;
    uint64_t seen_wakes = 0;     // of the descriptor, when it was last reported
    uint64_t last_reported = 0;  // number of the wait
    bool fired = false;          // one-shot: silent until modified
  };
  struct Candidate {
    uint64_t last_reported;
    Registration* registration;
    uint64_t wakes;
    Events events;
  };

  bool on_close(int fd) override;
  // What one look finds: file events in `out`, and completions.
  struct Found {
    size_t events;
    size_t completions;
    bool nothing() const { return events == 0 && completions == 0; }
  };
  Found find_ready(std::span<ReadyEvent> out);
  size_t sleep_until(std::span<ReadyEvent> out, std::optional<TimePoint> deadline);
  size_t collect(std::span<ReadyEvent> out);
  void find_candidates();
  void choose(size_t room);

  SimOs& os_;
  Agenda& agenda_;
  Prng random_;
  std::unique_ptr<SimCompletions> completions_;
  std::map<int, Registration> registrations_;
  std::vector<Candidate> candidates_;
  uint64_t waits_ = 0;
};

}  // namespace ae::sim
