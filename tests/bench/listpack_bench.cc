// What the operations of a listpack and of an intset cost, at the sizes the server keeps them.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "server/ds/int_set.h"
#include "server/ds/listpack.h"

namespace millrace::ds {
namespace {

std::string numbered(const char* prefix, std::int64_t number) {
  std::string text = std::to_string(number);
  text.insert(0, 8 - text.size(), '0');
  return prefix + text;
}

// A hash of range(0) fields: "field:00000007" -> "value:00000007".
Listpack hash_of(std::int64_t fields) {
  Listpack pack;
  for (std::int64_t i = 0; i < fields; ++i) {
    pack.append_pair(numbered("field:", i), numbered("value:", i));
  }
  return pack;
}

// The last field of the hash; the figure that matters is the time per element passed.
void BM_FindLastField(benchmark::State& state) {
  const Listpack pack = hash_of(state.range(0));
  const std::string field = numbered("field:", state.range(0) - 1);
  for (auto _ : state) benchmark::DoNotOptimize(pack.find(field, pack.first(), 1));
  state.SetItemsProcessed(state.iterations() * state.range(0) * 2);
}
BENCHMARK(BM_FindLastField)->Arg(5)->Arg(32)->Arg(128);

void BM_FindAbsentInMixed(benchmark::State& state) {
  Listpack pack;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    pack.append_pair(i % 3 == 0 ? std::to_string(i) : numbered("f", i), std::to_string(i * i * 7));
  }
  for (auto _ : state) benchmark::DoNotOptimize(pack.find("absent", pack.first(), 1));
  state.SetItemsProcessed(state.iterations() * state.range(0) * 2);
}
BENCHMARK(BM_FindAbsentInMixed)->Arg(32)->Arg(128);

// A pack filled one value at a time, and freed.
void BM_AppendUpTo(benchmark::State& state) {
  const std::string value = "value:0000000007";
  for (auto _ : state) {
    Listpack pack;
    for (std::int64_t i = 0; i < state.range(0); ++i) pack.append(value);
    benchmark::DoNotOptimize(pack.bytes());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_AppendUpTo)->Arg(4)->Arg(64)->Arg(400);

// An HSET that changes a value of the same size, found before.
void BM_Replace(benchmark::State& state) {
  Listpack pack = hash_of(32);
  const Cursor at = pack.seek(33);
  const std::string value = "changed:00000001";
  pack.replace(at, value);
  for (auto _ : state) pack.replace(at, value);
}
BENCHMARK(BM_Replace);

void BM_ForEach(benchmark::State& state) {
  const Listpack pack = hash_of(128);
  for (auto _ : state) {
    std::size_t bytes = 0;
    pack.for_each([&bytes](const Element& element) { bytes += element.string().size(); });
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * 256);
}
BENCHMARK(BM_ForEach);

void BM_FromBytes(benchmark::State& state) {
  const Listpack pack = hash_of(128);
  for (auto _ : state) benchmark::DoNotOptimize(Listpack::from_bytes(pack.raw()));
  state.SetItemsProcessed(state.iterations() * 256);
}
BENCHMARK(BM_FromBytes);

IntSet ascending(std::int64_t size, std::int64_t step) {
  IntSet set;
  for (std::int64_t i = 0; i < size; ++i) set.insert(i * step);
  return set;
}

void BM_IntSetContains(benchmark::State& state) {
  const IntSet set = ascending(state.range(0), 3);
  std::uint64_t random = 1;
  for (auto _ : state) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto value = static_cast<std::int64_t>((random >> 40) % (3 * set.size()));
    benchmark::DoNotOptimize(set.contains(value));
  }
}
BENCHMARK(BM_IntSetContains)->Arg(16)->Arg(512);

void BM_IntSetInsertErase(benchmark::State& state) {
  IntSet set = ascending(512, 3);
  for (auto _ : state) {
    set.insert(301);
    set.erase(301);
  }
}
BENCHMARK(BM_IntSetInsertErase);

}  // namespace
}  // namespace millrace::ds

BENCHMARK_MAIN();
