// One client is one descriptor. The limit on them (RLIMIT_NOFILE) is raised to what maxclients
// needs; where the machine does not let us, maxclients is lowered, and the log says so with the
// numbers.
//
//   SystemDescriptorLimit limit;
//   DescriptorGrant grant = reserve_descriptors(limit, 10'000);
//   if (grant.maxclients < 1) refuse to start
//
// A process may raise its soft limit up to its hard limit. A privileged one may raise the hard
// limit too, up to fs.nr_open (1048576 unless changed), beyond which nobody can go.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ae/base/result.h"
#include "server/config/config.h"

namespace millrace {

// Descriptors that are not clients': listeners, epoll, log, event and timer descriptors, files that
// are open for a moment. Redis' number.
inline constexpr uint64_t kReservedDescriptors = 32;

// What the admin lane takes besides: a descriptor held for each of its clients, its listeners, and
// one to turn a client too many away with. 0 without a lane.
uint64_t admin_descriptors(const Config& config);

// What the IO threads take: each a poller, a waker, one in reserve, and listeners where it has its
// own. As many threads as there are at the start; those that CONFIG SET adds come out of the
// clients'.
uint64_t io_thread_descriptors(const Config& config);

// The two calls, so that a test can be any machine.
class DescriptorLimit {
 public:
  struct Values {
    uint64_t soft = 0;
    uint64_t hard = 0;
  };

  virtual ~DescriptorLimit() = default;
  virtual ae::Result<Values> get() const = 0;
  virtual ae::Status set(Values values) = 0;
  virtual uint64_t highest_possible() const = 0;  // fs.nr_open
};

class SystemDescriptorLimit final : public DescriptorLimit {
 public:
  ae::Result<Values> get() const override;
  ae::Status set(Values values) override;
  uint64_t highest_possible() const override;
};

struct DescriptorGrant {
  uint64_t before = 0;       // the soft limit that was found
  uint64_t descriptors = 0;  // the soft limit now
  uint32_t maxclients = 0;   // how many clients that is enough for, at most as many as were wanted
  uint64_t needed = 0;       // what was asked for
  int error = 0;             // why it is not more: an errno value
};

// Raises the limit as far as needed and possible; never lowers it. `reserved` are not for clients.
DescriptorGrant reserve_descriptors(DescriptorLimit& limit, uint32_t wanted_maxclients,
                                    uint64_t reserved = kReservedDescriptors);

// Lets the kernel make its table of this process' descriptors as large as so many of them need, by
// taking the highest number for a moment. Left to itself it doubles the table as they come, and in
// a process of several threads (jemalloc has one) each time waits for a grace period of RCU:
// accept(2) then took 13 to 31 ms at every doubling, measured by LATENCY TICKS while 18,000 clients
// connected. Eight bytes of the kernel's memory for each.
void widen_descriptor_table(uint64_t descriptors);

// The lines to log about a grant; none if the limit was high enough already.
std::vector<std::string> describe(const DescriptorGrant& grant, uint32_t wanted_maxclients);

}  // namespace millrace
