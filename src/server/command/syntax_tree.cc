#include "server/command/syntax_tree.h"

#include <algorithm>
#include <cctype>
#include <iterator>

#include "ae/base/assert.h"

namespace millrace {
namespace {

using Kind = SyntaxNode::Kind;
using Nodes = std::vector<SyntaxNode>;

constexpr std::string_view kDots = "...";

std::vector<std::string_view> split(std::string_view text) {
  constexpr std::string_view kSigns = "[]<>|";
  std::vector<std::string_view> lexemes;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    size_t end = at + 1;
    if (kSigns.find(text[at]) == std::string_view::npos) {
      while (end < text.size() && text[end] != ' ' &&
             kSigns.find(text[end]) == std::string_view::npos)
        ++end;
    }
    lexemes.push_back(text.substr(at, end - at));
    at = end;
  }
  return lexemes;
}

bool is_token(const SyntaxNode& node) {
  return node.kind == Kind::kToken;
}

// No lower-case letter: NX, LIB-NAME, =, *.
bool is_token_word(std::string_view word) {
  return std::none_of(word.begin(), word.end(),
                      [](unsigned char c) { return std::islower(c) != 0; });
}

SyntaxNode node_of_word(std::string_view word) {
  SyntaxNode node;
  node.name = word;
  for (char& c : node.name) c = char(std::tolower(static_cast<unsigned char>(c)));
  if (is_token_word(word)) {
    node.kind = Kind::kToken;
    node.token = word;
  }
  return node;
}

SyntaxNode group(Kind kind, Nodes children) {
  SyntaxNode node;
  node.kind = kind;
  node.name = kind == Kind::kOneOf ? "choice" : children.front().name + "-group";
  node.children = std::move(children);
  return node;
}

// A sequence as one node.
SyntaxNode as_one(Nodes nodes) {
  AE_ASSERT(!nodes.empty());
  return nodes.size() == 1 ? std::move(nodes[0]) : group(Kind::kBlock, std::move(nodes));
}

// A token takes what follows it in the sequence, up to what is optional or the next token.
Nodes give_tokens_their_arguments(Nodes nodes) {
  Nodes result;
  for (size_t i = 0; i < nodes.size();) {
    if (!is_token(nodes[i]) || nodes[i].optional) {
      result.push_back(std::move(nodes[i++]));
      continue;
    }
    SyntaxNode token = std::move(nodes[i++]);
    Nodes arguments;
    while (i < nodes.size() && !is_token(nodes[i]) && !nodes[i].optional && nodes[i].token.empty())
      arguments.push_back(std::move(nodes[i++]));
    if (!arguments.empty()) {
      std::string text = std::move(token.token);
      token = as_one(std::move(arguments));
      token.token = std::move(text);
    }
    result.push_back(std::move(token));
  }
  return result;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexemes_(split(text)) {}

  Nodes parse_all() {
    Nodes nodes = alternatives();
    AE_ASSERT(at_ == lexemes_.size());
    return nodes;
  }

 private:
  std::string_view peek() const { return at_ < lexemes_.size() ? lexemes_[at_] : ""; }
  bool take(std::string_view lexeme) {
    if (peek() != lexeme) return false;
    ++at_;
    return true;
  }
  bool at_end() const { return peek().empty() || peek() == "]" || peek() == ">"; }

  // a | b c | d: one node where there are several, else the sequence itself.
  Nodes alternatives() {
    std::vector<Nodes> sequences;
    do {
      sequences.push_back(sequence());
    } while (take("|"));
    if (sequences.size() == 1) return std::move(sequences[0]);
    Nodes choices;
    for (Nodes& nodes : sequences) choices.push_back(as_one(std::move(nodes)));
    Nodes result;
    result.push_back(group(Kind::kOneOf, std::move(choices)));
    return result;
  }

  Nodes sequence() {
    Nodes nodes;
    while (!at_end() && peek() != "|" && peek() != kDots) {
      if (take("[")) {
        bracket(nodes);
      } else if (take("<")) {
        nodes.push_back(as_one(alternatives()));
        AE_ASSERT(take(">"));
      } else {
        nodes.push_back(words());
      }
    }
    return give_tokens_their_arguments(std::move(nodes));
  }

  // One word, or WORD | WORD | WORD.
  SyntaxNode words() {
    Nodes choices;
    choices.push_back(node_of_word(lexemes_[at_++]));
    while (is_token(choices.back()) && peek() == "|" && at_ + 1 < lexemes_.size() &&
           is_plain_token(lexemes_[at_ + 1])) {
      choices.push_back(node_of_word(lexemes_[at_ + 1]));
      at_ += 2;
    }
    return choices.size() == 1 ? std::move(choices[0]) : group(Kind::kOneOf, std::move(choices));
  }
  static bool is_plain_token(std::string_view lexeme) {
    return is_token_word(lexeme) &&
           std::string_view("[]<>|").find(lexeme) == std::string_view::npos;
  }

  // After '[': an optional part, or the repetition of what stands in front.
  void bracket(Nodes& before) {
    const size_t start = at_;
    const size_t words = count_repeated();
    if (words != 0) {
      repeat(before, words, is_plain_token(lexemes_[start]));
      return;
    }
    SyntaxNode node = as_one(alternatives());
    AE_ASSERT(take("]"));
    node.optional = true;
    before.push_back(std::move(node));
  }

  // The elements of "x y ...]" up to behind the bracket; 0, and nothing read, if it does not end in
  // dots.
  size_t count_repeated() {
    size_t count = 0;
    int depth = 0;
    for (size_t i = at_; i < lexemes_.size(); ++i) {
      const std::string_view lexeme = lexemes_[i];
      if (lexeme == kDots && depth == 0) {
        at_ = i + 1;
        AE_ASSERT(take("]"));
        return count;
      }
      if (lexeme == "]" && depth == 0) return 0;
      if (lexeme == "[" || lexeme == "<") ++depth;
      if (lexeme == "]" || lexeme == ">") --depth;
      if (depth == 0 && lexeme != "|") ++count;
    }
    return 0;
  }

  // The last `count` elements come once or more.
  static void repeat(Nodes& nodes, size_t count, bool with_token) {
    if (with_token) --count;  // it stands in front, and becomes theirs later
    AE_ASSERT(count >= 1 && count <= nodes.size());
    const auto first = nodes.end() - ptrdiff_t(count);
    Nodes repeated(std::make_move_iterator(first), std::make_move_iterator(nodes.end()));
    nodes.erase(first, nodes.end());
    SyntaxNode node = as_one(std::move(repeated));
    node.multiple = true;
    node.multiple_token = with_token;
    nodes.push_back(std::move(node));
  }

  std::vector<std::string_view> lexemes_;
  size_t at_ = 0;
};

struct TypeRule {
  std::string_view type;
  std::string_view names[32];
};
constexpr TypeRule kTypes[] = {
    {"key",
     {"key", "key1", "key2", "newkey", "source", "destination", "dst", "src", "sourcekey",
      "destkey"}},
    {"integer",
     {"seconds",   "milliseconds",   "count",   "offset",  "start",        "stop",   "end",
      "increment", "decrement",      "numkeys", "index",   "db",           "rank",   "num-matches",
      "len",       "limit",          "cursor",  "timeout", "protover",     "index1", "index2",
      "client-id", "destination-db", "version", "weight",  "min-match-len"}},
    {"double", {"score"}},
    {"pattern", {"pattern"}},
};

}  // namespace

std::vector<SyntaxNode> parse_syntax(std::string_view synopsis) {
  if (synopsis.empty()) return {};
  return Parser(synopsis).parse_all();
}

std::string_view type_of_value(std::string_view name) {
  if (name.starts_with("unix-time")) return "unix-time";
  for (const TypeRule& rule : kTypes)
    if (std::find(std::begin(rule.names), std::end(rule.names), name) != std::end(rule.names))
      return rule.type;
  return "string";
}

}  // namespace millrace
