#include "verify/value_comparison.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "verify/large_values.h"

namespace verify {
namespace {

using proto::ReplyValue;

// How a type is measured, and from where on it is large.
struct TypeWords {
  std::string_view type;
  std::string_view size_command;
  int64_t large_from;
};
constexpr int64_t kManyElements = 512;
constexpr int64_t kManyBytes = 16 * 1024;
constexpr TypeWords kTypes[] = {
    {"string", "STRLEN", kManyBytes}, {"list", "LLEN", kManyElements},
    {"set", "SCARD", kManyElements},  {"zset", "ZCARD", kManyElements},
    {"hash", "HLEN", kManyElements},  {"stream", "XLEN", kManyElements},
};

const TypeWords* words_of(std::string_view type) {
  for (const TypeWords& words : kTypes)
    if (words.type == type) return &words;
  return nullptr;
}

struct Facts {
  std::string type;
  int64_t ttl_ms = 0;  // -1: for ever
  int64_t size = 0;
};

struct Candidate {
  KeyComparison* result;
  Facts here;
  Facts there;
};

void differs(KeyComparison& key, std::string reason) {
  key.verdict = Verdict::kDiffers;
  key.reason = std::move(reason);
}

// --- type and time to live

Problem read_facts(ServerLink& link, std::vector<Candidate>& keys, Facts Candidate::*side) {
  for (const Candidate& key : keys) {
    link.add({"TYPE", key.result->key});
    link.add({"PTTL", key.result->key});
  }
  Replies replies;
  if (auto problem = link.exchange(replies)) return problem;
  for (size_t i = 0; i < keys.size(); ++i) {
    (keys[i].*side).type = replies[2 * i].text;
    (keys[i].*side).ttl_ms = replies[2 * i + 1].integer;
  }
  return std::nullopt;
}

// Whether it is worth while to look at the value.
bool judge_facts(Candidate& key) {
  KeyComparison& result = *key.result;
  if (key.there.type == "none") return result.verdict = Verdict::kGone, false;
  if (key.here.type == "none") return result.verdict = Verdict::kMissing, false;
  if (key.here.type != key.there.type)
    return differs(result, "type " + key.here.type + ", there " + key.there.type), false;
  const bool both_end = key.here.ttl_ms >= 0 && key.there.ttl_ms >= 0;
  const bool same_ttl = both_end ? std::abs(key.here.ttl_ms - key.there.ttl_ms) <= kTtlToleranceMs
                                 : key.here.ttl_ms == key.there.ttl_ms;
  if (!same_ttl)
    return differs(result, "time to live " + std::to_string(key.here.ttl_ms) + " ms, there " +
                               std::to_string(key.there.ttl_ms)),
           false;
  if (!words_of(key.here.type)) return differs(result, "type " + key.here.type), false;
  return true;
}

// --- sizes

Problem read_sizes(ServerLink& link, std::vector<Candidate>& keys, Facts Candidate::*side) {
  for (const Candidate& key : keys)
    link.add({words_of(key.here.type)->size_command, key.result->key});
  Replies replies;
  if (auto problem = link.exchange(replies)) return problem;
  for (size_t i = 0; i < keys.size(); ++i) (keys[i].*side).size = replies[i].integer;
  return std::nullopt;
}

bool judge_sizes(Candidate& key) {
  if (key.here.size == key.there.size) return true;
  differs(*key.result,
          "size " + std::to_string(key.here.size) + ", there " + std::to_string(key.there.size));
  return false;
}

// --- small values, read whole

void add_read(ServerLink& link, std::string_view type, std::string_view key) {
  if (type == "string") link.add({"GET", key});
  if (type == "list") link.add({"LRANGE", key, "0", "-1"});
  if (type == "set") link.add({"SMEMBERS", key});
  if (type == "zset") link.add({"ZRANGE", key, "0", "-1", "WITHSCORES"});
  if (type == "hash") link.add({"HGETALL", key});
  if (type == "stream") link.add({"XRANGE", key, "-", "+"});
}

// Members and pairs in an order of their own.
void put_in_order(ReplyValue& value, std::string_view type) {
  std::vector<ReplyValue>& elements = value.children;
  const auto by_text = [](const ReplyValue& a, const ReplyValue& b) { return a.text < b.text; };
  if (type == "set") std::sort(elements.begin(), elements.end(), by_text);
  if (type != "hash") return;
  std::vector<std::pair<std::string, std::string>> pairs;
  for (size_t i = 0; i + 1 < elements.size(); i += 2)
    pairs.emplace_back(std::move(elements[i].text), std::move(elements[i + 1].text));
  std::sort(pairs.begin(), pairs.end());
  for (size_t i = 0; i < pairs.size(); ++i) {
    elements[2 * i].text = std::move(pairs[i].first);
    elements[2 * i + 1].text = std::move(pairs[i].second);
  }
}

Problem compare_small(Servers servers, std::vector<Candidate>& keys) {
  Replies here;
  Replies there;
  for (const Candidate& key : keys) {
    add_read(servers.here, key.here.type, key.result->key);
    add_read(servers.there, key.here.type, key.result->key);
  }
  if (auto problem = servers.here.exchange(here)) return problem;
  if (auto problem = servers.there.exchange(there)) return problem;
  for (size_t i = 0; i < keys.size(); ++i) {
    put_in_order(here[i], keys[i].here.type);
    put_in_order(there[i], keys[i].here.type);
    if (here[i] != there[i]) differs(*keys[i].result, "value");
  }
  return std::nullopt;
}

// --- consumer groups

// Of each group its name, how far it has read and how much is pending; what the versions of Redis
// say beyond that differs.
std::vector<std::string> group_facts(const ReplyValue& groups) {
  std::vector<std::string> facts;
  for (const ReplyValue& group : groups.children) {
    std::string text;
    for (size_t i = 0; i + 1 < group.children.size(); i += 2) {
      const std::string& field = group.children[i].text;
      const ReplyValue& value = group.children[i + 1];
      if (field == "name" || field == "last-delivered-id") text += value.text + " ";
      if (field == "pending") text += std::to_string(value.integer) + " ";
    }
    facts.push_back(text);
  }
  std::sort(facts.begin(), facts.end());
  return facts;
}

Problem compare_groups(Servers servers, std::vector<Candidate>& streams) {
  Replies here;
  Replies there;
  for (const Candidate& key : streams) {
    servers.here.add({"XINFO", "GROUPS", key.result->key});
    servers.there.add({"XINFO", "GROUPS", key.result->key});
  }
  if (auto problem = servers.here.exchange(here)) return problem;
  if (auto problem = servers.there.exchange(there)) return problem;
  for (size_t i = 0; i < streams.size(); ++i)
    if (group_facts(here[i]) != group_facts(there[i]))
      differs(*streams[i].result, "consumer groups");
  return std::nullopt;
}

bool is_large(const Candidate& key) {
  return key.here.size >= words_of(key.here.type)->large_from;
}

template <typename Judge>
void keep(std::vector<Candidate>& keys, Judge judge) {
  std::erase_if(keys, [&](Candidate& key) { return !judge(key); });
}

}  // namespace

Problem compare_values(Servers servers, std::vector<KeyComparison>& keys) {
  std::vector<Candidate> left;
  for (KeyComparison& key : keys) {
    key.verdict = Verdict::kEqual;
    left.push_back({&key, {}, {}});
  }
  if (auto problem = read_facts(servers.here, left, &Candidate::here)) return problem;
  if (auto problem = read_facts(servers.there, left, &Candidate::there)) return problem;
  keep(left, judge_facts);
  if (auto problem = read_sizes(servers.here, left, &Candidate::here)) return problem;
  if (auto problem = read_sizes(servers.there, left, &Candidate::there)) return problem;
  keep(left, judge_sizes);

  std::vector<Candidate> streams = left;
  keep(streams, [](const Candidate& key) { return key.here.type == "stream"; });
  std::vector<Candidate> large = left;
  keep(large, is_large);
  keep(left, [](const Candidate& key) { return !is_large(key); });
  if (auto problem = compare_small(servers, left)) return problem;
  for (const Candidate& key : large) {
    bool equal = true;
    if (auto problem = compare_large(servers, {key.here.type, key.result->key}, equal))
      return problem;
    if (!equal) differs(*key.result, "value");
  }
  return compare_groups(servers, streams);
}

}  // namespace verify
