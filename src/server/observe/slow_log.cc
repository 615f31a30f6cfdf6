#include "server/observe/slow_log.h"

#include "server/command/clients.h"
#include "server/command/context.h"
#include "server/observe/secrets.h"

namespace millrace {
namespace {

std::string shortened(std::string_view text) {
  if (text.size() <= SlowLog::kMaxArgumentBytes) return std::string(text);
  const size_t more = text.size() - SlowLog::kMaxArgumentBytes;
  return std::string(text.substr(0, SlowLog::kMaxArgumentBytes)) + "... (" + std::to_string(more) +
         " more bytes)";
}

std::vector<std::string> shortened(const Command& command, std::span<const std::string_view> args) {
  std::vector<std::string> kept;
  const bool guarded = may_have_secrets(command);
  const bool cut = args.size() > SlowLog::kMaxArguments;
  const size_t whole = cut ? SlowLog::kMaxArguments - 1 : args.size();
  for (size_t i = 0; i < whole; ++i)
    kept.push_back(guarded && is_secret(command, args, i) ? std::string(kRedacted)
                                                          : shortened(args[i]));
  if (cut) kept.push_back("... (" + std::to_string(args.size() - whole) + " more arguments)");
  return kept;
}

}  // namespace

void SlowLog::add(Context& context, uint64_t us) {
  if (context.command().spec->has(kSkipSlowLog)) return;
  const Session& session = context.session();
  entries_.push_front({.id = next_id_++,
                       .unix_s = context.now_ms() / 1000,
                       .us = us,
                       .args = shortened(context.command(), context.args()),
                       .peer = context.services().clients.link().peer_text(session),
                       .client_name = session.extras ? session.extras->name : std::string()});
  trim();
}

void SlowLog::trim() {
  while (entries_.size() > config_.slowlog_max_len) entries_.pop_back();
}

}  // namespace millrace
