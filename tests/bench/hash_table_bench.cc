// HashTable and what stands under it. What to read in the output:
//
//   Hash/n             ns for a key of n bytes (goal: 10 at 16)
//   SlabPair           allocate + release, lines in the cache (goal: 6)
//   Find{Hit,Miss}/n   one lookup at a time in a table of n: the cache misses queue
//   Batch/n/b          the same in batches of b with prefetching: they overlap
//   Insert, Remove, RandomElement: at a million
//
// Elements are 56-byte cells with 16-byte keys, as the keyspace's.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "ae/base/prng.h"
#include "server/ds/hash.h"
#include "server/ds/hash_table.h"
#include "server/ds/slab.h"

namespace millrace::ds {
namespace {

struct Cell {
  char key[16];
  char rest[40];
};

struct CellPolicy {
  using Element = Cell;
  static std::string_view key(const Cell& cell) { return {cell.key, sizeof cell.key}; }
};
using Table = HashTable<CellPolicy>;

void write_key(char* out, uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "key:%012llu", static_cast<unsigned long long>(number));
  std::memcpy(out, text, 16);
}

Cell* new_cell(uint64_t number) {
  auto* cell = static_cast<Cell*>(slab().allocate(sizeof(Cell)));
  write_key(cell->key, number);
  return cell;
}

void add(Table& table, uint64_t number) {
  Cell* cell = new_cell(number);
  table.insert(cell, hash_bytes(CellPolicy::key(*cell)));
}

// Tables are made once and kept: filling ten million takes seconds.
const Table& filled(size_t count) {
  static std::map<size_t, Table> tables;
  Table& table = tables[count];
  for (size_t i = table.size(); i < count; ++i) add(table, i);
  return table;
}

// Keys in random order; `absent` of none of them exists.
std::vector<std::string> random_keys(size_t universe, bool absent) {
  ae::Prng random(7);
  std::vector<std::string> keys;
  for (size_t i = 0; i < (size_t{1} << 18); ++i) {
    char key[16];
    write_key(key, random.below(universe) + (absent ? universe : 0));
    keys.emplace_back(key, sizeof key);
  }
  return keys;
}

void Hash(benchmark::State& state) {
  std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  uint64_t chain = 0;
  for (auto _ : state) {
    std::memcpy(bytes.data(), &chain, std::min<size_t>(8, bytes.size()));
    chain = hash_bytes(bytes);
  }
  benchmark::DoNotOptimize(chain);
}
BENCHMARK(Hash)->Arg(4)->Arg(8)->Arg(16)->Arg(24)->Arg(32)->Arg(64);

void SlabPair(benchmark::State& state) {
  std::vector<void*> cells;
  for (int i = 0; i < 1'000; ++i) cells.push_back(slab().allocate(56));
  size_t at = 0;
  for (auto _ : state) {
    slab().release(cells[at], 56);
    cells[at] = slab().allocate(56);
    at = at + 1 == cells.size() ? 0 : at + 1;
  }
  for (void* cell : cells) slab().release(cell, 56);
}
BENCHMARK(SlabPair);

void SlabFill(benchmark::State& state) {
  std::vector<void*> cells(100'000);
  for (auto _ : state) {
    for (void*& cell : cells) cell = slab().allocate(56);
    for (void* cell : cells) slab().release(cell, 56);
  }
  state.SetItemsProcessed(state.iterations() * 200'000);
}
BENCHMARK(SlabFill);

void find_one_at_a_time(benchmark::State& state, bool absent) {
  const auto count = static_cast<size_t>(state.range(0));
  const Table& table = filled(count);
  const std::vector<std::string> keys = random_keys(count, absent);
  size_t at = 0;
  for (auto _ : state) {
    const std::string& key = keys[at++ % keys.size()];
    benchmark::DoNotOptimize(table.find(key, hash_bytes(key)));
  }
}
void FindHit(benchmark::State& state) {
  find_one_at_a_time(state, false);
}
void FindMiss(benchmark::State& state) {
  find_one_at_a_time(state, true);
}
BENCHMARK(FindHit)->Arg(1'000)->Arg(1'000'000)->Arg(10'000'000);
BENCHMARK(FindMiss)->Arg(1'000)->Arg(1'000'000)->Arg(10'000'000);

void Batch(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  const auto batch = static_cast<size_t>(state.range(1));
  const Table& table = filled(count);
  const std::vector<std::string> keys = random_keys(count, false);
  std::vector<uint64_t> hashes(batch);
  size_t at = 0;
  for (auto _ : state) {
    if (at + batch > keys.size()) at = 0;
    for (size_t i = 0; i < batch; ++i) {
      hashes[i] = hash_bytes(keys[at + i]);
      table.prefetch_bucket(hashes[i]);
    }
    for (size_t i = 0; i < batch; ++i) table.prefetch_element(hashes[i]);
    for (size_t i = 0; i < batch; ++i) {
      benchmark::DoNotOptimize(table.find(keys[at + i], hashes[i]));
    }
    at += batch;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(batch));
}
BENCHMARK(Batch)->ArgsProduct({{1'000'000, 10'000'000}, {1, 16, 128}});

void InsertAMillion(benchmark::State& state) {
  std::vector<Cell*> cells;
  for (size_t i = 0; i < 1'000'000; ++i) cells.push_back(new_cell(i));
  for (auto _ : state) {
    Table table;
    for (Cell* cell : cells) table.insert(cell, hash_bytes(CellPolicy::key(*cell)));
    state.counters["table bytes each"] =
        static_cast<double>(table.memory_bytes()) / static_cast<double>(cells.size());
    state.PauseTiming();
    table.clear([](Cell*) {});
    state.ResumeTiming();
  }
  for (Cell* cell : cells) slab().release(cell, sizeof(Cell));
  state.SetItemsProcessed(state.iterations() * 1'000'000);
}
BENCHMARK(InsertAMillion)->Unit(benchmark::kMillisecond);

void RandomElement(benchmark::State& state) {
  const Table& table = filled(static_cast<size_t>(state.range(0)));
  ae::Prng random(3);
  for (auto _ : state) benchmark::DoNotOptimize(table.random(random));
}
BENCHMARK(RandomElement)->Arg(1'000)->Arg(1'000'000);

void ScanAll(benchmark::State& state) {
  const Table& table = filled(1'000'000);
  size_t bytes = 0;
  for (auto _ : state) {
    uint64_t cursor = 0;
    do {
      cursor = table.scan(cursor, [&](Cell& cell) { bytes += static_cast<size_t>(cell.key[15]); });
    } while (cursor != 0);
  }
  benchmark::DoNotOptimize(bytes);
  state.SetItemsProcessed(state.iterations() * 1'000'000);
}
BENCHMARK(ScanAll)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace millrace::ds

BENCHMARK_MAIN();
