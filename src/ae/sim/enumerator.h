// Every way in which n bytes can arrive, one after the other and each by its number.
//
// A network may cut a message anywhere, and anything may happen between two pieces. An Enumerator
// counts these schedules and builds any of them from its number alone, so a run over all of them is
// a loop over numbers, and a failure is replayed by one number.
//
//   gap 0   piece 1   gap 1   piece 2   gap 2   ...   piece c+1   gap c+1
//
// A schedule has c cuts, hence c + 1 pieces and c + 2 gaps. In a gap the loop runs one tick, unless
// a variation says otherwise; at most `max_variations` gaps vary. The number of schedules is
//
//   sum over c <= max_cuts, v <= max_variations of  C(n-1, c) * C(c+2, v) * kinds^v
//
// and a number is taken apart by the combinatorial number system (D. Knuth, The Art of Computer
// Programming 4A, 7.2.1.3): which cuts, which gaps, which kinds. With max_cuts = n - 1 the cuts are
// all 2^(n-1) compositions of n.
//
// FIN and reset end a schedule: what would follow is not played. Schedules that differ only there
// are counted, and played, more than once.
//
// Thread: none of its own; const after construction. Example:
//
//   ae::sim::Enumerator schedules({.bytes = 14, .max_cuts = 13});
//   for (uint64_t n = 0; n < schedules.count(); ++n) play(schedules.at(n));
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ae::sim {

enum class Gap : uint8_t {
  kTick,             // the loop runs one tick: the ordinary case
  kNothing,          // none: both pieces are there before the next read, as two segments
  kTime,             // a second passes
  kInterrupted,      // the next wait ends with EINTR
  kReadWouldBlock,   // the next read says EAGAIN although bytes are there
  kWriteWouldBlock,  // the next write says EAGAIN
  kShortWrite,       // the next write takes one byte
  kFin,              // the peer has sent its last byte
  kReset,            // the peer vanishes with a RST
};
std::string_view name(Gap gap);

struct ScheduleSpace {
  size_t bytes = 1;                  // of the message; at most kMaxBytes
  size_t max_cuts = 0;               // bytes - 1 for all compositions
  std::vector<Gap> variations = {};  // what may happen instead of a tick
  size_t max_variations = 0;         // in how many gaps at once

  // Binomial coefficients up to here fit 64 bits.
  static constexpr size_t kMaxBytes = 60;
};

struct Schedule {
  uint64_t number = 0;
  std::vector<size_t> pieces;  // lengths
  std::vector<Gap> gaps;       // one more than pieces

  bool has(Gap gap) const;
};
// "#17: tick 3 read-would-block 4 tick"
std::string describe(const Schedule& schedule);

class Enumerator {
 public:
  explicit Enumerator(ScheduleSpace space);

  uint64_t count() const { return count_; }
  // `number` < count().
  Schedule at(uint64_t number) const;

 private:
  uint64_t block_size(size_t cuts, size_t variations) const;

  ScheduleSpace space_;
  uint64_t count_ = 0;
};

}  // namespace ae::sim
