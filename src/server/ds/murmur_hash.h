// MurmurHash64A, by A. Appleby, who gave it to the public domain: the hash that a HyperLogLog's
// registers are chosen by. Which registers a stored value has depends on it, so it can never be
// another. Where a stranger's keys are hashed into buckets, hash.h is used instead.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/ds/hash.h"

namespace millrace::ds {

inline uint64_t murmur_hash(std::string_view bytes, uint64_t seed) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  constexpr int kShift = 47;
  uint64_t hash = seed ^ (bytes.size() * kMultiplier);
  const char* at = bytes.data();
  for (size_t words = bytes.size() / 8; words != 0; --words, at += 8) {
    uint64_t word = hash_detail::load_word(at) * kMultiplier;
    word ^= word >> kShift;
    hash = (hash ^ word * kMultiplier) * kMultiplier;
  }
  if (const size_t left = bytes.size() % 8; left != 0)
    hash = (hash ^ hash_detail::load_tail(at, left)) * kMultiplier;
  hash = (hash ^ hash >> kShift) * kMultiplier;
  return hash ^ hash >> kShift;
}

}  // namespace millrace::ds
