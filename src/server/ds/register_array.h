// The 16,384 registers of a HyperLogLog, a byte each: what stored forms are unpacked into to be
// merged, and what the estimate is made from. See hyperloglog.h.
//
// The estimate is O. Ertl's improved raw estimator ("New cardinality estimation algorithms for
// HyperLogLog sketches", 2017, arXiv:1702.01284, algorithm 6): unlike Flajolet's it needs no
// correction for small or large cardinalities, and it looks at nothing but how many registers have
// each value.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ae/base/bytes.h"

namespace millrace::ds {

// 2^14 registers give a standard error of 1.04 / 2^7 = 0.81 %.
inline constexpr unsigned kRegisterIndexBits = 14;
inline constexpr size_t kRegisters = size_t{1} << kRegisterIndexBits;
// A register's value is 1 for each hash that begins (behind the index) with a 1, 2 for 01 ...
inline constexpr unsigned kHighestRank = 64 - kRegisterIndexBits + 1;

// How many registers have each value. 6 bits can hold more than any hash gives; such values come
// from outside and count for nothing.
using RegisterHistogram = std::array<uint32_t, 64>;

// How many different elements have most likely been added.
uint64_t estimate_count(const RegisterHistogram& histogram);

// --- six bits each, packed from the lowest bit of the first byte on

inline constexpr size_t kDenseBytes = kRegisters * 6 / 8;

uint8_t dense_register(const char* dense, size_t index);
void set_dense_register(char* dense, size_t index, uint8_t value);
RegisterHistogram dense_histogram(const char* dense);

// --- a byte each

class RegisterArray {
 public:
  uint8_t operator[](size_t index) const { return values_[index]; }
  void raise(size_t index, uint8_t value) { values_[index] = std::max(values_[index], value); }

  // Each register becomes the higher of the two.
  void merge_dense(const char* dense);
  void pack(char* dense) const;
  RegisterHistogram histogram() const;

 private:
  std::array<uint8_t, kRegisters> values_ = {};
};

}  // namespace millrace::ds
