// One directive of redis.conf: its names, who may change it when, and how its value is read from
// words, printed for CONFIG GET and written to a file. The table of all of them is in
// directives.cc.
//
//   const Directive* directive = find_directive("MAXMEMORY");
//   Config config;
//   const std::string words[] = {"1gb"};
//   if (auto reason = parse_value(*directive, config, words)) complain(*reason);
//   print_value(*directive, config);  // "1073741824"
//   file_lines(*directive, config);   // {"maxmemory 1gb"}
//
// Everything here is a pure function of its arguments. The reasons are Redis' texts where Redis has
// one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/config/config.h"

namespace millrace {

// Why a value is refused. Nothing: it was accepted.
using Refusal = std::optional<std::string>;
using Words = std::span<const std::string>;

struct BoolField {
  bool Config::*member;
};

enum class Notation : uint8_t { kDecimal, kMemory, kOctal };

// The members differ in width; these functions widen and narrow, `min` and `max` keep it lossless.
struct IntegerField {
  int64_t (*get)(const Config&);
  void (*set)(Config&, int64_t);
  int64_t min;
  int64_t max;
  Notation notation = Notation::kDecimal;
  // A value between min and max but outside of these is moved to the nearest one (hz).
  int64_t lowest_used = INT64_MIN;
  int64_t highest_used = INT64_MAX;
};

struct EnumName {
  std::string_view name;
  int value;
};

struct EnumField {
  int (*get)(const Config&);
  void (*set)(Config&, int);
  std::span<const EnumName> names;  // all of them, in the order of the error text
};

struct StringField {
  std::string Config::*member;
  Refusal (*check)(std::string_view value) = nullptr;
};

// A value that is none of the above; special_fields.h.
struct SpecialField {
  Refusal (*parse)(Config& config, Words words);
  std::string (*print)(const Config& config);
  // What follows the name in a file, quoted where needed; an entry per line. Exact: reading the
  // lines back gives the same value.
  std::vector<std::string> (*lines)(const Config& config);
  // For one whose lines add up: what comes next is the whole value (CONFIG SET).
  void (*begin_anew)(Config& config) = nullptr;
};

// A directive of something this version does not have. One value says what is the case ("appendonly
// no"); it is accepted and shown. Every other is refused with the reason: a line that would be
// ignored is worse than one that is refused.
struct AbsentField {
  std::string_view value;
  std::string_view reason;         // "it keeps data in memory only"
  std::string_view spelling = {};  // another spelling of `value`: "no one"
};

enum class DirectiveFlag : uint8_t {
  kStartOnly = 1 << 0,  // CONFIG SET refuses
  kProtected = 1 << 1,  // CONFIG SET needs enable-protected-configs
  kMultiWord = 1 << 2,  // takes any number of words; CONFIG SET splits its argument at spaces
  kSecret = 1 << 3,     // never to be printed in a log
  kFileOnly = 1 << 4,   // CONFIG GET and SET do not know it (rename-command, loadmodule)
  kHidden = 1 << 5,     // CONFIG GET shows it to those who ask by its name, not to a pattern
};

struct DirectiveFlags {
  uint8_t bits = 0;

  constexpr DirectiveFlags() = default;
  constexpr DirectiveFlags(DirectiveFlag flag)  // NOLINT(google-explicit-constructor): a set of one
      : bits(static_cast<uint8_t>(flag)) {}
  constexpr bool has(DirectiveFlag flag) const { return (bits & static_cast<uint8_t>(flag)) != 0; }
  friend constexpr DirectiveFlags operator|(DirectiveFlags a, DirectiveFlags b) {
    a.bits |= b.bits;
    return a;
  }
};

struct Directive {
  std::string_view name;
  std::string_view alias;  // its other name ("hash-max-ziplist-entries"), or empty
  DirectiveFlags flags;
  std::variant<BoolField, IntegerField, EnumField, StringField, SpecialField, AbsentField> field;

  bool has(DirectiveFlag flag) const { return flags.has(flag); }
  bool is_absent() const { return std::holds_alternative<AbsentField>(field); }
};

// Reads a value into `config`, which is unchanged if the value is refused. `words` excludes the
// name.
Refusal parse_value(const Directive& directive, Config& config, Words words);

// What parse_value reads next replaces the value, even where lines add up.
void begin_value(const Directive& directive, Config& config);

// As CONFIG GET shows it.
std::string print_value(const Directive& directive, const Config& config);

// As a file says it, with the name in front. Equal lines mean equal values.
std::vector<std::string> file_lines(const Directive& directive, const Config& config);

bool same_value(const Directive& directive, const Config& a, const Config& b);

void copy_value(const Directive& directive, const Config& from, Config& to);

}  // namespace millrace
