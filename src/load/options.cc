#include "load/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>
#include <utility>

#include "ae/net/address.h"

namespace load {
namespace {

// --- words to values. Each takes all of the text or refuses it.

template <typename Number>
bool read(std::string_view text, Number& out, std::type_identity_t<Number> least,
          std::type_identity_t<Number> most) {
  const char* const end = text.data() + text.size();
  Number value{};
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || !(value >= least && value <= most)) return false;
  out = value;
  return true;
}

bool read(std::string_view text, ae::Nanoseconds& out) {
  const std::optional<ae::Nanoseconds> duration = parse_duration(text);
  out = duration.value_or(out);
  return duration.has_value();
}

bool read(std::string_view text, std::string& out) {
  out = text;
  return !text.empty();
}

bool read_ipv4(std::string_view text, std::string& out) {
  const ae::Result<ae::Address> address = ae::Address::parse(text, 0);
  if (!address || address->family() != AF_INET) return false;
  return read(text, out);
}

// --- the flags

constexpr uint32_t kMostConnections = 4'000'000;
constexpr double kMostPerSecond = 1e7;  // beyond, two requests fall into a tenth of a microsecond

struct Flag {
  std::string_view name, hint, help;
  bool (*set)(Options&, std::string_view);
};

using O = Options;
using Text = std::string_view;
constexpr std::array kFlags = {
    Flag{"--host", "HOST", "an address, or the path of a Unix socket (127.0.0.1)",
         [](O& o, Text t) { return read(t, o.host); }},
    Flag{"--port", "PORT", "(6379)", [](O& o, Text t) { return read(t, o.port, 1, 65535); }},
    Flag{"--connections", "N", "of all processes together (100)",
         [](O& o, Text t) { return read(t, o.connections, 1, kMostConnections); }},
    Flag{"--processes", "N", "share the connections and the rate (1)",
         [](O& o, Text t) { return read(t, o.processes, 1, 256); }},
    Flag{"--handshakes", "N", "under way at once (256)",
         [](O& o, Text t) { return read(t, o.handshakes, 1, 1'000'000); }},
    Flag{"--connect-rate", "R", "connections a second; 0: as fast as handshakes allow (0)",
         [](O& o, Text t) { return read(t, o.connect_rate, 0, kMostPerSecond); }},
    Flag{"--source", "ADDRESS",
         "the first of the IPv4 addresses to connect from (127.0.1.1, towards\n"
         "127.0.0.0/8 and with more connections than --per-source; else the kernel's choice)",
         [](O& o, Text t) { return read_ipv4(t, o.source); }},
    Flag{"--per-source", "N",
         "connections from one address (14000). It has 28,232 ports by default,\n"
         "and the kernel is quick at finding one as long as half of them are free",
         [](O& o, Text t) { return read(t, o.per_source, 1, 60'000); }},
    Flag{"--rate", "R", "requests a second (1000)",
         [](O& o, Text t) { return read(t, o.rate, 0.001, kMostPerSecond); }},
    Flag{"--command", "WORDS",
         "the request (PING). __rand__: twelve digits, below --keyspace;\n"
         "__data__: --data-size bytes",
         [](O& o, Text t) { return t.find_first_not_of(' ') != t.npos && read(t, o.command); }},
    Flag{"--expect", "TEXT",
         "what each reply must say (PONG, if the request is PING; else anything\n"
         "that is not an error)",
         [](O& o, Text t) { return o.expected = t, true; }},
    Flag{"--keyspace", "N", "numbers that __rand__ takes (100000)",
         [](O& o, Text t) { return read(t, o.keyspace, 1, 999'999'999'999); }},
    Flag{"--data-size", "BYTES", "of __data__ (3)",
         [](O& o, Text t) { return read(t, o.data_bytes, 1, 64u << 20); }},
    Flag{"--deadline", "TIME", "after which a request counts as unanswered (10s)",
         [](O& o, Text t) { return read(t, o.deadline); }},
    Flag{"--late", "TIME", "replies that took longer are counted (200ms)",
         [](O& o, Text t) { return read(t, o.late); }},
    Flag{"--closed", "N",
         "in `random`: N more connections make a closed loop of the same rate, and\n"
         "are reported beside the open one (0)",
         [](O& o, Text t) { return read(t, o.closed, 0, kMostConnections); }},
    Flag{"--active", "PERCENT",
         "of the connections are asked by `random` and `sticky`, and beside the\n"
         "other scenarios, always the same ones; the rest is idle (100)",
         [](O& o, Text t) { return read(t, o.active_percent, 0.001, 100); }},
    Flag{"--peers", "N",
         "slow readers, half-open or dribbling connections (a tenth of all, at\n"
         "most 100)",
         [](O& o, Text t) { return read(t, o.peers, 1, kMostConnections); }},
    Flag{"--pipeline", "N", "requests in one write, in `sticky` (16)",
         [](O& o, Text t) { return read(t, o.pipeline, 1, 100'000); }},
    Flag{"--byte-interval", "TIME", "between two bytes of a dribbled request (10ms)",
         [](O& o, Text t) { return read(t, o.byte_interval); }},
    Flag{"--value-size", "BYTES", "of what slow readers ask for (65536)",
         [](O& o, Text t) { return read(t, o.value_bytes, 1, 64u << 20); }},
    Flag{"--storm-share", "PERCENT", "of the connections that a storm drops at once (50)",
         [](O& o, Text t) { return read(t, o.storm_percent, 0.001, 100); }},
    Flag{"--server-pid", "PID", "read the server's memory and CPU from /proc",
         [](O& o, Text t) { return read(t, o.server_pid, 1, 1 << 30); }},
    Flag{"--json", "FILE", "write the results as JSON too",
         [](O& o, Text t) { return read(t, o.json_path); }},
    Flag{"--svg", "FILE", "draw the latency by percentile",
         [](O& o, Text t) { return read(t, o.svg_path); }},
    Flag{"--seed", "N", "of all that is random (1)",
         [](O& o, Text t) { return read(t, o.seed, 0, UINT64_MAX); }},
};

// --- the scenarios

struct ScenarioWord {
  ScenarioKind kind;
  std::string_view name, help;
};

constexpr std::array kScenarios = {
    ScenarioWord{ScenarioKind::kHold, "hold", "nothing is asked; whoever is thrown out is counted"},
    ScenarioWord{ScenarioKind::kSweep, "sweep",
                 "every connection is asked once, at the rate; takes no TIME"},
    ScenarioWord{ScenarioKind::kRandom, "random", "any connection is asked, at the rate"},
    ScenarioWord{ScenarioKind::kSticky, "sticky",
                 "the same, --pipeline requests in one write at a time"},
    ScenarioWord{ScenarioKind::kSaturate, "saturate",
                 "each connection asks again when it has its reply: a closed loop, good for one\n"
                 "figure, the most requests a second. @N connections do (all), the rest is idle"},
    ScenarioWord{ScenarioKind::kDribble, "dribble",
                 "--peers send a request byte by byte, over and over, beside `random`"},
    ScenarioWord{ScenarioKind::kSlow, "slow",
                 "--peers ask for large values and hardly read, beside `random`"},
    ScenarioWord{ScenarioKind::kHalfOpen, "half-open",
                 "--peers send half a request and are never heard of again, beside `random`"},
    ScenarioWord{ScenarioKind::kStorm, "storm",
                 "--storm-share of the connections are dropped and dialled again at once,\n"
                 "beside `random` on the others; ends when all are back, not before TIME"},
};

const ScenarioWord* find_scenario(std::string_view word) {
  const auto found = std::ranges::find(kScenarios, word, &ScenarioWord::name);
  return found == kScenarios.end() ? nullptr : found;
}

// NAME[:TIME][@RATE]
std::optional<Phase> parse_phase(std::string_view word) {
  Phase phase;
  const size_t at = word.find('@');
  if (at != word.npos && !read(word.substr(at + 1), phase.rate, 0.001, kMostPerSecond)) return {};
  word = word.substr(0, at);
  const size_t colon = word.find(':');
  const ScenarioWord* scenario = find_scenario(word.substr(0, colon));
  if (scenario == nullptr) return std::nullopt;
  phase.kind = scenario->kind;
  if (colon == word.npos) return phase;
  if (phase.kind == ScenarioKind::kSweep) return std::nullopt;
  return read(word.substr(colon + 1), phase.duration) ? std::optional(phase) : std::nullopt;
}

// What only the whole command line can say.
void complete(Options& options) {
  if (options.phases.empty()) options.phases.push_back({});
  for (Phase& phase : options.phases) {
    if (phase.rate != 0) continue;
    phase.rate = phase.kind == ScenarioKind::kSaturate ? options.connections : options.rate;
  }
  if (options.peers == 0) options.peers = std::clamp(options.connections / 10, 1u, 100u);
  if (!options.expected) options.expected = options.command == "PING" ? "PONG" : "";
}

std::string contradiction(const Options& options) {
  if (options.processes > options.connections) return "more processes than connections";
  const auto is_peer_scenario = [](const Phase& phase) {
    return phase.kind == ScenarioKind::kDribble || phase.kind == ScenarioKind::kSlow ||
           phase.kind == ScenarioKind::kHalfOpen;
  };
  const bool peers = std::ranges::any_of(options.phases, is_peer_scenario);
  if (peers && options.peers >= options.connections) return "--peers leaves no other connections";
  if (options.closed >= options.connections) return "--closed leaves no other connections";
  return {};
}

// A column of names and one of text; further lines of the text are indented to it.
void append_entry(std::string& out, const std::string& left, std::string_view text) {
  constexpr size_t kColumn = 26;
  out += "  " + left + std::string(kColumn - std::min(kColumn - 1, left.size()), ' ');
  for (const char c : text) {
    out += c;
    if (c == '\n') out.append(kColumn + 2, ' ');
  }
  out += '\n';
}

}  // namespace

std::string_view name(ScenarioKind kind) {
  const auto found = std::ranges::find(kScenarios, kind, &ScenarioWord::kind);
  return found == kScenarios.end() ? "connect" : found->name;
}

std::optional<ae::Nanoseconds> parse_duration(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}};
  constexpr double kMostNs = 7 * 24 * 3600e9;
  for (const auto& [suffix, ns] : kUnits) {
    double count = 0;
    if (!text.ends_with(suffix)) continue;
    if (!read(text.substr(0, text.size() - suffix.size()), count, 0, kMostNs / ns)) continue;
    if (count > 0) return ae::Nanoseconds(int64_t(count * ns));
  }
  return std::nullopt;
}

std::optional<Options> parse_options(int argc, const char* const* argv, std::string* problem) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--help" || word == "-h") {
      options.help = true;
      return options;
    }
    if (!word.starts_with("--")) {
      const std::optional<Phase> phase = parse_phase(word);
      if (!phase) return *problem = "no such scenario: " + std::string(word), std::nullopt;
      options.phases.push_back(*phase);
      continue;
    }
    const auto flag = std::ranges::find(kFlags, word, &Flag::name);
    if (flag == kFlags.end())
      return *problem = "no such option: " + std::string(word), std::nullopt;
    if (++i == argc || !flag->set(options, argv[i])) {
      return *problem = std::string(word) + " wants " + std::string(flag->hint), std::nullopt;
    }
  }
  complete(options);
  *problem = contradiction(options);
  return problem->empty() ? std::optional(options) : std::nullopt;
}

std::string help_text() {
  std::string out =
      "millrace-load: an open-loop load tester for servers that speak RESP\n"
      "\n"
      "  millrace-load [option ...] [scenario ...]\n"
      "\n"
      "Connects, then runs the scenarios in order (random:10s where none is named) and reports "
      "each.\n"
      "Requests fall due at fixed times, whatever became of those before; latency counts from the\n"
      "time a request was due. Exit status 1 if anything was lost or wrong.\n"
      "\n"
      "Scenarios: NAME[:TIME][@RATE], TIME as in 500ms, 10s, 2m; 10s and --rate where not given\n";
  for (const ScenarioWord& word : kScenarios) append_entry(out, std::string(word.name), word.help);
  out += "\nOptions\n";
  for (const Flag& flag : kFlags) {
    append_entry(out, std::string(flag.name) + " " + std::string(flag.hint), flag.help);
  }
  out +=
      "\n"
      "Example: a hundred thousand idle connections, each asked once, then some of them at random\n"
      "  millrace-load --connections 100000 --rate 3000 hold:5s sweep random:10s\n";
  return out;
}

}  // namespace load
