#include "load/options.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

namespace load {
namespace {

struct Parsed {
  std::optional<Options> options;
  std::string problem;
};

Parsed parse(std::initializer_list<const char*> words) {
  std::vector<const char*> argv = {"millrace-load"};
  argv.insert(argv.end(), words);
  Parsed parsed;
  parsed.options = parse_options(int(argv.size()), argv.data(), &parsed.problem);
  return parsed;
}

TEST(OptionsTest, Durations) {
  EXPECT_EQ(parse_duration("200ms"), ae::Milliseconds(200));
  EXPECT_EQ(parse_duration("10us"), ae::Microseconds(10));
  EXPECT_EQ(parse_duration("1.5m"), ae::Seconds(90));
  EXPECT_EQ(parse_duration("3s"), ae::Seconds(3));
  for (const char* bad : {"", "s", "5", "5 s", "-1s", "0s", "1h", "1e999s", "nans", "8000000s"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  }
}

TEST(OptionsTest, NothingSaidIsTenSecondsOfPings) {
  const auto [options, problem] = parse({});
  ASSERT_TRUE(options) << problem;
  ASSERT_EQ(options->phases.size(), 1u);
  EXPECT_EQ(options->phases[0].kind, ScenarioKind::kRandom);
  EXPECT_EQ(options->phases[0].duration, ae::Seconds(10));
  EXPECT_EQ(options->phases[0].rate, options->rate);
  EXPECT_EQ(options->expected, "PONG");
  EXPECT_EQ(options->peers, 10u);
}

TEST(OptionsTest, ScenariosInOrderWithTimesAndRates) {
  const auto [options, problem] =
      parse({"hold:5s", "sweep@20000", "--rate", "3000", "random:500ms@0.5", "half-open"});
  ASSERT_TRUE(options) << problem;
  ASSERT_EQ(options->phases.size(), 4u);
  EXPECT_EQ(options->phases[0].kind, ScenarioKind::kHold);
  EXPECT_EQ(options->phases[0].duration, ae::Seconds(5));
  EXPECT_EQ(options->phases[1].kind, ScenarioKind::kSweep);
  EXPECT_EQ(options->phases[1].rate, 20000);
  EXPECT_EQ(options->phases[2].rate, 0.5);
  EXPECT_EQ(options->phases[2].duration, ae::Milliseconds(500));
  EXPECT_EQ(options->phases[3].kind, ScenarioKind::kHalfOpen);
  EXPECT_EQ(options->phases[3].rate, 3000) << "an option may follow the scenario it is for";
}

TEST(OptionsTest, SaturationIsOfConnections) {
  const auto [options, problem] =
      parse({"--rate", "7", "--connections", "90", "saturate:1s", "saturate:1s@50"});
  ASSERT_TRUE(options) << problem;
  EXPECT_EQ(options->phases[0].rate, 90) << "all of them";
  EXPECT_EQ(options->phases[1].rate, 50);
}

TEST(OptionsTest, AnotherCommandMayAnswerAnything) {
  EXPECT_EQ(parse({"--command", "GET k"}).options->expected, "");
  EXPECT_EQ(parse({"--command", "GET k", "--expect", "v"}).options->expected, "v");
}

TEST(OptionsTest, WhatIsRefused) {
  const std::vector<std::vector<const char*>> refused = {
      {"--connections", "0"},
      {"--connections", "x"},
      {"--connections"},
      {"--port", "65536"},
      {"--nonsense", "1"},
      {"nonsense"},
      {"random:"},
      {"random@"},
      {"random:5"},
      {"sweep:5s"},
      {"random@0"},
      {"--active", "0"},
      {"--active", "101"},
      {"--rate", "-1"},
      {"--rate", "nan"},
      {"--command", "  "},
      {"--json", ""},
      {"--deadline", "10"},
      {"--source", "::1"},
      {"--source", "300.0.0.1"},
      {"--storm-share", "101"},
      {"--connections", "4", "--processes", "5"},
      {"--connections", "50", "--peers", "50", "slow"},
      {"--connections", "5", "--closed", "5"},
  };
  for (const auto& words : refused) {
    std::vector<const char*> argv = {"millrace-load"};
    argv.insert(argv.end(), words.begin(), words.end());
    std::string problem;
    EXPECT_FALSE(parse_options(int(argv.size()), argv.data(), &problem)) << words[0];
    EXPECT_NE(problem, "") << words[0];
  }
}

TEST(OptionsTest, HelpNamesEveryScenario) {
  ASSERT_TRUE(parse({"--help"}).options->help);
  for (int kind = int(ScenarioKind::kHold); kind <= int(ScenarioKind::kStorm); ++kind) {
    const std::string word = "\n  " + std::string(name(ScenarioKind(kind))) + " ";
    EXPECT_NE(help_text().find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace load
