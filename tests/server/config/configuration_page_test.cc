// docs/configuration.md says what the table of directives says.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "server/config/directives.h"

namespace millrace {
namespace {

std::filesystem::path page_path() {
  return std::filesystem::path(MILLRACE_TOP) / "docs/configuration.md";
}

// The rows of all tables, without their last column's text where that is free.
std::set<std::string> rows_of_page() {
  std::set<std::string> rows;
  std::ifstream page(page_path());
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| `")) rows.insert(line);
  }
  return rows;
}

std::string in_code(std::string_view value) {
  return value.empty() ? "`\"\"`" : fmt::format("`{}`", value);
}

std::string when_settable(const Directive& directive) {
  if (directive.has(DirectiveFlag::kStartOnly)) return "start";
  return directive.has(DirectiveFlag::kProtected) ? "protected" : "any time";
}

// How the row begins; an absent directive's row is known to its end.
std::string expected_row(const Directive& directive) {
  if (const auto* absent = std::get_if<AbsentField>(&directive.field)) {
    const std::string names = directive.alias.empty()
                                  ? fmt::format("`{}`", directive.name)
                                  : fmt::format("`{}`, `{}`", directive.name, directive.alias);
    const bool refused_always = directive.has(DirectiveFlag::kFileOnly);
    return fmt::format("| {} | {} | {} |", names, refused_always ? "" : in_code(absent->value),
                       absent->reason);
  }
  return fmt::format("| `{}` | {} | {} | ", directive.name,
                     in_code(print_value(directive, Config())), when_settable(directive));
}

TEST(ConfigurationPage, HasARowForEachDirectiveAndNoOther) {
  const std::set<std::string> rows = rows_of_page();
  ASSERT_FALSE(rows.empty()) << page_path();
  for (const Directive& directive : directives()) {
    const std::string expected = expected_row(directive);
    const auto found = rows.lower_bound(expected);
    EXPECT_TRUE(found != rows.end() && found->starts_with(expected)) << expected;
    if (!directive.is_absent() && !directive.alias.empty() && found != rows.end()) {
      EXPECT_NE(found->find(fmt::format("Also `{}`.", directive.alias)), std::string::npos);
    }
  }
  EXPECT_EQ(rows.size(), directives().size());
}

}  // namespace
}  // namespace millrace
