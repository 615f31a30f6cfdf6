// millrace-server: reads the configuration, prepares the process, runs the server.
#include <cstdio>
#include <string_view>

#include "server/config/config_store.h"
#include "server/observe/log.h"
#include "server/process/logo.h"
#include "server/process/process.h"
#include "server/server.h"
#include "server/version.h"
#include "verify/verify.h"

namespace {

constexpr std::string_view kHelp =
    "Usage: millrace-server [/path/to/millrace.conf] [--directive value ...] [-]\n"
    "       millrace-server --verify-against HOST PORT [--help | options]\n"
    "       millrace-server -v or --version\n"
    "       millrace-server -h or --help\n"
    "\n"
    "Examples:\n"
    "       millrace-server                          (defaults: 6379, all addresses)\n"
    "       millrace-server --port 7777 --maxmemory 1gb --maxmemory-policy allkeys-lfu\n"
    "       millrace-server /etc/millrace.conf --loglevel verbose\n"
    "       echo 'maxmemory 128mb' | millrace-server -\n"
    "       millrace-server --event-backend io_uring\n"
    "\n"
    "The directives are Redis'; docs/configuration.md lists them.\n";

bool asks_for(int argc, char** argv, std::string_view brief, std::string_view full) {
  return argc == 2 && (argv[1] == brief || argv[1] == full);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace millrace;
  if (asks_for(argc, argv, "-h", "--help")) return std::fputs(kHelp.data(), stdout), 0;
  if (asks_for(argc, argv, "-v", "--version"))
    return std::printf("Millrace server v=%s (Redis %s protocol)\n", kVersion, kRedisVersion), 0;

  if (argc >= 2 && std::string_view(argv[1]) == "--verify-against") return verify::run(argc, argv);

  ConfigStore config;
  if (auto problem = config.load_arguments(argc, argv)) {
    std::fprintf(stderr, "%s\n", problem->c_str());
    return 1;
  }
  if (auto problem = process::prepare(config)) {
    log::warning("{}", *problem);
    return 1;
  }
  auto server = Server::create(config, {});
  if (!server) {
    log::warning("The event loop could not be made: {}", server.error().message());
    return 1;
  }
  if (auto problem = (*server)->open()) {
    log::warning("{}", *problem);
    return 1;
  }
  show_logo(config.config());  // as in Redis, who sees it can connect
  int status = (*server)->run();
  process::finish();
  return status;
}
