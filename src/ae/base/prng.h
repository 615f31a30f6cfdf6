// Pseudo-random numbers with a seed, so that whatever used them can be run again.
//
//   ae::Prng random(seed);
//   size_t victim = random.below(candidates);
//
// Not for secrets: the state follows from a few outputs. Small, fast and well distributed:
// xoshiro256** (D. Blackman and S. Vigna, "Scrambled Linear Pseudorandom Number Generators", 2018),
// seeded by SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014), as its authors advise.
#pragma once

#include <bit>
#include <cstdint>

namespace ae {

// One step of SplitMix64; also a good mixer of one word.
constexpr uint64_t split_mix(uint64_t& state) {
  uint64_t mixed = state += 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio, odd
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

class Prng {
 public:
  using result_type = uint64_t;  // a UniformRandomBitGenerator: std::shuffle takes one

  explicit Prng(uint64_t seed) {
    for (uint64_t& word : state_) word = split_mix(seed);
  }

  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return UINT64_MAX; }
  uint64_t operator()() { return next(); }

  uint64_t next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound); 0 for bound 0. The high half of a 128-bit product (D. Lemire, 2019),
  // with its bias of at most bound / 2^64 left in: no test of ours could see it.
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<__uint128_t>(next()) * bound) >> 64);
  }
  // Uniform in [low, high].
  uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }
  bool one_in(uint64_t n) { return below(n) == 0; }
  // Uniform in [0, 1), 53 bits.
  double fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_[4];
};

}  // namespace ae
