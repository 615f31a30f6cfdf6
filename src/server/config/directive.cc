#include "server/config/directive.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ae/base/assert.h"
#include "ae/base/decimal.h"
#include "server/config/memory_size.h"
#include "server/config/text.h"

namespace millrace {
namespace {

constexpr std::string_view kWrongWordCount = "wrong number of arguments";

// --- yes or no

Refusal parse_field(const BoolField& field, Config& config, std::string_view word) {
  const bool yes = equal_ignoring_case(word, "yes");
  if (!yes && !equal_ignoring_case(word, "no")) return "argument must be 'yes' or 'no'";
  config.*field.member = yes;
  return std::nullopt;
}

std::string print_field(const BoolField& field, const Config& config) {
  return config.*field.member ? "yes" : "no";
}

// --- integers

std::optional<int64_t> parse_octal(std::string_view text) {
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, 8);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

std::optional<int64_t> parse_number(Notation notation, std::string_view word) {
  if (notation == Notation::kMemory) return parse_memory_size(word);
  if (notation == Notation::kOctal) return parse_octal(word);
  return ae::parse_int64(word);
}

std::string_view not_a_number(Notation notation) {
  if (notation == Notation::kMemory) return "argument must be a memory value";
  if (notation == Notation::kOctal) return "argument couldn't be parsed as an octal number";
  return "argument couldn't be parsed into an integer";
}

std::string out_of_range(const IntegerField& field) {
  constexpr std::string_view kDecimal = "argument must be between {} and {} inclusive";
  constexpr std::string_view kOctal = "argument must be between {:o} and {:o} inclusive";
  return fmt::format(fmt::runtime(field.notation == Notation::kOctal ? kOctal : kDecimal),
                     field.min, field.max);
}

Refusal parse_field(const IntegerField& field, Config& config, std::string_view word) {
  const std::optional<int64_t> value = parse_number(field.notation, word);
  if (!value) return std::string(not_a_number(field.notation));
  if (*value < field.min || *value > field.max) return out_of_range(field);
  field.set(config, std::clamp(*value, field.lowest_used, field.highest_used));
  return std::nullopt;
}

std::string print_field(const IntegerField& field, const Config& config) {
  const int64_t value = field.get(config);
  return field.notation == Notation::kOctal ? fmt::format("{:o}", value) : std::to_string(value);
}

// --- one of some names

Refusal parse_field(const EnumField& field, Config& config, std::string_view word) {
  const auto found = std::ranges::find_if(
      field.names, [word](const EnumName& known) { return equal_ignoring_case(known.name, word); });
  if (found != field.names.end()) {
    field.set(config, found->value);
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (const EnumName& known : field.names) names.emplace_back(known.name);
  return "argument(s) must be one of the following: " + joined(names, ", ");
}

std::string print_field(const EnumField& field, const Config& config) {
  const auto found = std::ranges::find(field.names, field.get(config), &EnumName::value);
  return std::string(found->name);  // a value without a name cannot have been set
}

// --- text

Refusal parse_field(const StringField& field, Config& config, std::string_view word) {
  if (field.check) {
    if (Refusal refusal = field.check(word)) return refusal;
  }
  config.*field.member = word;
  return std::nullopt;
}

std::string print_field(const StringField& field, const Config& config) {
  return config.*field.member;
}

std::string print_field(const SpecialField& field, const Config& config) {
  return field.print(config);
}

// --- what this version does not have

bool same_size(std::string_view a, std::string_view b) {
  const std::optional<int64_t> size = parse_memory_size(a);
  return size && size == parse_memory_size(b);
}

Refusal parse_absent(const Directive& directive, const AbsentField& field, Words words) {
  const std::string value = fmt::format("{}", fmt::join(words, " "));
  const bool accepted = equal_ignoring_case(value, field.value) || same_size(value, field.value) ||
                        (!field.spelling.empty() && equal_ignoring_case(value, field.spelling));
  if (accepted && !directive.has(DirectiveFlag::kFileOnly)) return std::nullopt;
  return fmt::format(
      "'{} {}' is not supported by this version of Millrace: {}; see docs/compatibility.md",
      directive.name, value, field.reason);
}

std::string print_field(const AbsentField& field, const Config&) {
  return std::string(field.value);
}

// --- as a file says it, without the name

std::vector<std::string> values_in_file(const Directive& directive, const Config& config) {
  if (const auto* special = std::get_if<SpecialField>(&directive.field)) {
    return special->lines(config);
  }
  if (const auto* integer = std::get_if<IntegerField>(&directive.field)) {
    if (integer->notation == Notation::kMemory) return {format_memory_size(integer->get(config))};
  }
  const std::string value = print_value(directive, config);
  const bool as_words = directive.has(DirectiveFlag::kMultiWord) && !value.empty();
  return {as_words ? value : quoted_word(value)};
}

}  // namespace

Refusal parse_value(const Directive& directive, Config& config, Words words) {
  // A line that is the name alone: "save" is `save ""`.
  static const std::string kNothing[] = {""};
  if (words.empty() && directive.has(DirectiveFlag::kMultiWord)) words = kNothing;
  if (words.empty()) return std::string(kWrongWordCount);
  if (!directive.has(DirectiveFlag::kMultiWord) && words.size() != 1) {
    return std::string(kWrongWordCount);
  }
  return std::visit(
      [&](const auto& field) -> Refusal {
        using Field = std::decay_t<decltype(field)>;
        if constexpr (std::is_same_v<Field, AbsentField>) {
          return parse_absent(directive, field, words);
        } else if constexpr (std::is_same_v<Field, SpecialField>) {
          return field.parse(config, words);
        } else {
          return parse_field(field, config, words[0]);
        }
      },
      directive.field);
}

std::string print_value(const Directive& directive, const Config& config) {
  return std::visit([&](const auto& field) { return print_field(field, config); }, directive.field);
}

std::vector<std::string> file_lines(const Directive& directive, const Config& config) {
  std::vector<std::string> lines = values_in_file(directive, config);
  for (std::string& line : lines) line = fmt::format("{} {}", directive.name, line);
  return lines;
}

bool same_value(const Directive& directive, const Config& a, const Config& b) {
  return directive.is_absent() || file_lines(directive, a) == file_lines(directive, b);
}

void begin_value(const Directive& directive, Config& config) {
  const auto* special = std::get_if<SpecialField>(&directive.field);
  if (special && special->begin_anew) special->begin_anew(config);
}

void copy_value(const Directive& directive, const Config& from, Config& to) {
  if (directive.is_absent()) return;
  begin_value(directive, to);
  for (const std::string& line : file_lines(directive, from)) {
    const std::optional<std::vector<std::string>> words = split_words(line);
    AE_ASSERT(words.has_value());
    const Refusal refusal = parse_value(directive, to, Words(*words).subspan(1));
    AE_ASSERT(!refusal);  // a value that is in force can be read back
  }
}

}  // namespace millrace
