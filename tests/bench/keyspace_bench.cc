// The keyspace's part of the common commands, at a million keys of 16 + 32 bytes: everything that a
// GET or SET does but parsing and replying. Pairs to compare: Get against GetBatch (staged
// prefetching), Set in place against SetOtherSize (another block), Incr.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <vector>

#include "ae/base/prng.h"
#include "server/db/eviction.h"
#include "server/db/expiry.h"
#include "server/db/keyspace.h"

namespace millrace {
namespace {

constexpr size_t kKeys = 1'000'000;

std::string name_of(uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "key:%012llu", static_cast<unsigned long long>(number));
  return std::string(text, 16);
}

struct World {
  World() {
    clock.set_now(1'700'000'000'000);
    for (size_t i = 0; i < kKeys; ++i) {
      keyspace.set_string(Keyspace::key(name_of(i)), std::string(32, 'v'), kNoExpiry);
    }
    ae::Prng random(1);
    for (size_t i = 0; i < (1 << 18); ++i) names.push_back(name_of(random.below(kKeys)));
  }
  const std::string& next() { return names[at++ % names.size()]; }

  AccessClock clock;
  Keyspace keyspace{clock};
  std::vector<std::string> names;
  size_t at = 0;
};

World& world() {
  static World instance;
  return instance;
}

void Get(benchmark::State& state) {
  World& w = world();
  for (auto _ : state) {
    Entry* entry = w.keyspace.find(Keyspace::key(w.next()));
    w.clock.touch(*entry);
    TextBuffer buffer;
    benchmark::DoNotOptimize(entry->text(buffer));
  }
}
BENCHMARK(Get);

void GetBatch(benchmark::State& state) {
  World& w = world();
  const auto batch = static_cast<size_t>(state.range(0));
  std::vector<Key> keys(batch);
  for (auto _ : state) {
    for (Key& key : keys) {
      key = Keyspace::key(w.next());
      w.keyspace.prefetch_bucket(key.hash);
    }
    for (const Key& key : keys) w.keyspace.prefetch_entry(key.hash);
    for (const Key& key : keys) {
      Entry* entry = w.keyspace.find(key);
      w.clock.touch(*entry);
      TextBuffer buffer;
      benchmark::DoNotOptimize(entry->text(buffer).back());
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(batch));
}
BENCHMARK(GetBatch)->Arg(16)->Arg(128);

void SetInPlace(benchmark::State& state) {
  World& w = world();
  const std::string value(32, 'w');
  for (auto _ : state) w.keyspace.set_string(Keyspace::key(w.next()), value, kNoExpiry);
}
BENCHMARK(SetInPlace);

void SetOtherSize(benchmark::State& state) {
  World& w = world();
  const std::string values[] = {std::string(32, 'a'), std::string(44, 'b')};
  size_t turn = 0;
  for (auto _ : state) {
    w.keyspace.set_string(Keyspace::key(w.next()), values[++turn % 2], kNoExpiry);
  }
}
BENCHMARK(SetOtherSize);

void Incr(benchmark::State& state) {
  World& w = world();
  const Key key = Keyspace::key("counter");
  w.keyspace.set_integer(key, 0, kNoExpiry);
  for (auto _ : state) {
    Entry* entry = w.keyspace.find(key);
    w.keyspace.set_integer(key, entry->integer() + 1, kKeepExpiry, entry);
  }
  w.keyspace.erase(key);
}
BENCHMARK(Incr);

void InsertErase(benchmark::State& state) {
  World& w = world();
  uint64_t number = kKeys;
  for (auto _ : state) {
    const std::string name = name_of(++number);
    const Key key = Keyspace::key(name);
    w.keyspace.set_string(key, "value", kNoExpiry);
    w.keyspace.erase(key);
  }
}
BENCHMARK(InsertErase);

void EvictOne(benchmark::State& state) {
  World& w = world();
  std::vector<std::unique_ptr<Keyspace>> databases;
  databases.push_back(std::make_unique<Keyspace>(w.clock));
  for (size_t i = 0; i < 200'000; ++i) {
    databases[0]->set_string(Keyspace::key(name_of(i)), "value", kNoExpiry);
  }
  Evictor evictor(5);
  evictor.configure({.policy = EvictionPolicy::kAllKeysLru, .samples = 5});
  size_t number = 0;
  for (auto _ : state) {
    const Evictor::Victim victim = evictor.pick(databases, w.clock);
    databases[0]->erase(victim.entry);
    databases[0]->set_string(Keyspace::key(name_of(200'000 + ++number)), "value", kNoExpiry);
  }
}
BENCHMARK(EvictOne);

void ExpireStepOverFreshKeys(benchmark::State& state) {
  World& w = world();
  std::vector<std::unique_ptr<Keyspace>> databases;
  databases.push_back(std::make_unique<Keyspace>(w.clock));
  for (size_t i = 0; i < 200'000; ++i) {
    databases[0]->set_string(Keyspace::key(name_of(i)), "value", 1'800'000'000'000);
  }
  ActiveExpiry expiry;
  for (auto _ : state) {
    expiry.step(databases, 1'700'000'000'000, {}, [](size_t, Entry&) {});
  }
}
BENCHMARK(ExpireStepOverFreshKeys);

}  // namespace
}  // namespace millrace

BENCHMARK_MAIN();
