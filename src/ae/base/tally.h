// A count that one thread keeps and any thread may look at.
//
//   ae::Tally ticks;
//   ++ticks;                          // its owner
//   uint64_t so_far = ticks;          // anybody
//
// Relaxed loads and stores and no locked instruction: for the owner it costs what a plain uint64_t
// costs. Several tallies read by another thread belong to slightly different moments; that is good
// enough for a report and for nothing else. A copy is a snapshot.
#pragma once

#include <atomic>
#include <cstdint>

namespace ae {

class Tally {
 public:
  Tally(uint64_t value = 0) : value_(value) {}  // NOLINT(google-explicit-constructor): a number
  Tally(const Tally& other) : value_(uint64_t(other)) {}
  Tally& operator=(const Tally& other) { return *this = uint64_t(other); }
  Tally& operator=(uint64_t value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  // NOLINTNEXTLINE(google-explicit-constructor): reads like the number it is
  operator uint64_t() const { return value_.load(std::memory_order_relaxed); }
  Tally& operator+=(uint64_t amount) { return *this = uint64_t(*this) + amount; }
  Tally& operator++() { return *this += 1; }

 private:
  std::atomic<uint64_t> value_;
};

}  // namespace ae
