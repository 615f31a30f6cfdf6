// What Debian's redis-server says to the same CONFIG SETs, and shows afterwards.
#include <gtest/gtest.h>

#include <random>

#include "proto/request_writer.h"
#include "server/config/config_store.h"
#include "tests/proto/redis_oracle.h"

namespace millrace {
namespace {

std::string oracle_set(std::span<const Setting> settings) {
  std::vector<std::string_view> words = {"CONFIG", "SET"};
  for (const Setting& setting : settings) {
    words.push_back(setting.name);
    words.push_back(setting.value);
  }
  const proto::ReplyValue reply =
      proto::RedisOracle::instance().ask(proto::encode_request(std::span(words)));
  return reply.text;
}

std::string our_set(ConfigStore& store, std::span<const Setting> settings) {
  const Refusal refusal = store.set(settings, ClientPlace::kRemote);
  return refusal ? "ERR " + *refusal : "OK";
}

std::string oracle_get(std::string_view name) {
  const proto::ReplyValue reply =
      proto::RedisOracle::instance().ask(proto::encode_request({"CONFIG", "GET", name}));
  return reply.children.size() == 2 ? reply.children[1].text : "(none)";
}

std::string our_get(const ConfigStore& store, std::string_view name) {
  const std::string_view patterns[] = {name};
  const auto found = store.get(patterns);
  return found.size() == 1 ? found[0].second : "(none)";
}

// Where we are not alike, with the reason:
//   databases, maxmemory-samples: our bounds are lower (7.2's, for the samples)
//   loglevel: 7.2 has "nothing"
//   maxmemory "", "kb", 2^64: Redis takes these for 0 and for something; we refuse
//   a name and its alias in one CONFIG SET: Redis sees two directives, we a duplicate
TEST(ConfigOracle, RefusalsAreRedis) {
  const std::vector<std::vector<Setting>> cases = {
      {{"port", "abc"}},
      {{"port", "70000"}},
      {{"port", "-1"}},
      {{"port", ""}},
      {{"maxmemory", "foo"}},
      {{"maxmemory", "1.5gb"}},
      {{"maxmemory", "1 gb"}},
      {{"maxmemory", "-1"}},
      {{"maxmemory", "0x10"}},
      {{"maxmemory", "10kx"}},
      {{"maxmemory-policy", "x"}},
      {{"maxmemory-policy", ""}},
      {{"appendfsync", "everysec"}, {"nosuch", "1"}},
      {{"nosuch", "1"}},
      {{"", "1"}},
      {{"daemonize", "yes"}},
      {{"databases", "2"}},
      {{"unixsocketperm", "777"}},
      {{"slaveof", "no one"}},
      {{"dir", "/nonexistent"}},
      {{"dbfilename", "x"}},
      {{"enable-debug-command", "yes"}},
      {{"timeout", "1"}, {"timeout", "2"}},
      {{"timeout", "1"}, {"TIMEOUT", "2"}},
      {{"timeout", "5"}, {"nosuch", "3"}},
      {{"timeout", "5"}, {"daemonize", "yes"}},
      {{"timeout", "5"}, {"hz", "x"}},
      {{"timeout", "-1"}},
      {{"timeout", "5 5"}},
      {{"timeout", " 5"}},
      {{"timeout", "0x10"}},
      {{"timeout", "05"}},
      {{"timeout", "99999999999999999999999"}},
      {{"maxclients", "0"}},
      {{"hz", "-1"}},
      {{"tcp-keepalive", "99999999999"}},
      {{"list-max-listpack-size", "-9999999999"}},
      {{"list-max-ziplist-size", "abc"}},
      {{"proto-max-bulk-len", "1"}},
      {{"client-query-buffer-limit", "10"}},
      {{"slowlog-max-len", "-1"}},
      {{"slowlog-log-slower-than", "-2"}},
      {{"latency-monitor-threshold", "-1"}},
      {{"latency-tracking", "on"}},
      {{"lazyfree-lazy-expire", ""}},
      {{"lfu-decay-time", "-1"}},
      {{"lfu-log-factor", "x"}},
      {{"active-expire-effort", "11"}},
      {{"maxmemory-eviction-tenacity", "101"}},
      {{"hash-max-listpack-value", "x"}},
      {{"hash-max-listpack-entries", "1kb"}},
      {{"client-output-buffer-limit", "normal 1"}},
      {{"client-output-buffer-limit", "foo 0 0 0"}},
      {{"client-output-buffer-limit", "normal a 0 0"}},
      {{"client-output-buffer-limit", "normal 0 0 -1"}},
      {{"client-output-buffer-limit", "normal 0 0 0 pubsub"}},
      {{"notify-keyspace-events", "Q"}},
      {{"notify-keyspace-events", "K E"}},
      {{"latency-tracking-info-percentiles", "1 101"}},
      {{"latency-tracking-info-percentiles", "1.25 abc"}},
      {{"latency-tracking-info-percentiles", "-0.1"}},
      {{"bind", "a b c d e f g h i j k l m n o p q r"}},
      {{"proc-title-template", "{foo}"}},
      {{"proc-title-template", "{port"}},
      {{"set-proc-title", "no"}},
      {{"syslog-facility", "local1"}},
      {{"shutdown-timeout", "-1"}},
  };
  for (const std::vector<Setting>& settings : cases) {
    ConfigStore store;
    EXPECT_EQ(our_set(store, settings), oracle_set(settings))
        << settings[0].name << " " << settings[0].value;
  }
}

TEST(ConfigOracle, AcceptedValuesAreShownAlike) {
  const std::vector<Setting> cases = {
      {"timeout", "7"},
      {"TIMEOUT", "8"},
      {"maxmemory", "1gB"},
      {"maxmemory", "5k"},
      {"maxmemory", "10b"},
      {"maxmemory", "0"},
      {"maxmemory-policy", "ALLKEYS-lfu"},
      {"maxmemory-samples", "64"},
      {"hz", "0"},
      {"hz", "1000"},
      {"hash-max-listpack-value", "1k"},
      {"hash-max-ziplist-value", "1kb"},
      {"list-max-listpack-size", "-5"},
      {"slowlog-log-slower-than", "-1"},
      {"client-output-buffer-limit", "normal 1mb 512k 3 slave 1 1 1"},
      {"client-output-buffer-limit", "replica 0 0 0"},
      {"client-output-buffer-limit", "PUBSUB 32mb 8mb 60"},
      {"latency-tracking-info-percentiles", "0.12345678901 50.5 99.9999"},
      {"latency-tracking-info-percentiles", "100 0"},
      {"latency-tracking-info-percentiles", ""},
      {"latency-tracking", "YES"},
      {"proc-title-template", "{title} {port}"},
      {"requirepass", ""},
      {"shutdown-timeout", "3"},
      {"save", ""},
      {"appendonly", "no"},
      {"repl-backlog-size", "1mb"},
  };
  ConfigStore store;
  for (const Setting& setting : cases) {
    EXPECT_EQ(our_set(store, {&setting, 1}), oracle_set({&setting, 1})) << setting.name;
    EXPECT_EQ(our_get(store, setting.name), oracle_get(setting.name))
        << setting.name << " " << setting.value;
  }
}

TEST(ConfigOracle, EventLettersAreShownAlike) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  ConfigStore store;
  for (int i = 0; i < 100; ++i) {
    std::string letters;
    for (uint64_t left = random() % 14; left > 0; --left)
      letters += "Ag$lshzxeKEtmdn"[random() % 15];
    const Setting setting = {"notify-keyspace-events", letters};
    EXPECT_EQ(our_set(store, {&setting, 1}), oracle_set({&setting, 1}));
    std::string shown = our_get(store, setting.name);
    if (shown.starts_with("An")) shown.erase(1, 1);  // Redis forgets it
    EXPECT_EQ(shown, oracle_get(setting.name)) << letters;
  }
}

// Defaults: what a client that asks for everything sees. Directives that 7.0 does not have, or
// whose default 7.2 changed, or that say where this process is, are left out.
TEST(ConfigOracle, DefaultsAreRedis) {
  const std::vector<std::string_view> others = {
      "bind-source-addr", "dir", "syslog-ident", "crash-memcheck-enabled", "unixsocket", "port",
      "maxclients", "requirepass",
      "io-threads-do-reads",               // always
      "save",                              // the oracle is started without
      "replica-ignore-disk-write-errors",  // always
      // changed by the tests above
      "timeout", "maxmemory", "maxmemory-policy", "maxmemory-samples", "hz",
      "list-max-listpack-size", "list-max-ziplist-size", "hash-max-listpack-value",
      "hash-max-ziplist-value", "slowlog-log-slower-than", "client-output-buffer-limit",
      "latency-tracking-info-percentiles", "proc-title-template", "shutdown-timeout",
      "notify-keyspace-events"};
  const ConfigStore store;
  const std::string_view all[] = {"*"};
  size_t compared = 0;
  for (const auto& [name, value] : store.get(all)) {
    const std::string theirs = oracle_get(name);
    if (theirs == "(none)" || std::ranges::find(others, name) != others.end()) continue;
    EXPECT_EQ(value, theirs) << name;
    ++compared;
  }
  EXPECT_GT(compared, 150u);
}

}  // namespace
}  // namespace millrace
