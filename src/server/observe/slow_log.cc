#include "server/observe/slow_log.h"

#include "server/command/clients.h"
#include "server/command/context.h"
#include "server/observe/secrets.h"

namespace millrace {
namespace {

std::vector<std::string> kept_of(const Command& command, std::span<const std::string_view> args) {
  std::vector<std::string> kept;
  const bool guarded = may_have_secrets(command);
  const bool cut = args.size() > SlowLog::kMaxArguments;
  const size_t whole = cut ? SlowLog::kMaxArguments - 1 : args.size();
  for (size_t i = 0; i < whole; ++i)
    kept.push_back(guarded && is_secret(command, args, i)
                       ? std::string(kRedacted)
                       : SlowLog::shortened(args[i], args[i].size()));
  if (cut) kept.push_back("... (" + std::to_string(args.size() - whole) + " more arguments)");
  return kept;
}

}  // namespace

std::string SlowLog::shortened(std::string_view text, size_t whole_bytes) {
  std::string kept(text.substr(0, kMaxArgumentBytes));
  if (whole_bytes > kept.size())
    kept += "... (" + std::to_string(whole_bytes - kept.size()) + " more bytes)";
  return kept;
}

void SlowLog::add(Context& context, uint64_t us) {
  if (context.command().spec->has(kSkipSlowLog)) return;
  const Session& session = context.session();
  entries_.push_front({.id = next_id_++,
                       .unix_s = context.now_ms() / 1000,
                       .us = us,
                       .args = kept_of(context.command(), context.args()),
                       .peer = context.services().clients.link().peer_text(session),
                       .client_name = session.extras ? session.extras->name : std::string()});
  trim();
}

void SlowLog::trim() {
  while (entries_.size() > config_.slowlog_max_len) entries_.pop_back();
}

}  // namespace millrace
