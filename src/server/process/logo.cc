#include "server/process/logo.h"

#include <fmt/format.h>
#include <unistd.h>

#include "server/observe/log.h"
#include "server/version.h"

namespace millrace {
namespace {

// A mill wheel in its race. Raw string: backslashes are spokes.
constexpr char kLogo[] = R"(
        .--+--.
      .'\  |  /'.       Millrace {} ({} bit)
     +---\ | /---+      Port: {}
     |----(o)----|      PID: {}
     +---/ | \---+
      './  |  \.'
  ~~~~~~'--+--'~~~~~~~
    ~ ~~~  ~~  ~~~ ~~

)";

bool somebody_is_looking(const Config& config) {
  return !config.syslog_enabled && config.logfile.empty() && isatty(STDOUT_FILENO) == 1;
}

}  // namespace

void show_logo(const Config& config) {
  if (!log::enabled(LogLevel::kNotice)) return;
  if (!config.always_show_logo && !somebody_is_looking(config)) return;
  log::write_raw(fmt::format(kLogo, kVersion, sizeof(void*) * 8, config.port, getpid()));
}

}  // namespace millrace
