// What one phase of a run came to: counts and histograms. A plain record without pointers, because
// it travels from a worker process to the conductor as bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "ae/base/clock.h"
#include "ae/base/histogram.h"

namespace load {

// Exact to a thousandth: what a tester prints is compared in the third digit.
using Histogram = ae::Histogram<10>;

struct PhaseResult {
  // --- requests. asked, answered and late are the open loop's, the others everybody's
  uint64_t asked = 0;
  uint64_t answered = 0;
  uint64_t late = 0;        // answered, but later than --late
  uint64_t wrong = 0;       // an error, another text than expected, or a reply nobody asked for
  uint64_t unanswered = 0;  // not within the deadline
  uint64_t lost = 0;        // the connection ended before the reply
  uint64_t unasked = 0;     // due, but there was no connection to ask on

  // --- connections
  uint64_t connected = 0;  // in this phase
  uint64_t connect_failed = 0;
  int32_t connect_error = 0;  // errno of the first that failed
  uint64_t broken = 0;        // ended by the server or the network
  uint64_t present = 0;       // at the end of the phase
  uint64_t peers_closed = 0;  // slow, half-open or dribbling ones that the server threw out
  uint64_t peer_bytes = 0;    // what slow readers have read

  // --- the tester itself
  ae::Nanoseconds wall{0};       // from the first request's time to the last one's
  ae::Nanoseconds reconnect{0};  // storm: until all were in again
  ae::Nanoseconds cpu{0};        // of the tester, all processes

  Histogram latency;  // from the time a request was due to its reply
  Histogram lag;      // from the time a request was due to its sending: the tester's own lateness
  Histogram closed;   // the closed loop beside it: from the sending to the reply
  Histogram connect;  // from dial to established

  char first_wrong[160] = {};  // as text, NUL-terminated; empty where nothing was

  void note_wrong(std::string_view text) {
    ++wrong;
    if (first_wrong[0] != '\0') return;
    const size_t size = std::min(text.size(), sizeof(first_wrong) - 1);
    std::memcpy(first_wrong, text.data(), size);
  }

  // Is what was asked all there, and right?
  bool clean() const { return wrong + unanswered + lost + unasked + connect_failed + broken == 0; }

  void add(const PhaseResult& other);
};
static_assert(std::is_trivially_copyable_v<PhaseResult>);

}  // namespace load
