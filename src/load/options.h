// What a run is: the command line, understood.
//
//   millrace-load --port 6379 --connections 100000 --rate 3000 hold:5s sweep random:10s@20000
//
// Flags are one table (options.cc), from which --help is printed too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/clock.h"

namespace load {

enum class ScenarioKind : uint8_t {
  kConnect,
  kHold,
  kSweep,
  kRandom,
  kSticky,
  kSaturate,
  kDribble,
  kSlow,
  kHalfOpen,
  kStorm,
};
std::string_view name(ScenarioKind kind);

struct Phase {
  ScenarioKind kind = ScenarioKind::kRandom;
  ae::Nanoseconds duration = ae::Seconds(10);
  double rate = 0;  // of all processes together; kSaturate: how many connections ask
};

struct Options {
  std::string host = "127.0.0.1";
  uint16_t port = 6379;

  uint32_t connections = 100;
  uint32_t processes = 1;
  uint32_t handshakes = 256;
  double connect_rate = 0;
  std::string source;
  uint32_t per_source = 14'000;

  double rate = 1000;
  std::string command = "PING";
  std::optional<std::string> expected;
  uint64_t keyspace = 100'000;
  uint32_t data_bytes = 3;
  ae::Nanoseconds deadline = ae::Seconds(10);
  ae::Nanoseconds late = ae::Milliseconds(200);
  uint32_t closed = 0;
  double active_percent = 100;

  uint32_t peers = 0;  // once parsed: at least one
  uint32_t pipeline = 16;
  ae::Nanoseconds byte_interval = ae::Milliseconds(10);
  uint32_t value_bytes = 65'536;
  double storm_percent = 50;

  std::string json_path, svg_path;
  int server_pid = 0;
  uint64_t seed = 1;
  bool help = false;

  std::vector<Phase> phases;
};

// The options, or what is wrong with the words in `problem`.
std::optional<Options> parse_options(int argc, const char* const* argv, std::string* problem);

std::string help_text();

// "200ms", "5s", "1.5m", "10us"; nothing for other words.
std::optional<ae::Nanoseconds> parse_duration(std::string_view text);

}  // namespace load
