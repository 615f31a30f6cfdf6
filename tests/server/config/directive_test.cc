#include "server/config/directive.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <random>
#include <set>

#include "server/config/directives.h"
#include "server/config/text.h"
#include "tests/server/config/random_config.h"

namespace millrace {
namespace {

const Directive& directive(std::string_view name) {
  const Directive* found = find_directive(name);
  AE_ASSERT(found);
  return *found;
}

std::string refusal_of(std::string_view name, std::vector<std::string> words) {
  Config config;
  return parse_value(directive(name), config, words).value_or("accepted");
}

TEST(DirectiveTable, NamesAreUniqueAndLowerCase) {
  std::set<std::string_view> names;
  for (const Directive& row : directives()) {
    for (const std::string_view name : {row.name, row.alias}) {
      if (name.empty()) continue;
      EXPECT_TRUE(names.insert(name).second) << name;
      EXPECT_TRUE(std::ranges::none_of(name, [](char c) { return std::isupper(c); })) << name;
      EXPECT_EQ(find_directive(name), &row);
    }
  }
}

TEST(DirectiveTable, FindsWhateverTheCase) {
  EXPECT_EQ(find_directive("MaxMemory"), find_directive("maxmemory"));
  EXPECT_EQ(find_directive("hash-max-ziplist-entries"),
            find_directive("hash-max-listpack-entries"));
  EXPECT_EQ(find_directive("nosuch"), nullptr);
  EXPECT_EQ(find_directive(""), nullptr);
}

TEST(DirectiveTable, SuggestsWhatIsClose) {
  EXPECT_EQ(similar_directive("maxmemroy"), "maxmemory");
  EXPECT_EQ(similar_directive("prot"), "port");
  EXPECT_EQ(similar_directive("time-out"), "timeout");
  EXPECT_EQ(similar_directive("something-else-altogether"), "");
  EXPECT_EQ(similar_directive(std::string(10'000, 'a')), "");
}

// Each directive, absent ones too: what is shown and what is written can be read again.
TEST(DirectiveTable, DefaultsReadBack) {
  for (const Directive& row : directives()) {
    if (row.has(DirectiveFlag::kFileOnly)) continue;
    Config config;
    config.dir = "/";
    const Config defaults = config;
    for (const std::string& line : file_lines(row, config)) {
      const auto words = split_words(line);
      ASSERT_TRUE(words) << line;
      EXPECT_EQ(parse_value(row, config, Words(*words).subspan(1)), std::nullopt) << line;
    }
    EXPECT_EQ(config, defaults) << row.name;
  }
}

// A directive changes its own field and no other, and its lines are exact.
TEST(DirectiveTable, RandomValuesReadBackAndTouchNothingElse) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  RandomConfig random(seed);
  for (int round = 0; round < 20; ++round) {
    for (const Directive& row : directives()) {
      Config changed;
      changed.dir = "/";
      Config copy = changed;
      random.change(row, changed);
      copy_value(row, changed, copy);
      ASSERT_EQ(copy, changed) << file_lines(row, changed)[0];
    }
  }
}

TEST(Directive, NothingChangesWhenRefused) {
  Config config;
  const Config before = config;
  const std::vector<std::pair<std::string_view, std::vector<std::string>>> refused = {
      {"port", {"70000"}},
      {"maxmemory", {"x"}},
      {"bind", std::vector<std::string>(17, "a")},
      {"client-output-buffer-limit", {"normal", "1", "1", "1", "pubsub", "x", "1", "1"}},
      {"latency-tracking-info-percentiles", {"1", "2", "x"}},
      {"notify-keyspace-events", {"AKQ"}},
      {"proc-title-template", {"{nosuch}"}},
      {"dir", {""}},
      {"loglevel", {"loud"}},
  };
  for (const auto& [name, words] : refused) {
    EXPECT_NE(parse_value(directive(name), config, words), std::nullopt) << name;
    EXPECT_EQ(config, before) << name;
  }
}

TEST(Directive, WordCount) {
  EXPECT_EQ(refusal_of("port", {}), "wrong number of arguments");
  EXPECT_EQ(refusal_of("port", {"1", "2"}), "wrong number of arguments");
  EXPECT_EQ(refusal_of("bind", {}), "accepted");  // a line of the name alone is `bind ""`
  EXPECT_EQ(refusal_of("save", {}), "accepted");
  EXPECT_EQ(refusal_of("bind", {"127.0.0.1", "-::1"}), "accepted");
}

TEST(Directive, OomScoresAreThreeWithinTheirRange) {
  const std::string range =
      "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
  EXPECT_EQ(refusal_of("oom-score-adj-values", {"-2000", "0", "2000"}), "accepted");
  EXPECT_EQ(refusal_of("oom-score-adj-values", {"-2001", "0", "0"}), range);
  EXPECT_EQ(refusal_of("oom-score-adj-values", {"0", "0", "x"}), range);
  EXPECT_EQ(refusal_of("oom-score-adj-values", {"0", "0"}), "wrong number of arguments");
  EXPECT_EQ(refusal_of("oom-score-adj-values", {}), "wrong number of arguments");
}

TEST(Directive, HzIsMovedIntoItsRange) {
  Config config;
  const std::vector<std::string> low = {"0"};
  const std::vector<std::string> high = {"100000"};
  EXPECT_EQ(parse_value(directive("hz"), config, low), std::nullopt);
  EXPECT_EQ(config.hz, 1);
  EXPECT_EQ(parse_value(directive("hz"), config, high), std::nullopt);
  EXPECT_EQ(config.hz, 500);
}

TEST(Directive, AbsentOnesTakeTheirOneValueInAnySpelling) {
  EXPECT_EQ(refusal_of("cluster-enabled", {"NO"}), "accepted");
  EXPECT_EQ(refusal_of("bgsave-cpulist", {""}), "accepted");
  EXPECT_EQ(refusal_of("active-defrag-ignore-bytes", {"100mb"}), "accepted");
  EXPECT_EQ(refusal_of("locale-collate", {"C"}), "accepted");
  EXPECT_EQ(
      refusal_of("cluster-enabled", {"yes"}),
      "'cluster-enabled yes' is not supported by this version of Millrace: it is not a cluster "
      "node; see docs/compatibility.md");
  EXPECT_EQ(refusal_of("io-threads-do-reads", {"no"}),
            "'io-threads-do-reads no' is not supported by this version of Millrace: an IO thread "
            "owns its connections and always reads them; see docs/compatibility.md");
  EXPECT_NE(refusal_of("rename-command", {""}), "accepted");
}

TEST(Directive, LinesOfSavePointsAddUpAndReplaceTheDefault) {
  Config config;
  const Directive& save = directive("save");
  EXPECT_EQ(print_value(save, config), "3600 1 300 100 60 10000");
  ASSERT_EQ(parse_value(save, config, std::vector<std::string>{"900", "1"}), std::nullopt);
  ASSERT_EQ(parse_value(save, config, std::vector<std::string>{"30", "5", "1", "9"}), std::nullopt);
  EXPECT_EQ(print_value(save, config), "900 1 30 5 1 9");
  Config copy;
  copy_value(save, config, copy);
  EXPECT_EQ(print_value(save, copy), "900 1 30 5 1 9");
  ASSERT_EQ(parse_value(save, config, std::vector<std::string>{""}), std::nullopt);
  EXPECT_EQ(file_lines(save, config), (std::vector<std::string>{"save \"\""}));
  EXPECT_EQ(refusal_of("save", {"0", "1"}), "Invalid save parameters");
}

TEST(Directive, AMasterIsAnAddressOrNobody) {
  Config config;
  const Directive& replicaof = directive("replicaof");
  ASSERT_EQ(parse_value(replicaof, config, std::vector<std::string>{"h", "6379"}), std::nullopt);
  EXPECT_EQ(print_value(replicaof, config), "h 6379");
  ASSERT_EQ(parse_value(replicaof, config, std::vector<std::string>{"NO", "one"}), std::nullopt);
  EXPECT_TRUE(config.replicaof.is_none());
  EXPECT_EQ(refusal_of("replicaof", {"h", "70000"}), "Invalid master port");
}

TEST(Directive, MemoryIsWrittenWithAUnitThatIsExact) {
  Config config;
  config.maxmemory_bytes = 3ull << 30;
  EXPECT_EQ(file_lines(directive("maxmemory"), config)[0], "maxmemory 3gb");
  EXPECT_EQ(print_value(directive("maxmemory"), config), "3221225472");
}

TEST(Directive, DirIsAbsolute) {
  Config config;
  config.dir = "/srv/data";
  for (const auto& [given, becomes] : std::vector<std::pair<std::string, std::string>>{
           {".", "/srv/data"}, {"./x/", "/srv/data/x"}, {"../..", "/srv"}, {"/", "/"}}) {
    const std::vector<std::string> words = {given};
    ASSERT_EQ(parse_value(directive("dir"), config, words), std::nullopt);
    EXPECT_EQ(config.dir, becomes);
  }
}

}  // namespace
}  // namespace millrace
