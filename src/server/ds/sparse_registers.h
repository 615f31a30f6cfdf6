// The sparse form of a HyperLogLog's registers: runs of equal values, one or two bytes each.
//
//     00nnnnnn            ZERO    n + 1 registers are 0 (1 to 64)
//     01nnnnnn nnnnnnnn   XZERO   n + 1 registers are 0 (1 to 16,384)
//     1vvvvvnn            VAL     n + 1 registers (1 to 4) are v + 1 (1 to 32)
//
// One that nothing was added to is a single XZERO. Whoever raises a register splits the run that it
// is in and joins the pieces with their neighbours where they are equal. The result is not always
// the shortest one possible, but it has to be this one: the bytes can be read with GET, and another
// server, fed the same elements, has the same.
//
// The bytes may come from outside. A run that is cut off by the end, and runs that do not add up to
// 16,384 registers, are told to whoever asks for all of them. Raising asks for less: that some run
// holds the register.
//
// Costs: O(runs) for everything; a few thousand at most before the dense form is the shorter one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/ds/register_array.h"

namespace millrace::ds {

struct RegisterRun {
  uint8_t value;    // 0 to 32
  uint32_t length;  // registers
  uint8_t bytes;    // 1 or 2; 0: the run is cut off
};

class SparseRegisters {
 public:
  static constexpr uint8_t kHighestValue = 32;
  // All registers 0.
  static constexpr std::string_view kZeros{"\x7f\xff", 2};

  explicit SparseRegisters(std::string_view runs) : runs_(runs) {}

  // False: the runs do not make up the registers. Then some of them have been raised.
  bool merge_into(RegisterArray& registers) const;
  std::optional<RegisterHistogram> histogram() const;
  // PFDEBUG DECODE: "z:3 v:2,1 Z:16380", lengths and, of a VAL, value and length.
  std::string describe() const;

  // How to raise one register, computed before any byte is moved.
  struct Change {
    enum class Kind : uint8_t {
      kNone,     // it is as high already
      kReplace,  // one run by others
      kCorrupt,  // no run holds it
    };
    Kind kind = Kind::kNone;
    size_t at = 0;        // where the run stands
    size_t previous = 0;  // and the one before it; the same for the first
    uint8_t old_bytes = 0;
    uint8_t new_bytes = 0;
    char runs[5] = {};  // XZERO VAL XZERO at most

    int growth() const { return int(new_bytes) - int(old_bytes); }
  };
  // `value` is at most kHighestValue.
  Change raise(size_t index, uint8_t value) const;
  // Joins neighbours around a change that has been made, in place. Returns how many bytes the runs
  // have got shorter by.
  static size_t join(char* runs, size_t size, size_t from);

 private:
  // Of the run that holds a register.
  struct Place {
    bool found = false;
    size_t at = 0;
    size_t previous = 0;
    size_t first = 0;  // its first register
  };
  Place find(size_t index) const;

  std::string_view runs_;
};

}  // namespace millrace::ds
