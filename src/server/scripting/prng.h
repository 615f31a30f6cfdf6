// math.random's numbers: the 48-bit linear congruential generator of drand48(3), which Redis has
// too, so that a script that seeds it sees the same numbers on every machine.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>

namespace millrace::scripting {

class Prng {
 public:
  static constexpr int32_t kLimit = INT32_MAX;

  void seed(int32_t seed) {
    const auto bits = uint32_t(seed);
    state_ = {kLow, uint16_t(bits), uint16_t(bits >> 16)};
  }
  // 0 .. kLimit - 1
  int32_t next() { return int32_t(nrand48(state_.data()) % kLimit); }

 private:
  static constexpr uint16_t kLow = 0x330e;
  std::array<uint16_t, 3> state_ = {kLow, 0xabcd, 0x1234};
};

}  // namespace millrace::scripting
