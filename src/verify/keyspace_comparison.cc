#include "verify/keyspace_comparison.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace verify {
namespace {

using proto::ReplyValue;

constexpr std::string_view kKeysPerScan = "1000";
// A key that differs is looked at so many times, with pauses in which replication catches up.
constexpr int kLooks = 4;
constexpr auto kPause = std::chrono::milliseconds(200);

// f(keys) for the keys of the selected database, some hundred at a time.
template <typename F>
Problem scan(ServerLink& link, F&& f) {
  std::string cursor = "0";
  do {
    ReplyValue reply;
    if (auto problem = link.ask({"SCAN", cursor, "COUNT", kKeysPerScan}, reply)) return problem;
    if (reply.children.size() != 2) return link.address().text() + ": not a reply of SCAN";
    cursor = reply.children[0].text;
    std::vector<std::string> keys;
    for (ReplyValue& key : reply.children[1].children) keys.push_back(std::move(key.text));
    if (auto problem = f(keys)) return problem;
  } while (cursor != "0");
  return std::nullopt;
}

}  // namespace

Problem KeyspaceComparison::run() {
  std::vector<int> databases;
  if (auto problem = list_databases(servers_.here, databases)) return problem;
  if (auto problem = list_databases(servers_.there, databases)) return problem;
  std::sort(databases.begin(), databases.end());
  databases.erase(std::unique(databases.begin(), databases.end()), databases.end());
  for (const int db : databases)
    if (auto problem = compare_database(db)) return problem;
  return std::nullopt;
}

// The lines "db7:keys=..." of INFO.
Problem KeyspaceComparison::list_databases(ServerLink& link, std::vector<int>& databases) {
  ReplyValue info;
  if (auto problem = link.ask({"INFO", "keyspace"}, info)) return problem;
  for (size_t at = info.text.find("\ndb"); at != info.text.npos;
       at = info.text.find("\ndb", at + 1))
    databases.push_back(std::atoi(info.text.c_str() + at + 3));
  return std::nullopt;
}

Problem KeyspaceComparison::compare_database(int db) {
  const std::string number = std::to_string(db);
  ReplyValue reply;
  if (auto problem = servers_.here.ask({"SELECT", number}, reply)) return problem;
  if (auto problem = servers_.there.ask({"SELECT", number}, reply)) return problem;
  auto problem = scan(servers_.there, [&](const std::vector<std::string>& keys) {
    std::vector<KeyComparison> comparisons;
    for (const std::string& key : keys) comparisons.push_back({.key = key});
    return compare_keys(db, std::move(comparisons));
  });
  if (problem) return problem;
  return scan(servers_.here,
              [&](const std::vector<std::string>& keys) { return find_others(db, keys); });
}

Problem KeyspaceComparison::compare_keys(int db, std::vector<KeyComparison> keys) {
  for (int look = 1; look <= kLooks && !keys.empty(); ++look) {
    if (look > 1) std::this_thread::sleep_for(kPause);
    if (auto problem = compare_values(servers_, keys)) return problem;
    const bool is_last = look == kLooks;
    std::erase_if(keys, [&](const KeyComparison& key) {
      const bool is_settled = key.verdict == Verdict::kEqual || key.verdict == Verdict::kGone;
      if (is_settled || is_last) count(db, key);
      return is_settled || is_last;
    });
  }
  progress_(tally_);
  return std::nullopt;
}

// Keys of this server: those that the other has were compared already.
Problem KeyspaceComparison::find_others(int db, const std::vector<std::string>& keys) {
  std::vector<std::string> left = keys;
  for (int look = 1; look <= kLooks && !left.empty(); ++look) {
    if (look > 1) std::this_thread::sleep_for(kPause);
    for (const std::string& key : left) servers_.there.add({"EXISTS", key});
    for (const std::string& key : left) servers_.here.add({"EXISTS", key});
    Replies there;
    Replies here;
    if (auto problem = servers_.there.exchange(there)) return problem;
    if (auto problem = servers_.here.exchange(here)) return problem;
    std::vector<std::string> only_here;
    for (size_t i = 0; i < left.size(); ++i)
      if (there[i].integer == 0 && here[i].integer == 1) only_here.push_back(left[i]);
    left = std::move(only_here);
  }
  tally_.only_here += left.size();
  for (const std::string& key : left) note(db, key, "only here");
  progress_(tally_);
  return std::nullopt;
}

void KeyspaceComparison::count(int db, const KeyComparison& key) {
  switch (key.verdict) {
    case Verdict::kEqual:
      ++tally_.equal;
      return;
    case Verdict::kGone:
      return;
    case Verdict::kMissing:
      ++tally_.missing;
      return note(db, key.key, "missing here");
    case Verdict::kDiffers:
      ++tally_.differing;
      return note(db, key.key, key.reason);
  }
}

void KeyspaceComparison::note(int db, const std::string& key, std::string reason) {
  if (tally_.examples.size() < Tally::kMostExamples)
    tally_.examples.push_back({db, key, std::move(reason)});
}

}  // namespace verify
