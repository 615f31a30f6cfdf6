#include "server/observe/monitor_feed.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace millrace {
namespace {

void append_quoted(std::string& line, std::string_view text) {
  line += '"';
  for (unsigned char c : text) {
    switch (c) {
      case '"':
        line += "\\\"";
        break;
      case '\\':
        line += "\\\\";
        break;
      case '\n':
        line += "\\n";
        break;
      case '\r':
        line += "\\r";
        break;
      case '\t':
        line += "\\t";
        break;
      case '\a':
        line += "\\a";
        break;
      case '\b':
        line += "\\b";
        break;
      default:
        if (c >= 0x20 && c < 0x7f) {
          line += char(c);
        } else {
          char hex[5];
          std::snprintf(hex, sizeof hex, "\\x%02x", c);
          line += hex;
        }
    }
  }
  line += '"';
}

// What nobody else may see: passwords.
bool is_secret(const Command& command) {
  return command.full_name == "auth" || command.full_name == "hello";
}

}  // namespace

void MonitorFeed::feed(const Session& session, const Command& command,
                       std::span<const std::string_view> args, int64_t unix_us) {
  if (command.spec->has(kSkipMonitor | kAdmin) || is_secret(command)) return;
  char head[64];
  std::snprintf(head, sizeof head, "+%lld.%06lld [%d ", static_cast<long long>(unix_us / 1'000'000),
                static_cast<long long>(unix_us % 1'000'000), int(session.db));
  std::string line = head + clients_.link().peer_text(session) + "]";
  for (std::string_view arg : args) {
    line += ' ';
    append_quoted(line, arg);
  }
  line += "\r\n";
  for (SessionId id : watchers_)
    if (Session* watcher = clients_.find(id)) clients_.link().push(*watcher, line);
}

void MonitorFeed::add(Session& session) {
  if (session.has(SessionFlag::kMonitor)) return;
  session.set(SessionFlag::kMonitor);
  watchers_.push_back(session.self);
}

void MonitorFeed::remove(SessionId id) {
  std::erase(watchers_, id);
}

}  // namespace millrace
