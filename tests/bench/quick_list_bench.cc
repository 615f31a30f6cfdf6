// What the list commands cost below the command layer. range(0) is the length of the list; elements
// are 16 bytes unless a name says otherwise.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "server/ds/quick_list.h"

namespace millrace::ds {
namespace {

constexpr ListLimit kLimit(-2);
constexpr std::string_view kValue = "element:00000007";

QuickList list_of(std::int64_t size) {
  QuickList list;
  for (std::int64_t i = 0; i < size; ++i) {
    std::string text = std::to_string(i);
    text.insert(0, 8 - text.size(), '0');
    list.push(End::kBack, "element:" + text, kLimit);
  }
  return list;
}

void take(const Element& element) {
  benchmark::DoNotOptimize(element.string().data());
}

// A stack at the front, the side where a plain listpack moves everything: one push and one pop.
void BM_PushPopFront(benchmark::State& state) {
  QuickList list = list_of(state.range(0));
  for (auto _ : state) {
    list.push(End::kFront, kValue, kLimit);
    list.pop(End::kFront, take);
  }
}
BENCHMARK(BM_PushPopFront)->Arg(3)->Arg(40)->Arg(300)->Arg(100000);

// LPUSH in a row, then LPOP in a row: the nodes come and go. Time per element of both together.
void BM_FillAndDrainFront(benchmark::State& state) {
  for (auto _ : state) {
    QuickList list;
    for (std::int64_t i = 0; i < state.range(0); ++i) list.push(End::kFront, kValue, kLimit);
    while (list.pop(End::kFront, take)) {
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_FillAndDrainFront)->Arg(300)->Arg(100000);

// A queue: in at the front, out at the back.
void BM_Queue(benchmark::State& state) {
  QuickList list = list_of(state.range(0));
  for (auto _ : state) {
    list.push(End::kFront, kValue, kLimit);
    list.pop(End::kBack, take);
  }
}
BENCHMARK(BM_Queue)->Arg(3)->Arg(300)->Arg(100000);

// LRANGE of range(1) elements from the middle, each copied. The time per element is the figure.
void BM_Range(benchmark::State& state) {
  const QuickList list = list_of(state.range(0));
  const auto count = static_cast<std::size_t>(state.range(1));
  const std::size_t start = (list.size() - count) / 2;
  std::string out(count * 16, '\0');
  for (auto _ : state) {
    char* to = out.data();
    list.for_range(start, count, [&to](const Element& element) {
      Element::TextBuffer buffer;
      const std::string_view text = element.text(buffer);
      std::memcpy(to, text.data(), text.size());
      to += text.size();
    });
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(1));
}
BENCHMARK(BM_Range)->Args({30, 30})->Args({1000, 100})->Args({100000, 600})->Args({100000, 100000});

void BM_IndexMiddle(benchmark::State& state) {
  const QuickList list = list_of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(list.seek(state.range(0) / 2));
}
BENCHMARK(BM_IndexMiddle)->Arg(300)->Arg(100000)->Arg(1000000);

void BM_InsertEraseMiddle(benchmark::State& state) {
  QuickList list = list_of(state.range(0));
  for (auto _ : state) {
    list.insert(list.seek(state.range(0) / 2), Side::kBefore, kValue, kLimit);
    list.erase(list.seek(state.range(0) / 2));
  }
}
BENCHMARK(BM_InsertEraseMiddle)->Arg(30)->Arg(100000);

// LPOS of what is not there; the time per element is the figure.
void BM_FindAbsent(benchmark::State& state) {
  const QuickList list = list_of(state.range(0));
  for (auto _ : state) {
    list.find("element:absent!!", {}, [](std::size_t) {});
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_FindAbsent)->Arg(100)->Arg(100000);

// LREM of every tenth element, with the copy that brings the list back.
void BM_CopyAndRemoveTenth(benchmark::State& state) {
  QuickList list;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    list.push(End::kBack, i % 10 == 0 ? "removed:00000000" : kValue, kLimit);
  }
  for (auto _ : state) {
    QuickList copy = list.copy();
    benchmark::DoNotOptimize(copy.remove_matching("removed:00000000", 0));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_CopyAndRemoveTenth)->Arg(100000);

}  // namespace
}  // namespace millrace::ds

BENCHMARK_MAIN();
