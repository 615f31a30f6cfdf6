// OrderedTree beside a plain skip list with spans (W. Pugh, 1990; spans as Redis has them), at a
// million elements. Both keep the same ScoredMembers, created beforehand in random order.
//
//   ordered_tree_bench --benchmark_filter=insert
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "ae/base/prng.h"
#include "server/ds/ordered_tree.h"

namespace millrace::ds {
namespace {

// What the tree is measured against. Nothing but what the comparison needs.
class SkipList {
 public:
  SkipList() : head_(new_node(kMaxLevel, nullptr)) {}
  ~SkipList() {
    for (Node* node = head_; node != nullptr;) std::free(std::exchange(node, node->links[0].next));
  }
  SkipList(const SkipList&) = delete;
  SkipList& operator=(const SkipList&) = delete;

  void insert(ScoredMember* member) {
    Way way;
    find(*member, &way);
    const int level = random_level();
    for (; level_ < level; ++level_) {
      way.before[level_] = head_;
      way.rank[level_] = 0;
      head_->links[level_].span = size_;
    }
    Node* node = new_node(level, member);
    for (int i = 0; i < level; ++i) {
      Link& link = way.before[i]->links[i];
      const uint64_t steps = way.rank[0] - way.rank[i];
      node->links[i] = {link.next, link.span - steps};
      link = {node, steps + 1};
    }
    for (int i = level; i < level_; ++i) ++way.before[i]->links[i].span;
    ++size_;
  }

  void erase(const ScoredMember* member) {
    Way way;
    find(*member, &way);
    Node* node = way.before[0]->links[0].next;
    for (int i = 0; i < level_; ++i) {
      Link& link = way.before[i]->links[i];
      const bool through = link.next == node;
      link.span += through ? node->links[i].span - 1 : uint64_t{0} - 1;
      if (through) link.next = node->links[i].next;
    }
    std::free(node);
    --size_;
  }

  uint64_t rank(const ScoredMember* member) const {
    Way way;
    find(*member, &way);
    return way.rank[0];
  }

 private:
  static constexpr int kMaxLevel = 32;
  struct Node;
  struct Link {
    Node* next;
    uint64_t span;
  };
  struct Node {
    ScoredMember* member;
    double score;
    Link links[1];
  };
  struct Way {
    Node* before[kMaxLevel];
    uint64_t rank[kMaxLevel];
  };

  static Node* new_node(int level, ScoredMember* member) {
    const size_t bytes = sizeof(Node) + sizeof(Link) * static_cast<size_t>(level - 1);
    auto* node = static_cast<Node*>(std::calloc(1, bytes));
    node->member = member;
    node->score = member != nullptr ? member->score() : 0;
    return node;
  }
  static bool precedes(const Node& node, const ScoredMember& member) {
    if (node.score != member.score()) return node.score < member.score();
    return node.member->text() < member.text();
  }
  void find(const ScoredMember& member, Way* way) const {
    Node* node = head_;
    uint64_t rank = 0;
    for (int i = level_ - 1; i >= 0; --i) {
      while (node->links[i].next != nullptr && precedes(*node->links[i].next, member)) {
        rank += node->links[i].span;
        node = node->links[i].next;
      }
      way->before[i] = node;
      way->rank[i] = rank;
    }
  }
  int random_level() {
    int level = 1;
    while (level < kMaxLevel && prng_.one_in(4)) ++level;
    return level;
  }

  ae::Prng prng_{1};
  Node* head_;
  int level_ = 1;
  uint64_t size_ = 0;
};

constexpr size_t kElements = 1'000'000;

const std::vector<ScoredMember*>& members() {
  static const std::vector<ScoredMember*> made = [] {
    ae::Prng prng(42);
    std::vector<ScoredMember*> list;
    for (size_t i = 0; i < kElements; ++i) {
      list.push_back(ScoredMember::create("member:" + std::to_string(i), prng.fraction()));
    }
    return list;
  }();
  return made;
}

template <typename Order>
void fill(Order* order) {
  for (ScoredMember* member : members()) order->insert(member);
}

// Per iteration: one element, of a structure that grows from nothing to a million.
template <typename Order>
void insert_random(benchmark::State& state) {
  members();
  for (auto _ : state) {
    auto order = std::make_unique<Order>();
    fill(order.get());
    state.PauseTiming();
    order.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kElements));
}

template <typename Order>
void rank_random(benchmark::State& state) {
  Order order;
  fill(&order);
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(order.rank(members()[next]));
    next = (next + 1) % kElements;
  }
}

template <typename Order>
void move_random(benchmark::State& state) {
  Order order;
  fill(&order);
  ae::Prng prng(5);
  size_t next = 0;
  for (auto _ : state) {
    ScoredMember* member = members()[next];
    order.erase(member);
    member->set_score(prng.fraction());
    order.insert(member);
    next = (next + 1) % kElements;
  }
}

void update_score(benchmark::State& state) {
  OrderedTree tree;
  fill(&tree);
  ae::Prng prng(5);
  const double reach = 1.0 / static_cast<double>(state.range(0));
  size_t next = 0;
  for (auto _ : state) {
    ScoredMember* member = members()[next];
    tree.update_score(member, member->score() + (prng.fraction() - 0.5) * reach);
    next = (next + 1) % kElements;
  }
}

void at_random(benchmark::State& state) {
  OrderedTree tree;
  fill(&tree);
  ae::Prng prng(6);
  for (auto _ : state) benchmark::DoNotOptimize(tree.at(prng.below(kElements)).score());
}

void insert_ascending(benchmark::State& state) {
  std::vector<ScoredMember*> sorted = members();
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->score() < b->score(); });
  for (auto _ : state) {
    OrderedTree tree;
    for (ScoredMember* member : sorted) tree.insert(member);
    state.counters["bytes_per_element"] =
        static_cast<double>(tree.memory_bytes()) / static_cast<double>(kElements);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kElements));
}

BENCHMARK(insert_random<OrderedTree>)->Unit(benchmark::kMillisecond);
BENCHMARK(insert_random<SkipList>)->Unit(benchmark::kMillisecond);
BENCHMARK(insert_ascending)->Unit(benchmark::kMillisecond);
BENCHMARK(rank_random<OrderedTree>);
BENCHMARK(rank_random<SkipList>);
BENCHMARK(move_random<OrderedTree>);
BENCHMARK(move_random<SkipList>);
BENCHMARK(update_score)->ArgName("range_is_one_in")->Arg(1)->Arg(1000)->Arg(1'000'000);
BENCHMARK(at_random);

}  // namespace
}  // namespace millrace::ds

BENCHMARK_MAIN();
