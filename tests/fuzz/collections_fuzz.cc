// The bytes are a program of commands, run on a SortedSet, a FieldMap and a StringSet with limits
// so low that it crosses every encoding, and on standard containers beside them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "ae/base/assert.h"
#include "server/ds/field_map.h"
#include "server/ds/sorted_set.h"
#include "server/ds/string_set.h"

namespace {

using namespace millrace::ds;

constexpr ListpackLimits kPackLimits{.max_entries = 12, .max_value_bytes = 20};
constexpr StringSetLimits kSetLimits{
    .max_intset_entries = 10, .max_listpack_entries = 12, .max_value_bytes = 20};

class Program {
 public:
  Program(const uint8_t* bytes, size_t size) : at_(bytes), end_(bytes + size), prng_(size) {}

  void run() {
    while (at_ != end_) {
      step();
      if (++steps_ % 16 == 0) check();
    }
    check();
  }

 private:
  uint8_t byte() { return at_ != end_ ? *at_++ : 0; }
  double score() { return (static_cast<double>(byte()) - 100) / 4; }
  // A number, a short word, or the bytes of the input.
  std::string text() {
    const uint8_t form = byte();
    if (form < 128) return std::to_string(static_cast<int>(form) - 64);
    if (form < 250) return "w" + std::to_string(form);
    std::string raw;
    for (uint8_t left = byte() % 32; left != 0; --left) raw += static_cast<char>(byte());
    return raw;
  }

  void step() {
    switch (byte() % 10) {
      case 0:
        return add_scored();
      case 1:
        return add_scored();
      case 2:
        return erase_scored();
      case 3:
        return pop_scored();
      case 4:
        return set_field();
      case 5:
        return set_field();
      case 6:
        return erase_field();
      case 7:
        return add_member();
      case 8:
        return add_member();
      default:
        return erase_member();
    }
  }

  void add_scored() {
    const std::string member = text();
    const double at = score();
    const bool added =
        scored_.add(member, at, {}, kPackLimits).result == SortedSet::AddResult::kAdded;
    AE_ASSERT(added == scored_model_.insert_or_assign(member, at).second);
  }
  void erase_scored() {
    const std::string member = text();
    AE_ASSERT(scored_.erase(member) == (scored_model_.erase(member) == 1));
  }
  void pop_scored() {
    double previous = 1e9;
    scored_.pop_max(byte() % 3, [&](std::string_view member, double at) {
      AE_ASSERT(at <= previous && scored_model_.at(std::string(member)) == at);
      scored_model_.erase(std::string(member));
      previous = at;
    });
  }

  void set_field() {
    const std::string field = text();
    const std::string value = text();
    const bool created = fields_.set(field, value, kPackLimits) == FieldMap::SetResult::kCreated;
    AE_ASSERT(created == fields_model_.insert_or_assign(field, value).second);
  }
  void erase_field() {
    const std::string field = text();
    AE_ASSERT(fields_.erase(field) == (fields_model_.erase(field) == 1));
  }

  void add_member() {
    const std::string member = text();
    AE_ASSERT(members_.add(member, kSetLimits) == members_model_.insert(member).second);
  }
  void erase_member() {
    if (!members_.empty() && byte() % 2 == 0) {
      return members_.pop_random(prng_, [&](std::string_view member) {
        AE_ASSERT(members_model_.erase(std::string(member)) == 1);
      });
    }
    const std::string member = text();
    AE_ASSERT(members_.erase(member) == (members_model_.erase(member) == 1));
  }

  void check() {
    scored_.check(kPackLimits);
    fields_.check(kPackLimits);
    members_.check(kSetLimits);
    AE_ASSERT(scored_.size() == scored_model_.size());
    AE_ASSERT(fields_.size() == fields_model_.size());
    AE_ASSERT(members_.size() == members_model_.size());
    uint64_t rank = 0;
    scored_.for_each([&](std::string_view member, double at) {
      AE_ASSERT(scored_model_.at(std::string(member)) == at);
      AE_ASSERT(scored_.rank(member)->rank == rank++);
    });
    fields_.for_each([&](std::string_view field, std::string_view value) {
      AE_ASSERT(fields_model_.at(std::string(field)) == value);
    });
    members_.for_each([&](std::string_view member) {
      AE_ASSERT(members_model_.contains(std::string(member)) && members_.contains(member));
    });
  }

  const uint8_t* at_;
  const uint8_t* end_;
  ae::Prng prng_;
  SortedSet scored_;
  FieldMap fields_;
  StringSet members_;
  std::map<std::string, double> scored_model_;
  std::map<std::string, std::string> fields_model_;
  std::set<std::string> members_model_;
  uint64_t steps_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kLongestProgram = 4096;
  Program(data, std::min(size, kLongestProgram)).run();
  return 0;
}
