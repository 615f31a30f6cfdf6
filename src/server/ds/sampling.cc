#include "server/ds/sampling.h"

#include <bit>

namespace millrace::ds {

SeenSet::SeenSet(uint64_t expected)
    : slots_(std::bit_ceil(2 * expected + 2)),
      shift_(64 - static_cast<unsigned>(std::countr_zero(slots_.size()))) {}

bool SeenSet::insert(uint64_t number) {
  constexpr uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;  // multiplicative hashing, TAOCP 6.4
  const uint64_t stored = number + 1;
  uint64_t at = stored * kGoldenRatio >> shift_;
  for (; slots_[at] != 0; at = (at + 1) % slots_.size()) {
    if (slots_[at] == stored) return false;
  }
  slots_[at] = stored;
  return true;
}

namespace {

void walk(uint64_t population, uint64_t count, ae::Prng& prng, FunctionRef<void(uint64_t)> visit) {
  SequentialSample sample(population, count);
  for (uint64_t index = 0; !sample.done(); ++index) {
    if (sample.takes_next(prng)) visit(index);
  }
}

// In step `limit` a number up to `limit` is drawn; if it has been before, `limit` itself has not.
void draw(uint64_t population, uint64_t count, ae::Prng& prng, FunctionRef<void(uint64_t)> visit) {
  SeenSet seen(count);
  for (uint64_t limit = population - count; limit < population; ++limit) {
    const uint64_t drawn = prng.between(0, limit);
    if (seen.insert(drawn)) {
      visit(drawn);
    } else {
      seen.insert(limit);
      visit(limit);
    }
  }
}

}  // namespace

void sample_indices(uint64_t population, uint64_t count, Repetition repetition, ae::Prng& prng,
                    FunctionRef<void(uint64_t)> visit) {
  if (population == 0) return;
  if (repetition == Repetition::kRepeating) {
    for (; count != 0; --count) visit(prng.below(population));
  } else if (walks(population, count)) {
    walk(population, count, prng, visit);
  } else {
    draw(population, count, prng, visit);
  }
}

// A listpack has no index. One walk makes one, unless a single seek will do.
void sample_listpack(const ListpackView& pack, size_t stride, uint64_t count, Repetition repetition,
                     ae::Prng& prng, FunctionRef<void(Cursor)> visit) {
  const uint64_t population = pack.size() / stride;
  if (count == 1 && population != 0) {
    return visit(pack.seek(static_cast<int64_t>(prng.below(population) * stride)));
  }
  std::vector<Cursor> elements;
  elements.reserve(pack.size());
  for (Cursor at = pack.first(); at; at = pack.next(at)) elements.push_back(at);
  sample_indices(population, count, repetition, prng,
                 [&](uint64_t index) { visit(elements[index * stride]); });
}

}  // namespace millrace::ds
