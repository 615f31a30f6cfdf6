// The grammar of a command's arguments, read from the synopsis in its row.
//
//   "key value [NX | XX] [GET] [EX seconds | KEEPTTL]"
//
//    key    value    oneof?            GET?    oneof?
//                     NX   XX                   seconds (token EX)   KEEPTTL
//
// COMMAND DOCS shows it, and redis-cli's hints are made of it, so the synopsis is the only place
// where arguments are described. The notation is that of Redis' own pages:
//
//   word            an argument; its name
//   WORD, =, ~      to be typed as it is; what follows in the same sequence is its argument
//   [ ... ]         optional
//   a | b           one of; binds looser than a sequence, but two words to be typed (LEFT | RIGHT)
//   bind at once < ... >         grouping x [x ...]       once or more; x may be several words
//
// Trees are made when somebody asks for documentation, and thrown away.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace {

struct SyntaxNode {
  enum class Kind { kValue, kToken, kOneOf, kBlock };

  Kind kind = Kind::kValue;
  std::string name;   // of a value or a token (in lower case); made up for groups
  std::string token;  // to be typed; in front of the rest, or (kToken) alone
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;       // the token is repeated too: GET a GET b
  std::vector<SyntaxNode> children;  // of kOneOf and kBlock

  bool is_group() const { return kind == Kind::kOneOf || kind == Kind::kBlock; }
};

// A synopsis that is not well formed is a programming error: a test parses all of them.
std::vector<SyntaxNode> parse_syntax(std::string_view synopsis);

// The type that COMMAND DOCS gives a value, concluded from its name: "key", "integer", "double",
// "unix-time", "pattern", "string".
std::string_view type_of_value(std::string_view name);

}  // namespace millrace
