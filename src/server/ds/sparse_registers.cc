#include "server/ds/sparse_registers.h"

#include <algorithm>
#include <cstring>

namespace millrace::ds {
namespace {

constexpr uint8_t kValBit = 0x80;
constexpr uint8_t kLongBit = 0x40;  // of a run of zeros
constexpr uint32_t kMostShortZeros = 64;
constexpr uint32_t kMostValues = 4;

// Around a change no more runs than these can have become equal to a neighbour.
constexpr int kRunsLookedAt = 5;

inline RegisterRun decode(std::string_view runs, size_t at) {
  const auto byte = static_cast<uint8_t>(runs[at]);
  if (byte & kValBit)
    return {static_cast<uint8_t>((byte >> 2 & 31) + 1), uint32_t{byte & 3U} + 1, 1};
  const uint32_t zeros = byte & 63U;
  if (!(byte & kLongBit)) return {0, zeros + 1, 1};
  if (at + 1 == runs.size()) return {0, 0, 0};
  return {0, (zeros << 8 | static_cast<uint8_t>(runs[at + 1])) + 1, 2};
}

// Writes a run in its shortest form; returns where the next one goes.
char* encode(char* to, uint8_t value, uint32_t length) {
  if (value != 0) {
    *to++ = static_cast<char>(kValBit | (value - 1) << 2 | (length - 1));
  } else if (length <= kMostShortZeros) {
    *to++ = static_cast<char>(length - 1);
  } else {
    *to++ = static_cast<char>(kLongBit | (length - 1) >> 8);
    *to++ = static_cast<char>(length - 1);
  }
  return to;
}

bool can_join(RegisterRun left, RegisterRun right) {
  return left.value != 0 && left.value == right.value && left.length + right.length <= kMostValues;
}

// False: the runs do not make up the registers. Then what was visited until there has been.
template <typename Visit>
bool walk(std::string_view runs, const Visit& visit) {
  size_t first = 0;
  for (size_t at = 0; at < runs.size();) {
    const RegisterRun run = decode(runs, at);
    if (run.bytes == 0 || first + run.length > kRegisters) return false;
    visit(first, run);
    first += run.length;
    at += run.bytes;
  }
  return first == kRegisters;
}

std::string text_of(RegisterRun run) {
  const std::string length = std::to_string(run.length);
  if (run.value != 0) return "v:" + std::to_string(run.value) + "," + length;
  return (run.bytes == 1 ? "z:" : "Z:") + length;
}

}  // namespace

bool SparseRegisters::merge_into(RegisterArray& registers) const {
  return walk(runs_, [&registers](size_t first, RegisterRun run) {
    if (run.value == 0) return;
    for (size_t i = 0; i < run.length; ++i) registers.raise(first + i, run.value);
  });
}

std::optional<RegisterHistogram> SparseRegisters::histogram() const {
  RegisterHistogram histogram = {};
  const bool whole =
      walk(runs_, [&histogram](size_t, RegisterRun run) { histogram[run.value] += run.length; });
  return whole ? std::optional(histogram) : std::nullopt;
}

std::string SparseRegisters::describe() const {
  std::string text;
  for (size_t at = 0; at < runs_.size();) {
    const RegisterRun run = decode(runs_, at);
    if (run.bytes == 0) break;
    if (at != 0) text += ' ';
    text += text_of(run);
    at += run.bytes;
  }
  return text;
}

// All that PFADD does with most elements is this search, so it looks at the three forms of a run by
// itself and computes nothing else.
SparseRegisters::Place SparseRegisters::find(size_t index) const {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(runs_.data());
  const size_t size = runs_.size();
  size_t at = 0, previous = 0, first = 0;
  while (at < size) {
    const unsigned byte = bytes[at];
    size_t length = byte & kValBit ? (byte & 3U) + 1 : (byte & 63U) + 1;
    size_t next = at + 1;
    if ((byte & (kValBit | kLongBit)) == kLongBit) {
      if (next == size) break;
      length = ((byte & 63U) << 8 | bytes[next]) + 1;
      ++next;
    }
    if (index < first + length) return {true, at, previous, first};
    first += length;
    previous = at;
    at = next;
  }
  return {};
}

SparseRegisters::Change SparseRegisters::raise(size_t index, uint8_t value) const {
  const Place place = find(index);
  Change change{.at = place.at, .previous = place.previous};
  if (!place.found) {
    change.kind = Change::Kind::kCorrupt;
    return change;
  }
  const RegisterRun run = decode(runs_, place.at);
  if (run.value >= value) return change;

  const auto before = static_cast<uint32_t>(index - place.first);
  const uint32_t behind = run.length - before - 1;
  char* to = change.runs;
  if (before != 0) to = encode(to, run.value, before);
  to = encode(to, value, 1);
  if (behind != 0) to = encode(to, run.value, behind);
  change.kind = Change::Kind::kReplace;
  change.old_bytes = run.bytes;
  change.new_bytes = static_cast<uint8_t>(to - change.runs);
  return change;
}

size_t SparseRegisters::join(char* runs, size_t size, size_t from) {
  size_t end = size;
  size_t at = from;
  for (int looked_at = 0; looked_at < kRunsLookedAt && at < end; ++looked_at) {
    const RegisterRun left = decode({runs, end}, at);
    if (left.bytes == 0) break;
    const size_t next = at + left.bytes;
    if (next < end && can_join(left, decode({runs, end}, next))) {
      // The joined run may go on with what now follows it.
      const RegisterRun right = decode({runs, end}, next);
      encode(runs + at, left.value, left.length + right.length);
      std::memmove(runs + next, runs + next + 1, end - next - 1);
      --end;
    } else {
      at = next;
    }
  }
  return size - end;
}

}  // namespace millrace::ds
