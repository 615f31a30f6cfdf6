// The server's log. A line looks like Redis', so that what reads Redis' logs reads ours:
//
//   4242:M 21 Nov 2026 03:55:21.998 * Ready to accept connections
//   pid:role date time mark text          marks: . debug  - verbose  * notice  # warning
//
//   log::notice("Listening on port {}", port);        // fmt's syntax, checked when compiled
//   log::warning_once_a_minute("Out of descriptors");
//
// Goes to a file, or to standard output, and to syslog if asked. Each line is one write(2) to a
// descriptor opened with O_APPEND, so lines of threads and processes never mix. The file stays
// open; that it was renamed by logrotate is noticed within a second, and the log goes on in a new
// one.
//
// Costs: a disabled level is one load and one branch; its arguments are evaluated by the caller but
// neither formatted nor copied, and nothing is allocated. A written line is formatted on the stack.
// Lines end at kMaxTextBytes; control characters are shown as \xNN, so that no client can forge a
// line.
//
// Thread: any. Nothing here fails: a line that cannot be written (disk full) is lost.
//
// There is no logging library below: of what one offers, line format, rotation, syslog levels and
// the descriptor for the crash report would all have to be replaced.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ae/base/result.h"
#include "server/config/log_level.h"

namespace millrace::log {

// The text of a line, after the mark. Redis' limit.
inline constexpr size_t kMaxTextBytes = 1024;

enum class Role : char { kStarting = 'C', kServer = 'M', kReplica = 'S', kChild = 'C' };

struct Options {
  LogLevel level = LogLevel::kNotice;
  std::string file = {};  // absolute path; empty: standard output
  bool to_syslog = false;
  std::string syslog_ident = {};
  int syslog_facility = 0;  // LOG_LOCAL0 ...
};

// Until then the log goes to standard output at level notice. On an error the log stays where it
// was.
ae::Status open(const Options& options);
void set_level(LogLevel level);
void set_role(Role role);

// Where lines go now; for the crash report, which must not format. Async-signal-safe.
int descriptor();

// Bytes as they are, without a prefix: the logo.
void write_raw(std::string_view bytes);

namespace detail {
extern std::atomic<LogLevel> level;

void write(LogLevel level, fmt::string_view text, fmt::format_args args, uint64_t suppressed = 0);

// For *_once_a_minute: how many were suppressed, or nothing if this one is.
std::optional<uint64_t> admit(uint64_t key);
}  // namespace detail

inline bool enabled(LogLevel level) {
  return level >= detail::level.load(std::memory_order_relaxed);
}

template <typename... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
  if (!enabled(LogLevel::kDebug)) return;
  detail::write(LogLevel::kDebug, text, fmt::make_format_args(args...));
}

template <typename... Args>
void verbose(fmt::format_string<Args...> text, Args&&... args) {
  if (!enabled(LogLevel::kVerbose)) return;
  detail::write(LogLevel::kVerbose, text, fmt::make_format_args(args...));
}

template <typename... Args>
void notice(fmt::format_string<Args...> text, Args&&... args) {
  if (!enabled(LogLevel::kNotice)) return;
  detail::write(LogLevel::kNotice, text, fmt::make_format_args(args...));
}

template <typename... Args>
void warning(fmt::format_string<Args...> text, Args&&... args) {
  if (!enabled(LogLevel::kWarning)) return;
  detail::write(LogLevel::kWarning, text, fmt::make_format_args(args...));
}

// For what an outsider can make happen as often as he likes. The format string is the key: the same
// text from two places is one key.
template <typename... Args>
void warning_once_a_minute(fmt::format_string<Args...> text, Args&&... args) {
  if (!enabled(LogLevel::kWarning)) return;
  const fmt::string_view format = text;
  const std::optional<uint64_t> suppressed =
      detail::admit(reinterpret_cast<uintptr_t>(format.data()));
  if (!suppressed) return;
  detail::write(LogLevel::kWarning, format, fmt::make_format_args(args...), *suppressed);
}

// A request that cannot be parsed: the first bytes of it, once a minute and host. Level verbose.
// `peer` is "address:port".
void protocol_error(std::string_view peer, std::string_view bytes, std::string_view reason);

}  // namespace millrace::log
