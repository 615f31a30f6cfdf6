#include "server/observe/monitor_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "server/observe/secrets.h"

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
          line += fmt::format("\\x{:02x}", c);
        }
    }
  }
  line += '"';
}

// Where the command came from: "127.0.0.1:60866", or "unix:/run/millrace.sock".
std::string origin(ClientLink& link, const Session& session) {
  std::string peer = link.peer_text(session);
  if (!session.has(SessionFlag::kUnixSocket)) return peer;
  return "unix:" + peer.substr(0, peer.rfind(':'));
}

std::string make_line(ClientLink& link, const Session& session, const Command& command,
                      std::span<const std::string_view> args, int64_t unix_us, FedFrom from) {
  std::string line =
      fmt::format("+{}.{:06} [{} {}]", unix_us / 1'000'000, unix_us % 1'000'000, session.db,
                  from == FedFrom::kScript ? "lua" : origin(link, session));
  const bool guarded = may_have_secrets(command);
  for (size_t i = 0; i < args.size(); ++i) {
    line += ' ';
    append_quoted(line, guarded && is_secret(command, args, i) ? kRedacted : args[i]);
  }
  return line += "\r\n";
}

}  // namespace

void MonitorFeed::feed(const Session& session, const Command& command,
                       std::span<const std::string_view> args, int64_t unix_us, FedFrom from) {
  if (command.spec->has(kSkipMonitor | kAdmin)) return;
  tell(make_line(clients_.link(), session, command, args, unix_us, from));
}

void MonitorFeed::feed_script(const Session& session, const Command& command,
                              std::span<const std::string_view> args, int64_t unix_us) {
  tell(make_line(clients_.link(), session, command, args, unix_us, FedFrom::kClient));
}

void MonitorFeed::tell(std::string_view line) {
  for (SessionId id : watchers_)
    if (Session* watcher = clients_.find(id)) clients_.push(*watcher, line);
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
