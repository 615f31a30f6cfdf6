// The two rings between the main thread and one IO thread, and what the thread tells of itself on
// the side.
//
// Thread: to_main is pushed by the IO thread and taken by main, to_thread the other way round; the
// counters are written by the IO thread and read by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "ae/threads/spsc_ring.h"
#include "server/net/io_batch.h"

namespace millrace {

// As of the thread's last tick.
struct IoCounters {
  std::atomic<uint64_t> clients{0};
  std::atomic<uint64_t> reads{0}, read_bytes{0};
  std::atomic<uint64_t> writes{0}, written_bytes{0};
  std::atomic<uint64_t> queued_output_bytes{0};
  std::atomic<uint64_t> batches{0};  // handed to main
};

struct IoChannel {
  // Batches of a thread that are with main at the same time. With two, the thread reads on while
  // one runs; more would only spread the same requests over smaller batches.
  static constexpr size_t kMaxWithMain = 2;
  // What main makes by itself comes on top, one batch a tick at most.
  static constexpr size_t kToThread = 256;

  ae::SpscRing<std::unique_ptr<IoBatch>> to_main{kMaxWithMain};
  ae::SpscRing<std::unique_ptr<IoBatch>> to_thread{kToThread};
  IoCounters counters;
};

}  // namespace millrace
