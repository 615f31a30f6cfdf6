#include "tests/server/transcript.h"

#include <regex.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace millrace {
namespace {

// --- headers of aggregates: "*2", "%?1"

struct Header {
  char kind;
  bool in_any_order;
  size_t count;

  // Nodes that follow. A map has pairs, an attribute pairs and the reply that they describe.
  size_t children() const { return kind == '%' ? 2 * count : kind == '|' ? 2 * count + 1 : count; }
};

std::optional<Header> header_of(std::string_view head) {
  if (head.size() < 2 || std::string_view("*~%>|").find(head[0]) == std::string_view::npos)
    return std::nullopt;
  const bool in_any_order = head[1] == '?';
  const std::string_view digits = head.substr(in_any_order ? 2 : 1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  return Header{head[0], in_any_order, std::strtoull(std::string(digits).c_str(), nullptr, 10)};
}

TranscriptNode take_node(const std::vector<std::string>& lines, size_t& next) {
  if (next == lines.size()) throw std::runtime_error("an aggregate has fewer elements");
  TranscriptNode node{lines[next++]};
  const std::optional<Header> header = header_of(node.head);
  for (size_t i = 0; header && i < header->children(); ++i)
    node.children.push_back(take_node(lines, next));
  return node;
}

// --- words

char unescaped(char name) {
  static const std::map<char, char> kNames = {
      {'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'a', '\a'}, {'b', '\b'}};
  const auto found = kNames.find(name);
  return found == kNames.end() ? name : found->second;
}

// What is between quotes, from behind the opening one; `at` moves behind the closing one.
std::string take_quoted(std::string_view text, size_t& at, char quote) {
  std::string word;
  for (; at < text.size() && text[at] != quote; ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      word += text[at];
    } else if (quote == '\'') {
      word += text[at + 1] == '\'' ? text[++at] : '\\';
    } else if (text[++at] == 'x' && at + 2 < text.size()) {
      word += char(std::strtol(std::string(text.substr(at + 1, 2)).c_str(), nullptr, 16));
      at += 2;
    } else {
      word += unescaped(text[at]);
    }
  }
  if (at++ >= text.size()) throw std::runtime_error("unbalanced quotes");
  return word;
}

// --- patterns

// The whole line, in POSIX' extended syntax plus \d.
std::string posix_pattern(std::string_view pattern) {
  std::string posix = "^(";
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      const char name = pattern[++i];
      posix += name == 'd' ? "[0-9]" : std::string{'\\', name};
    } else {
      posix += pattern[i];
    }
  }
  return posix + ")$";
}

bool matches_pattern(std::string_view pattern, const std::string& line) {
  regex_t compiled;
  if (regcomp(&compiled, posix_pattern(pattern).c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    throw std::runtime_error("not a regular expression: " + std::string(pattern));
  const bool found = regexec(&compiled, line.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return found;
}

using Nodes = std::vector<TranscriptNode>;

bool group_matches(const Nodes& expected, size_t i, const Nodes& actual, size_t j, size_t group) {
  for (size_t k = 0; k < group; ++k)
    if (!matches(expected[i + k], actual[j + k])) return false;
  return true;
}

// Elements of a set, or pairs of a map.
bool matches_in_any_order(const Nodes& expected, const Nodes& actual, size_t group) {
  std::vector<bool> taken(actual.size());
  for (size_t i = 0; i < expected.size(); i += group) {
    size_t j = 0;
    while (j < actual.size() && (taken[j] || !group_matches(expected, i, actual, j, group)))
      j += group;
    if (j >= actual.size()) return false;
    taken[j] = true;
  }
  return true;
}

std::string scalar_text(const proto::ReplyValue& reply) {
  using proto::ReplyKind;
  switch (reply.kind) {
    case ReplyKind::kStatus:
      return reply.text;
    case ReplyKind::kError:
      return "(error) " + reply.text;
    case ReplyKind::kInteger:
      return "(integer) " + std::to_string(reply.integer);
    case ReplyKind::kBulk:
      return proto::quoted(reply.text);
    case ReplyKind::kVerbatim:
      return "(verbatim " + reply.text.substr(0, 3) + ") " + proto::quoted(reply.text.substr(4));
    case ReplyKind::kDouble:
      return "(double) " + reply.text;
    case ReplyKind::kBigNumber:
      return "(big number) " + reply.text;
    case ReplyKind::kBoolean:
      return reply.integer ? "(true)" : "(false)";
    case ReplyKind::kNull:
      return "_";
    case ReplyKind::kNullBulk:
      return "(nil)";
    case ReplyKind::kNullArray:
      return "*-1";
    default:
      return "(an aggregate)";
  }
}

TranscriptNode aggregate_node(char kind, size_t count, const std::vector<proto::ReplyValue>& of) {
  TranscriptNode node{kind + std::to_string(count)};
  for (const proto::ReplyValue& child : of) node.children.push_back(transcript_node(child));
  return node;
}

TranscriptNode plain_node(const proto::ReplyValue& reply) {
  const size_t size = reply.children.size();
  switch (reply.kind) {
    case proto::ReplyKind::kArray:
      return aggregate_node('*', size, reply.children);
    case proto::ReplyKind::kMap:
      return aggregate_node('%', size / 2, reply.children);
    case proto::ReplyKind::kSet:
      return aggregate_node('~', size, reply.children);
    case proto::ReplyKind::kPush:
      return aggregate_node('>', size, reply.children);
    default:
      return {scalar_text(reply)};
  }
}

std::vector<std::string> blank_separated(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// Reads line by line. The lines of replies wait until all of them are there.
class Reader {
 public:
  void line(int number, std::string_view text) {
    const char sign = text.empty() ? '#' : text[0];
    const std::string_view rest = text.size() > 2 ? text.substr(2) : std::string_view();
    if (sign == '<') return reply_line(number, rest);
    end_replies();
    if (sign == '>') steps_.push_back({.line = number, .command = std::string(rest)});
    if (sign == '@') directive(number, rest);
    if (std::string_view("#>@").find(sign) == std::string_view::npos)
      throw std::runtime_error("not a comment, command, reply or directive");
  }

  std::vector<TranscriptStep> finish() {
    end_replies();
    return std::move(steps_);
  }

 private:
  void reply_line(int number, std::string_view text) {
    if (steps_.empty() || !steps_.back().directive.empty()) steps_.push_back({.line = number});
    pending_.emplace_back(text);
  }
  void directive(int number, std::string_view text) {
    // Marks are about Redis; what ours answers is in the file.
    if (text.starts_with("differs ") || text == "only millrace") return;
    steps_.push_back({.line = number, .directive = blank_separated(text)});
  }
  void end_replies() {
    for (size_t next = 0; next < pending_.size();)
      steps_.back().replies.push_back(take_node(pending_, next));
    pending_.clear();
  }

  std::vector<TranscriptStep> steps_;
  std::vector<std::string> pending_;
};

}  // namespace

std::string TranscriptNode::text() const {
  std::string lines = "  " + head + "\n";
  for (const TranscriptNode& child : children) lines += child.text();
  return lines;
}

std::vector<TranscriptStep> read_transcript(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be read");
  Reader reader;
  std::string text;
  for (int number = 1; std::getline(file, text); ++number) {
    try {
      reader.line(number, text);
    } catch (const std::runtime_error& problem) {
      throw std::runtime_error(path + ":" + std::to_string(number) + ": " + problem.what());
    }
  }
  return reader.finish();
}

std::vector<std::string> transcript_words(std::string_view text) {
  std::vector<std::string> words;
  size_t at = 0;
  while ((at = text.find_first_not_of(" \t", at)) != std::string_view::npos) {
    if (text[at] == '"' || text[at] == '\'') {
      const char quote = text[at++];
      words.push_back(take_quoted(text, at, quote));
    } else {
      const size_t end = std::min(text.find_first_of(" \t", at), text.size());
      words.emplace_back(text.substr(at, end - at));
      at = end;
    }
  }
  return words;
}

ae::Nanoseconds transcript_duration(const std::string& text) {
  static const std::map<std::string, ae::Nanoseconds> kUnits = {{"ms", ae::Milliseconds(1)},
                                                                {"s", ae::Seconds(1)},
                                                                {"m", ae::Seconds(60)},
                                                                {"h", ae::Seconds(3600)},
                                                                {"d", ae::Seconds(86'400)}};
  char* end = nullptr;
  const unsigned long long count = std::strtoull(text.c_str(), &end, 10);
  const auto unit = kUnits.find(end);
  if (unit == kUnits.end()) throw std::runtime_error("not a duration: " + text);
  return unit->second * int64_t(count);
}

TranscriptNode transcript_node(const proto::ReplyValue& reply) {
  if (reply.attributes.empty()) return plain_node(reply);
  TranscriptNode node = aggregate_node('|', reply.attributes.size() / 2, reply.attributes);
  node.children.push_back(plain_node(reply));
  return node;
}

bool matches(const TranscriptNode& expected, const TranscriptNode& actual) {
  const std::string& head = expected.head;
  if (head == "...") return true;
  if (head.size() > 1 && head.front() == '/' && head.back() == '/')
    return matches_pattern(std::string_view(head).substr(1, head.size() - 2), actual.head);
  const std::optional<Header> header = header_of(head);
  if (!header) return head == actual.head;
  const std::optional<Header> other = header_of(actual.head);
  if (!other || other->kind != header->kind || other->count != header->count) return false;
  if (header->in_any_order)
    return matches_in_any_order(expected.children, actual.children, header->kind == '%' ? 2 : 1);
  return group_matches(expected.children, 0, actual.children, 0, actual.children.size());
}

}  // namespace millrace
