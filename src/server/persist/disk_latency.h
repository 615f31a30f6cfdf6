// How long calls to the disk hold the loop, for LATENCY, under Redis' names. Costs two clock reads
// a call while `latency-monitor-threshold` is set, and a test otherwise.
//
//   ae::Status synced = latency.measure({"aof-fsync-always"}, [&] { return file.sync(); });
//
// Thread: the main loop's.
#pragma once

#include <initializer_list>
#include <string_view>

#include "ae/core/event_loop.h"
#include "server/command/services.h"
#include "server/observe/latency_monitor.h"

namespace millrace {

class DiskLatency {
 public:
  DiskLatency(ae::EventLoop& loop, Services& services) : loop_(loop), services_(services) {}

  // Returns what the call does. One call may be told of under several names.
  template <typename Call>
  auto measure(std::initializer_list<std::string_view> events, Call&& call) {
    if (!services_.latency.on()) return call();
    const ae::TimePoint before = loop_.clock().now();
    auto returned = call();
    const ae::Nanoseconds took = loop_.clock().now() - before;
    for (const std::string_view event : events)
      services_.latency.sample(event, uint64_t(took.count() / 1000), loop_.unix_us() / 1'000'000);
    return returned;
  }

 private:
  ae::EventLoop& loop_;
  Services& services_;
};

}  // namespace millrace
