#include "verify/verify.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "ae/base/decimal.h"
#include "proto/reply_value.h"
#include "verify/keyspace_comparison.h"

namespace verify {
namespace {

constexpr char kHelp[] =
    "Usage: millrace-server --verify-against HOST PORT [options]\n"
    "\n"
    "Compares the keys of a running server with those of another one (Redis 6.2 or later,\n"
    "or Millrace): types, values, times to live, consumer groups. Changes neither.\n"
    "\n"
    "  --host HOST, --port PORT       this server (127.0.0.1 6379)\n"
    "  --user NAME, --pass WORD       how to log in here\n"
    "  --there-user NAME, --there-pass WORD   and there\n"
    "\n"
    "Keys that are being written meanwhile are looked at several times. Exit status: 0 equal,\n"
    "1 not, 2 unknown. Passwords can also stand in MILLRACE_PASS and MILLRACE_THERE_PASS.\n";

struct Options {
  ServerAddress here{.host = "127.0.0.1"};
  ServerAddress there;
};

bool parse_port(std::string_view text, uint16_t& port) {
  const auto number = ae::parse_int64(text);
  if (!number || *number < 1 || *number > UINT16_MAX) return false;
  port = uint16_t(*number);
  return true;
}

void take_from_environment(const char* name, std::string& value) {
  if (const char* given = std::getenv(name)) value = given;
}

// argv[1] is --verify-against.
Problem parse(int argc, char** argv, Options& options) {
  if (argc < 4) return "It takes a host and a port.";
  options.there.host = argv[2];
  if (!parse_port(argv[3], options.there.port)) return std::string("Not a port: ") + argv[3];
  take_from_environment("MILLRACE_PASS", options.here.password);
  take_from_environment("MILLRACE_THERE_PASS", options.there.password);
  struct Text {
    std::string_view name;
    std::string* value;
  };
  const Text texts[] = {{"--host", &options.here.host},
                        {"--user", &options.here.user},
                        {"--pass", &options.here.password},
                        {"--there-user", &options.there.user},
                        {"--there-pass", &options.there.password}};
  for (int i = 4; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) return "No value for " + std::string(name);
    const auto known = std::find_if(std::begin(texts), std::end(texts),
                                    [&](const Text& text) { return text.name == name; });
    if (known != std::end(texts)) {
      *known->value = argv[i + 1];
    } else if (name != "--port") {
      return "Unknown option " + std::string(name);
    } else if (!parse_port(argv[i + 1], options.here.port)) {
      return std::string("Not a port: ") + argv[i + 1];
    }
  }
  return std::nullopt;
}

// A line a second, on the error output.
class ProgressLine {
 public:
  void operator()(const Tally& tally) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::seconds(1)) return;
    last_ = now;
    std::fprintf(stderr, "%llu keys compared\n", static_cast<unsigned long long>(tally.seen()));
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

void print(const Tally& tally) {
  for (const Difference& difference : tally.examples)
    std::printf("db%d %s: %s\n", difference.db, proto::quoted(difference.key).c_str(),
                difference.reason.c_str());
  std::printf("equal: %llu, different: %llu, missing here: %llu, only here: %llu\n",
              static_cast<unsigned long long>(tally.equal),
              static_cast<unsigned long long>(tally.differing),
              static_cast<unsigned long long>(tally.missing),
              static_cast<unsigned long long>(tally.only_here));
}

int fail(const std::string& problem) {
  std::fprintf(stderr, "%s\n", problem.c_str());
  return 2;
}

}  // namespace

int run(int argc, char** argv) {
  Options options;
  if (argc == 3 && std::string_view(argv[2]) == "--help") return std::fputs(kHelp, stdout), 0;
  if (auto problem = parse(argc, argv, options)) return fail(*problem + "\n\n" + kHelp);
  ServerLink here;
  ServerLink there;
  if (auto problem = here.open(options.here)) return fail(*problem);
  if (auto problem = there.open(options.there)) return fail(*problem);
  KeyspaceComparison comparison({here, there}, ProgressLine());
  if (auto problem = comparison.run()) return fail(*problem);
  print(comparison.tally());
  return comparison.tally().all_equal() ? 0 : 1;
}

}  // namespace verify
