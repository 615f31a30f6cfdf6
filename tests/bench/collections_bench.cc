// The collection types as commands use them: SADD, SPOP, HSET, ZADD and ZPOPMIN against a
// collection of a million (range 1'000'000) or one in its small encoding (range 100). Members look
// like redis-benchmark's: "member:000000123456".
//
//   collections_bench --benchmark_filter=zadd
#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <vector>

#include "ae/base/prng.h"
#include "server/ds/field_map.h"
#include "server/ds/sorted_set.h"
#include "server/ds/string_set.h"

namespace millrace::ds {
namespace {

// Distinct texts in random order: a permutation of the numbers below a million.
const std::vector<std::string>& texts() {
  static const std::vector<std::string> made = [] {
    std::vector<std::string> list;
    for (uint64_t i = 0; i < 1'000'000; ++i) {
      char text[32];
      const auto number = static_cast<unsigned>(i * 618'033 % 1'000'000);
      const int length = std::snprintf(text, sizeof text, "member:%012u", number);
      list.emplace_back(text, static_cast<size_t>(length));
    }
    return list;
  }();
  return made;
}

// What one command adds to a collection of any of the types.
void put(StringSet* set, const std::string& text, ae::Prng&) {
  set->add(text, {});
}
void put(FieldMap* map, const std::string& text, ae::Prng&) {
  map->set(text, std::string_view("xxxxxxxx"), {});
}
void put(SortedSet* set, const std::string& text, ae::Prng& prng) {
  set->add(text, prng.fraction() * 1e6, {}, {});
}

template <typename Collection>
Collection filled(uint64_t size, ae::Prng& prng) {
  Collection collection;
  for (uint64_t i = 0; i < size; ++i) put(&collection, texts()[i], prng);
  return collection;
}

// Per iteration: a collection grows from nothing to its size.
template <typename Collection>
void add(benchmark::State& state) {
  ae::Prng prng(1);
  texts();
  const auto size = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    Collection collection = filled<Collection>(size, prng);
    state.PauseTiming();
    state.counters["bytes_per_member"] =
        static_cast<double>(collection.memory_bytes()) / static_cast<double>(size);
    collection = Collection();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// Members that are there already, in random order: a lookup, and for a sorted set a new place.
template <typename Collection>
void add_again(benchmark::State& state) {
  ae::Prng prng(2);
  const auto size = static_cast<uint64_t>(state.range(0));
  Collection collection = filled<Collection>(size, prng);
  for (auto _ : state) put(&collection, texts()[prng.below(size)], prng);
}

void spop(benchmark::State& state) {
  ae::Prng prng(3);
  const auto size = static_cast<uint64_t>(state.range(0));
  StringSet set = filled<StringSet>(size, prng);
  uint64_t bytes = 0;
  for (auto _ : state) {
    if (set.size() < size / 2) {
      state.PauseTiming();
      set = filled<StringSet>(size, prng);
      state.ResumeTiming();
    }
    set.pop_random(prng, [&](std::string_view member) { bytes += member.size(); });
  }
  benchmark::DoNotOptimize(bytes);
}

void zpopmin(benchmark::State& state) {
  ae::Prng prng(4);
  const auto size = static_cast<uint64_t>(state.range(0));
  SortedSet set = filled<SortedSet>(size, prng);
  uint64_t bytes = 0;
  for (auto _ : state) {
    if (set.size() < size / 2) {
      state.PauseTiming();
      set = filled<SortedSet>(size, prng);
      state.ResumeTiming();
    }
    set.pop_min(1, [&](std::string_view member, double) { bytes += member.size(); });
  }
  benchmark::DoNotOptimize(bytes);
}

// ZADD and ZPOPMIN in turn: a queue of jobs by time.
void priority_queue(benchmark::State& state) {
  ae::Prng prng(5);
  const auto size = static_cast<uint64_t>(state.range(0));
  SortedSet set = filled<SortedSet>(size, prng);
  double now = 1e6;
  std::string job;
  for (auto _ : state) {
    set.pop_min(1, [&](std::string_view member, double) { job = member; });
    set.add(job, ++now, {}, {});
  }
}

void hget(benchmark::State& state) {
  ae::Prng prng(6);
  const auto size = static_cast<uint64_t>(state.range(0));
  const FieldMap map = filled<FieldMap>(size, prng);
  Element::TextBuffer buffer;
  for (auto _ : state) benchmark::DoNotOptimize(map.get(texts()[prng.below(size)], buffer));
}

void zrange_hundred(benchmark::State& state) {
  ae::Prng prng(7);
  const auto size = static_cast<uint64_t>(state.range(0));
  const SortedSet set = filled<SortedSet>(size, prng);
  for (auto _ : state) {
    const uint64_t begin = prng.below(size);
    set.for_range({begin, begin + 100}, Direction::kForward, [](std::string_view member, double) {
      benchmark::DoNotOptimize(member.front());
    });
  }
}

void zcount(benchmark::State& state) {
  ae::Prng prng(8);
  const auto size = static_cast<uint64_t>(state.range(0));
  const SortedSet set = filled<SortedSet>(size, prng);
  for (auto _ : state) {
    const double min = prng.fraction() * 1e6;
    benchmark::DoNotOptimize(set.ranks(ScoreRange{{min}, {min + 1000}}));
  }
}

constexpr int64_t kSmall = 100;
constexpr int64_t kLarge = 1'000'000;

BENCHMARK(add<StringSet>)->Name("sadd")->Arg(kSmall)->Arg(kLarge);
BENCHMARK(add<FieldMap>)->Name("hset")->Arg(kSmall)->Arg(kLarge);
BENCHMARK(add<SortedSet>)->Name("zadd")->Arg(kSmall)->Arg(kLarge);
BENCHMARK(add_again<StringSet>)->Name("sadd_again")->Arg(kSmall)->Arg(kLarge);
BENCHMARK(add_again<FieldMap>)->Name("hset_again")->Arg(kSmall)->Arg(kLarge);
BENCHMARK(add_again<SortedSet>)->Name("zadd_again")->Arg(kSmall)->Arg(kLarge);
BENCHMARK(spop)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(zpopmin)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(priority_queue)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(hget)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(zrange_hundred)->Arg(kSmall)->Arg(kLarge);
BENCHMARK(zcount)->Arg(kSmall)->Arg(kLarge);

}  // namespace
}  // namespace millrace::ds

BENCHMARK_MAIN();
