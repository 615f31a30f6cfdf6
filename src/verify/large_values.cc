#include "verify/large_values.h"

#include "verify/value_comparison.h"

namespace verify {
namespace {

using proto::ReplyValue;
using Words = std::vector<std::string>;

constexpr int64_t kChunkElements = 1000;
constexpr int64_t kChunkBytes = 1 << 20;

void add(ServerLink& link, const Words& words) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  link.add(views);
}

Problem ask_both(Servers servers, const Words& words, ReplyValue& here, ReplyValue& there) {
  Replies replies;
  add(servers.here, words);
  add(servers.there, words);
  if (auto problem = servers.here.exchange(replies)) return problem;
  here = std::move(replies[0]);
  if (auto problem = servers.there.exchange(replies)) return problem;
  there = std::move(replies[0]);
  return std::nullopt;
}

bool is_empty(const ReplyValue& value) {
  return value.is_error() || (value.text.empty() && value.children.empty());
}

// By position: command, key, first, last, more.
Problem compare_ranges(Servers servers, const Words& command, int64_t chunk, bool& equal) {
  for (int64_t first = 0; equal; first += chunk) {
    Words words = {command[0], command[1], std::to_string(first),
                   std::to_string(first + chunk - 1)};
    words.insert(words.end(), command.begin() + 2, command.end());
    ReplyValue here;
    ReplyValue there;
    if (auto problem = ask_both(servers, words, here, there)) return problem;
    equal = here == there;
    if (is_empty(here)) break;
  }
  return std::nullopt;
}

Problem compare_streams(Servers servers, const std::string& key, bool& equal) {
  std::string from = "-";
  while (equal) {
    const Words words = {"XRANGE", key, from, "+", "COUNT", std::to_string(kChunkElements)};
    ReplyValue here;
    ReplyValue there;
    if (auto problem = ask_both(servers, words, here, there)) return problem;
    equal = here == there;
    if (is_empty(here) || here.children.back().children.empty()) break;
    from = "(" + here.children.back().children[0].text;
  }
  return std::nullopt;
}

// Whether `here` has all of a chunk that `there` has enumerated. The sizes are equal, so if it has
// all of them it has no others. SMISMEMBER answers with ones, HMGET with the values.
Problem contains(ServerLink& here, TypedKey key, const ReplyValue& chunk, bool& equal) {
  const bool is_set = key.type == "set";
  const size_t step = is_set ? 1 : 2;
  std::vector<std::string_view> words = {is_set ? "SMISMEMBER" : "HMGET", key.key};
  for (size_t i = 0; i + step <= chunk.children.size(); i += step)
    words.push_back(chunk.children[i].text);
  if (words.size() == 2) return std::nullopt;
  here.add(words);
  Replies replies;
  if (auto problem = here.exchange(replies)) return problem;
  const std::vector<ReplyValue>& found = replies[0].children;
  equal = equal && found.size() == words.size() - 2;
  for (size_t i = 0; i < found.size() && equal; ++i)
    equal = is_set ? found[i].integer == 1
                   : !found[i].is_null() && found[i].text == chunk.children[2 * i + 1].text;
  return std::nullopt;
}

Problem compare_enumerated(Servers servers, TypedKey key, bool& equal) {
  const std::string_view scan = key.type == "set" ? "SSCAN" : "HSCAN";
  std::string cursor = "0";
  do {
    ReplyValue reply;
    if (auto problem = servers.there.ask(
            {scan, key.key, cursor, "COUNT", std::to_string(kChunkElements)}, reply))
      return problem;
    if (reply.children.size() != 2) return servers.there.address().text() + ": not a reply of SCAN";
    cursor = reply.children[0].text;
    if (auto problem = contains(servers.here, key, reply.children[1], equal)) return problem;
  } while (cursor != "0" && equal);
  return std::nullopt;
}

}  // namespace

Problem compare_large(Servers servers, TypedKey key, bool& equal) {
  const std::string name(key.key);
  if (key.type == "string") return compare_ranges(servers, {"GETRANGE", name}, kChunkBytes, equal);
  if (key.type == "list") return compare_ranges(servers, {"LRANGE", name}, kChunkElements, equal);
  if (key.type == "zset")
    return compare_ranges(servers, {"ZRANGE", name, "WITHSCORES"}, kChunkElements, equal);
  if (key.type == "stream") return compare_streams(servers, name, equal);
  return compare_enumerated(servers, key, equal);
}

}  // namespace verify
