#include "server/ds/set_algebra.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace millrace::ds {
namespace {

using Members = std::set<std::string>;

// Collects what is visited, and objects to what is visited twice.
class Collector {
 public:
  void operator()(std::string_view member) {
    EXPECT_TRUE(members_.emplace(member).second) << member << " twice";
  }
  const Members& members() const { return members_; }

 private:
  Members members_;
};

// Several sets of every encoding and size, some of them missing, beside their models.
class SetAlgebra : public testing::Test {
 protected:
  void make_sets() {
    sets_.clear();
    models_.clear();
    pointers_.clear();
    const uint64_t count = 1 + prng_.below(7);
    for (uint64_t i = 0; i < count; ++i) make_set();
    for (size_t i = 0; i < sets_.size(); ++i) {
      const bool missing = models_[i].empty() && prng_.one_in(2);
      pointers_.push_back(missing ? nullptr : &sets_[i]);
    }
  }

  Members intersection() const {
    Members result = models_.front();
    std::erase_if(result, [&](const std::string& member) {
      return !std::all_of(models_.begin(), models_.end(),
                          [&](const Members& model) { return model.contains(member); });
    });
    return result;
  }
  Members united() const {
    Members result;
    for (const Members& model : models_) result.insert(model.begin(), model.end());
    return result;
  }
  Members difference() const {
    Members result = models_.front();
    for (size_t i = 1; i < models_.size(); ++i) {
      for (const std::string& member : models_[i]) result.erase(member);
    }
    return result;
  }

  const uint64_t seed_ = std::random_device{}();
  ae::Prng prng_{seed_};
  std::vector<StringSet> sets_;
  std::vector<Members> models_;
  std::vector<const StringSet*> pointers_;

 private:
  void make_set() {
    const uint64_t sizes[] = {0, 5, 50, 400};
    const uint64_t size = sizes[prng_.one_in(8) ? 0 : 1 + prng_.below(3)];
    const bool integers = prng_.one_in(2);
    StringSet& set = sets_.emplace_back();
    Members& model = models_.emplace_back();
    for (uint64_t i = 0; i < size; ++i) {
      const std::string number = std::to_string(prng_.below(2 * size));
      const std::string member = integers || prng_.one_in(2) ? number : "m" + number;
      set.add(member, {});
      model.insert(member);
    }
  }
};

TEST_F(SetAlgebra, agrees_with_its_definition) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int i = 0; i < 300; ++i) {
    make_sets();
    Collector in_all;
    const uint64_t found = for_each_in_all(pointers_, UINT64_MAX, std::ref(in_all));
    ASSERT_EQ(in_all.members(), intersection());
    ASSERT_EQ(found, in_all.members().size());
    Collector in_any;
    for_each_in_any(pointers_, std::ref(in_any));
    ASSERT_EQ(in_any.members(), united());
    Collector in_first_only;
    for_each_in_first_only(pointers_, std::ref(in_first_only));
    ASSERT_EQ(in_first_only.members(), difference());
  }
}

TEST_F(SetAlgebra, an_intersection_stops_at_its_limit) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int i = 0; i < 100; ++i) {
    make_sets();
    const uint64_t all = intersection().size();
    const uint64_t limit = prng_.below(10);
    Collector some;
    ASSERT_EQ(for_each_in_all(pointers_, limit, std::ref(some)), std::min(limit, all));
    ASSERT_EQ(some.members().size(), std::min(limit, all));
  }
}

TEST_F(SetAlgebra, takes_the_same_set_twice) {
  StringSet set;
  for (int i = 0; i < 200; ++i) set.add("m" + std::to_string(i), {});
  const StringSet* const twice[] = {&set, &set};
  Collector in_all;
  EXPECT_EQ(for_each_in_all(twice, UINT64_MAX, std::ref(in_all)), 200U);
  Collector in_any;
  for_each_in_any(twice, std::ref(in_any));
  EXPECT_EQ(in_any.members().size(), 200U);
  for_each_in_first_only(twice, [](std::string_view) { FAIL(); });
}

TEST_F(SetAlgebra, no_sets_hold_nothing) {
  for_each_in_any({}, [](std::string_view) { FAIL(); });
  for_each_in_first_only({}, [](std::string_view) { FAIL(); });
  EXPECT_EQ(for_each_in_all({}, 5, [](std::string_view) { FAIL(); }), 0U);
}

// One small set against a big one: the difference has two algorithms, and both are to be right.
TEST_F(SetAlgebra, subtracts_by_asking_and_by_removing) {
  StringSet big;
  for (int i = 0; i < 1000; ++i) big.add("m" + std::to_string(i), {});
  std::vector<StringSet> small(5);
  std::vector<const StringSet*> sets{&big};
  for (StringSet& set : small) {
    set.add("m7", {});
    sets.push_back(&set);
  }
  Collector removing;
  for_each_in_first_only(sets, std::ref(removing));
  EXPECT_EQ(removing.members().size(), 999U);
  const StringSet* const asking_sets[] = {&small[0], &big};
  for_each_in_first_only(asking_sets, [](std::string_view) { FAIL(); });
}

}  // namespace
}  // namespace millrace::ds
