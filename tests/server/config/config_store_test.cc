#include "server/config/config_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "tests/server/config/temporary_directory.h"

namespace millrace {
namespace {

std::string set(ConfigStore& store, std::vector<Setting> settings,
                ClientPlace place = ClientPlace::kRemote) {
  return store.set(settings, place).value_or("OK");
}

std::string get(const ConfigStore& store, std::string_view name) {
  const std::string_view patterns[] = {name};
  const auto found = store.get(patterns);
  return found.size() == 1 ? found[0].second : "(" + std::to_string(found.size()) + " found)";
}

Refusal load(ConfigStore& store, std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "millrace-server");
  return store.load_arguments(static_cast<int>(arguments.size()), arguments.data());
}

// --- loading

TEST(ConfigStore, CommandLineWinsOverFile) {
  TemporaryDirectory directory;
  const std::string path = directory.write("a.conf", "port 1\ntimeout 5\n");
  ConfigStore store;
  ASSERT_EQ(load(store, {path.c_str(), "--port", "2"}), std::nullopt);
  EXPECT_EQ(store.config().port, 2);
  EXPECT_EQ(store.config().timeout_s, 5);
  EXPECT_EQ(store.path(), path);
}

TEST(ConfigStore, WithoutAFile) {
  ConfigStore store;
  ASSERT_EQ(load(store, {}), std::nullopt);
  EXPECT_EQ(store.path(), "");
  EXPECT_EQ(store.config().dir, std::filesystem::current_path().string());
}

TEST(ConfigStore, AllProblemsAreToldAndNothingIsLoaded) {
  TemporaryDirectory directory;
  const std::string path = directory.write(
      "a.conf",
      "port 1\nprot 1\ntimeout -1\ncluster-enabled yes\ninclude inner.conf\nrequirepass \"x\n");
  directory.write("inner.conf", "# comment\nnosuch-thing-at-all\n");
  ConfigStore store;
  ASSERT_EQ(chdir(directory.path().c_str()), 0);
  ConfigStore here;
  const Refusal text = load(here, {"a.conf", "--port", "x"});
  ASSERT_EQ(chdir("/"), 0);
  EXPECT_EQ(
      text.value_or(""),
      "*** FATAL CONFIG FILE ERROR (Millrace 0.1.0) ***\n"
      "Reading the configuration file, at line 2\n"
      ">>> 'prot 1'\n"
      "Unknown directive 'prot': did you mean 'port'?\n"
      "Reading the configuration file, at line 3\n"
      ">>> 'timeout -1'\n"
      "argument must be between 0 and 2147483647 inclusive\n"
      "Reading the configuration file, at line 4\n"
      ">>> 'cluster-enabled yes'\n"
      "'cluster-enabled yes' is not supported by this version of Millrace: it is not a cluster "
      "node; see docs/compatibility.md\n"
      "Reading the configuration file inner.conf, at line 2\n"
      ">>> 'nosuch-thing-at-all'\n"
      "Unknown directive 'nosuch-thing-at-all'\n"
      "Reading the configuration file, at line 6\n"
      ">>> 'requirepass \"x'\n"
      "Unbalanced quotes in configuration line\n"
      "Reading the command line\n"
      ">>> 'port x'\n"
      "argument couldn't be parsed into an integer\n");
  EXPECT_EQ(here.config().port, 6379);
}

TEST(ConfigStore, ProblemsAreNotEndless) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "nosuch 1\n";
  text += "port 7\n";
  ConfigText lines;
  read_config_text(text, "test", "/", lines);
  Config config;
  const std::vector<ConfigProblem> problems = apply_lines(lines.lines, config);
  EXPECT_EQ(problems.size(), kMaxProblems + 1);
  EXPECT_EQ(problems.back().reason, "There is more; these were the first problems.");
  EXPECT_EQ(config.port, 7);
}

TEST(ConfigStore, MissingFile) {
  ConfigStore store;
  EXPECT_EQ(
      store.load_file("/nowhere/x.conf").value_or(""),
      "*** FATAL CONFIG FILE ERROR (Millrace 0.1.0) ***\nReading the configuration file\ncan't "
      "open config file '/nowhere/x.conf': No such file or directory\n");
}

// What Debian installs with its redis-server, if it is installed here.
TEST(ConfigStore, StockDebianFileLoads) {
  constexpr const char* kPath = "/etc/redis/redis.conf";
  if (access(kPath, R_OK) != 0) GTEST_SKIP() << "no " << kPath;
  ConfigStore store;
  EXPECT_EQ(store.load_file(kPath).value_or(""), "");
  EXPECT_EQ(store.config().bind, (std::vector<std::string>{"127.0.0.1", "-::1"}));
  EXPECT_EQ(store.config().pidfile, "/run/redis/redis-server.pid");
  EXPECT_EQ(store.config().dir, "/var/lib/redis");
}

// --- CONFIG GET

TEST(ConfigGet, PatternsNamesAndAliases) {
  ConfigStore store;
  const std::string_view patterns[] = {"TIMEOUT", "hash-max-*-entries", "time*", "nosuch"};
  const auto found = store.get(patterns);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].first, "timeout");
  EXPECT_EQ(found[1].first, "hash-max-listpack-entries");
  EXPECT_EQ(found[2].first, "hash-max-ziplist-entries");
}

TEST(ConfigGet, HiddenOnesAnswerToTheirNameAlone) {
  const ConfigStore store;
  const std::string_view pattern[] = {"key-load-dela?"};
  EXPECT_TRUE(store.get(pattern).empty());
  const std::string_view name[] = {"*", "Key-Load-Delay"};
  const auto found = store.get(name);
  const auto is_it = [](const auto& entry) { return entry.first == "key-load-delay"; };
  EXPECT_EQ(std::ranges::count_if(found, is_it), 1);
}

TEST(ConfigGet, WhatClientsAskFor) {
  ConfigStore store;
  const std::string_view patterns[] = {"save", "appendonly"};
  const auto found = store.get(patterns);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].second, "3600 1 300 100 60 10000");
  EXPECT_EQ(found[1].second, "no");
  EXPECT_EQ(get(store, "client-output-buffer-limit"),
            "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
  EXPECT_EQ(get(store, "bind"), "* -::*");
  EXPECT_EQ(get(store, "latency-tracking-info-percentiles"), "50 99 99.9");
  EXPECT_EQ(get(store, "rename-command"), "(0 found)");
}

// --- CONFIG SET

TEST(ConfigSet, SeveralAreAllOrNothing) {
  ConfigStore store;
  EXPECT_EQ(set(store, {{"timeout", "5"}, {"maxmemory", "1gb"}}), "OK");
  EXPECT_EQ(store.config().timeout_s, 5);
  EXPECT_EQ(store.config().maxmemory_bytes, 1ull << 30);
  EXPECT_NE(set(store, {{"timeout", "6"}, {"maxmemory", "x"}}), "OK");
  EXPECT_EQ(store.config().timeout_s, 5);
}

TEST(ConfigSet, MultiWordValuesAreSplitAtSpaces) {
  ConfigStore store;
  EXPECT_EQ(set(store, {{"bind", "127.0.0.1  ::1 "}}), "OK");
  EXPECT_EQ(store.config().bind, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(set(store, {{"bind", ""}}), "OK");
  EXPECT_TRUE(store.config().bind.empty());
  EXPECT_EQ(set(store, {{"save", "60 1  10 5"}}), "OK");
  EXPECT_EQ(get(store, "save"), "60 1 10 5");
  EXPECT_EQ(set(store, {{"save", "7 2"}}), "OK");
  EXPECT_EQ(get(store, "save"), "7 2");
  EXPECT_NE(set(store, {{"save", "7"}}), "OK");
  EXPECT_EQ(set(store, {{"save", ""}}), "OK");
  EXPECT_EQ(get(store, "save"), "");
  EXPECT_EQ(set(store, {{"requirepass", "a b"}}), "OK");
  EXPECT_EQ(store.config().requirepass, "a b");
}

TEST(ConfigSet, ProtectedOnesNeedPermission) {
  constexpr const char* kRefused =
      "CONFIG SET failed (possibly related to argument 'dir') - can't set protected config";
  ConfigStore store;
  EXPECT_EQ(set(store, {{"dir", "/tmp"}}, ClientPlace::kLocal), kRefused);
  ASSERT_EQ(load(store, {"--enable-protected-configs", "local"}), std::nullopt);
  EXPECT_EQ(set(store, {{"dir", "/tmp"}}, ClientPlace::kRemote), kRefused);
  EXPECT_EQ(set(store, {{"dir", "/tmp"}}, ClientPlace::kLocal), "OK");
  EXPECT_EQ(get(store, "dir"), "/tmp");
}

TEST(ConfigSet, AbsentOnesSayWhy) {
  ConfigStore store;
  EXPECT_EQ(set(store, {{"cluster-require-full-coverage", "yes"}}), "OK");
  EXPECT_EQ(
      set(store, {{"cluster-require-full-coverage", "no"}}),
      "CONFIG SET failed (possibly related to argument 'cluster-require-full-coverage') - "
      "'cluster-require-full-coverage no' is not supported by this version of Millrace: it is not "
      "a cluster node; see docs/compatibility.md");
  EXPECT_EQ(set(store, {{"rename-command", "a b"}}),
            "Unknown option or number of arguments for CONFIG SET - 'rename-command'");
}

TEST(ConfigSet, NoSettingsAtAll) {
  ConfigStore store;
  EXPECT_EQ(set(store, {}), "OK");
}

// --- hooks

// Writes down what its hooks are told.
struct Hooked {
  Hooked() {
    store.on_change("timeout", [this](const Config& old, const Config& now) -> Refusal {
      log += "timeout " + std::to_string(old.timeout_s) + ">" + std::to_string(now.timeout_s) + ";";
      return std::nullopt;
    });
    store.on_change({"port", "bind"}, [this](const Config& old, const Config& now) -> Refusal {
      log += "port " + std::to_string(old.port) + ">" + std::to_string(now.port) + ";";
      if (now.port == 666) return "no such number";
      return std::nullopt;
    });
    store.on_any_change([this](const Config&, const Config& now) -> Refusal {
      log += "any;";
      if (now.maxmemory_bytes == 666) return "too little";
      return std::nullopt;
    });
  }
  ConfigStore store;
  std::string log;
};

TEST(ConfigHooks, RunOnceForWhatHasChanged) {
  Hooked hooked;
  EXPECT_EQ(set(hooked.store, {{"port", "1"}, {"bind", "::1"}}), "OK");
  EXPECT_EQ(hooked.log, "port 6379>1;any;");
  hooked.log.clear();
  EXPECT_EQ(set(hooked.store, {{"port", "1"}}), "OK");
  EXPECT_EQ(hooked.log, "");
  EXPECT_EQ(set(hooked.store, {{"hz", "20"}}), "OK");
  EXPECT_EQ(hooked.log, "any;");
}

TEST(ConfigHooks, RefusalBringsTheOldValuesBack) {
  Hooked hooked;
  EXPECT_EQ(set(hooked.store, {{"timeout", "5"}, {"port", "666"}}),
            "CONFIG SET failed (possibly related to argument 'port') - no such number");
  EXPECT_EQ(hooked.store.config().timeout_s, 0);
  EXPECT_EQ(hooked.store.config().port, 6379);
  // The hook that had agreed hears of it; the one that refused has changed nothing.
  EXPECT_EQ(hooked.log, "timeout 0>5;port 6379>666;timeout 5>0;");
}

TEST(ConfigHooks, RefusalOfAGeneralHookNamesTheFirstSetting) {
  Hooked hooked;
  EXPECT_EQ(set(hooked.store, {{"maxmemory", "666"}, {"timeout", "1"}}),
            "CONFIG SET failed (possibly related to argument 'maxmemory') - too little");
  EXPECT_EQ(hooked.store.config().maxmemory_bytes, 0u);
}

TEST(ConfigHooks, SeeTheNewValuesInForce) {
  ConfigStore store;
  int seen = -1;
  store.on_change("timeout", [&](const Config&, const Config& now) -> Refusal {
    EXPECT_EQ(&now, &store.config());
    seen = store.config().timeout_s;
    return std::nullopt;
  });
  EXPECT_EQ(set(store, {{"timeout", "7"}}), "OK");
  EXPECT_EQ(seen, 7);
}

// --- CONFIG REWRITE

TEST(ConfigRewrite, NeedsAFile) {
  ConfigStore store;
  EXPECT_EQ(store.rewrite(), "The server is running without a config file");
}

TEST(ConfigRewrite, WhatWasSetIsThereAfterARestart) {
  TemporaryDirectory directory;
  const std::string path = directory.write("a.conf", "# mine\nport 1\n");
  ConfigStore store;
  ASSERT_EQ(store.load_file(path), std::nullopt);
  ASSERT_EQ(set(store, {{"port", "2"}, {"requirepass", "a \"b\" \n"}}), "OK");
  ASSERT_EQ(store.rewrite(), std::nullopt);
  EXPECT_TRUE(directory.read("a.conf").starts_with("# mine\nport 2\n"));
  ConfigStore again;
  ASSERT_EQ(again.load_file(path), std::nullopt);
  EXPECT_EQ(again.config(), store.config());
}

TEST(ConfigRewrite, SaysWhyItFailed) {
  TemporaryDirectory directory;
  const std::string path = directory.write("x/a.conf", "port 1\n");
  ConfigStore store;
  ASSERT_EQ(store.load_file(path), std::nullopt);
  std::filesystem::remove_all(directory.path("x"));
  EXPECT_EQ(store.rewrite(), "Rewriting config file: No such file or directory");
}

// --- SIGHUP

TEST(ConfigReload, AppliesWhatMayChangeAndNamesTheRest) {
  TemporaryDirectory directory;
  const std::string path = directory.write("a.conf", "timeout 1\ndatabases 4\nrequirepass old\n");
  Hooked hooked;
  ASSERT_EQ(hooked.store.load_file(path), std::nullopt);
  directory.write("a.conf", "timeout 2\ndatabases 5\nrequirepass new\nport 666\n");
  EXPECT_EQ(hooked.store.reload(),
            (std::vector<std::string>{
                "port: '6379' -> '666', refused: no such number", "timeout: '1' -> '2', applied",
                "databases: '4' -> '5', needs a restart", "requirepass has changed, applied"}));
  EXPECT_EQ(hooked.store.config().timeout_s, 2);
  EXPECT_EQ(hooked.store.config().databases, 4);
  EXPECT_EQ(hooked.store.config().requirepass, "new");
  EXPECT_EQ(hooked.store.config().port, 6379);
}

TEST(ConfigReload, BrokenFileChangesNothing) {
  TemporaryDirectory directory;
  const std::string path = directory.write("a.conf", "timeout 1\n");
  ConfigStore store;
  ASSERT_EQ(store.load_file(path), std::nullopt);
  directory.write("a.conf", "timeout 2\nnosuch 1\n");
  const std::vector<std::string> log = store.reload();
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0], "Reading the configuration file, at line 2: Unknown directive 'nosuch'");
  EXPECT_EQ(store.config().timeout_s, 1);
}

TEST(ConfigReload, CommandLineStillWinsAndNoDifferenceIsSaid) {
  TemporaryDirectory directory;
  const std::string path = directory.write("a.conf", "timeout 1\n");
  ConfigStore store;
  ASSERT_EQ(load(store, {path.c_str(), "--timeout", "9"}), std::nullopt);
  EXPECT_EQ(store.reload().size(), 1u);
  EXPECT_EQ(store.config().timeout_s, 9);
}

}  // namespace
}  // namespace millrace
