#include "server/core/dispatch.h"

#include <algorithm>
#include <ctime>
#include <iterator>
#include <string>

#include "server/acl/acl.h"
#include "server/command/clients.h"
#include "server/command/context.h"
#include "server/command/watched_keys.h"
#include "server/config/config.h"
#include "server/observe/command_stats.h"
#include "server/observe/latency_monitor.h"
#include "server/observe/log.h"
#include "server/observe/monitor_feed.h"
#include "server/observe/slow_log.h"
#include "server/observe/tick_watch.h"
#include "server/pubsub/tracking.h"

namespace millrace {
namespace {

uint64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

// A web page can make a browser send these words to a local port, followed by lines of its choice.
bool looks_like_http(std::string_view word) {
  return equals_ignoring_case(word, "post") || equals_ignoring_case(word, "host:");
}

// Redis quotes at most 128 bytes of the arguments in the answer to an unknown command.
constexpr size_t kQuotedBytes = 128;

// Redis formats them as C strings: a NUL ends what is shown.
std::string_view shown(std::string_view word, size_t most) {
  return word.substr(0, std::min(most, word.find('\0')));
}

std::string unknown_command(std::span<const std::string_view> args) {
  std::string text = "ERR unknown command '";
  text.append(shown(args[0], kQuotedBytes)).append("', with args beginning with: ");
  size_t start = text.size();
  for (size_t i = 1; i < args.size() && text.size() - start < kQuotedBytes; ++i) {
    size_t room = kQuotedBytes - (text.size() - start);
    text.append("'").append(shown(args[i], room)).append("' ");
  }
  return text;
}

// Those that speak of the transaction, or of the connection itself, run at once.
bool is_queued(const Command& command) {
  constexpr std::string_view kAtOnce[] = {"exec", "discard", "multi", "watch", "quit", "reset"};
  return std::find(std::begin(kAtOnce), std::end(kAtOnce), command.full_name) == std::end(kAtOnce);
}

// A request that will not run spoils the transaction it belongs to.
void spoil_transaction(Session& session) {
  if (session.has(SessionFlag::kMulti)) session.extras->transaction->spoil();
}

}  // namespace

Dispatcher::Dispatcher(Services& services, Gates& gates) : services_(services), gates_(gates) {
  refresh();
}

void Dispatcher::refresh() {
  const Config& config = services_.config;
  int64_t slow_us = config.slowlog_log_slower_than_us;
  int64_t latency_ms = config.latency_monitor_threshold_ms;
  time_all_ = (slow_us >= 0 && slow_us < kExactBelowUs) ||
              (latency_ms > 0 && latency_ms * 1000 <= kExactBelowUs);
}

inline bool Dispatcher::must_time(const Command& command) {
  if (time_all_ || !command.spec->has(kFast | kUntimed)) return true;
  return services_.command_stats.row(command.id).calls % CommandStats::kSampleEvery == 0;
}

// On the path of every request: a call of its own would cost as much as its tests.
[[gnu::always_inline]] inline void Dispatcher::execute(Context& context) {
  const Command& command = context.command();
  if (services_.feed.open()) [[unlikely]] {
    run_fed(context, command);
  } else if (must_time(command)) {
    run_timed(context, command);
  } else {
    command.spec->handler(context);
  }
  // A call counts when it is over: INFO does not show itself, CONFIG RESETSTAT is the first of the
  // new count, and what waits for a key is counted when it has run again.
  if (context.blocked()) [[unlikely]]
    return;
  CommandStats::Row& row = services_.command_stats.row(command.id);
  ++row.calls;
  ++services_.stats.commands_processed;
  if (context.failed()) [[unlikely]]
    ++row.failed;
}

Dispatcher::Outcome Dispatcher::run(Session& session, const Request& request,
                                    std::span<const std::string_view> args,
                                    proto::ReplyWriter& reply) {
  const Command* command = request.command;
  if (!command || !command->spec->handler || !command->spec->takes(args.size())) [[unlikely]]
    return refuse_unresolved(session, command, args, reply);

  session.last_command = command->id;
  if (gates_.must_ask(*command, session)) [[unlikely]] {
    Gates::Answer answer = gates_.ask(*command, session, args);
    if (answer.verdict == Gates::Verdict::kWait) return Outcome::kWait;
    if (answer.verdict == Gates::Verdict::kRefused) {
      refuse(session, *command, answer.error, reply);
      return Outcome::kDone;
    }
    // What was evicted to make room has been told; it is known before the command has an answer.
    if (services_.clients.has_deferred()) reply.raw(services_.clients.take_deferred(), 0);
    if (session.has(SessionFlag::kMulti) && is_queued(*command)) {
      queue(session, *command, args, reply);
      return Outcome::kDone;
    }
  }

  Context context(services_, session, *command, args, reply);
  if (request.keyspace) context.set_known_hash(size_t(command->spec->keys.first), request.key_hash);
  execute(context);
  if (services_.monitors.watched()) [[unlikely]]
    services_.monitors.feed(session, *command, args, services_.tick.unix_us);
  if (context.blocked()) [[unlikely]]
    return Outcome::kBlocked;
  if (session.has(SessionFlag::kTracking)) [[unlikely]]
    services_.tracking.command_ran(session, *command, args);
  reply.assert_complete();
  return Outcome::kDone;
}

bool Dispatcher::run_again(Session& session, const Command& command,
                           std::span<const std::string_view> args, proto::ReplyWriter& reply) {
  if (services_.acl.limits(session)) {  // his rights may have changed while he waited
    const Gates::Answer answer = gates_.check_access(command, session, args);
    if (answer.verdict == Gates::Verdict::kRefused)
      return refuse(session, command, answer.error, reply), true;
  }
  Context context(services_, session, command, args, reply);
  execute(context);
  return !context.blocked();
}

bool Dispatcher::run_inner(Session& session, const Command& command,
                           std::span<const std::string_view> args, proto::ReplyWriter& reply,
                           Within within) {
  Context context(services_, session, command, args, reply);
  context.set_inner();
  execute(context);
  services_.tracking.inner_command_ran(session, command, args);
  if (services_.monitors.watched()) [[unlikely]]
    services_.monitors.feed(session, command, args, services_.tick.unix_us,
                            within == Within::kScript ? FedFrom::kScript : FedFrom::kClient);
  return !context.failed();
}

// Its memory is bounded like that of a request that is still being read.
void Dispatcher::queue(Session& session, const Command& command,
                       std::span<const std::string_view> args, proto::ReplyWriter& reply) {
  size_t bytes = 0;
  services_.clients.change_extras(session, [&](SessionExtras& extras) {
    extras.transaction->queue(command, args);
    bytes = extras.transaction->argument_bytes();
  });
  if (bytes > size_t(services_.config.client_query_buffer_limit_bytes)) {
    log::warning("Closing client that reached max query buffer length: {}",
                 services_.clients.link().peer_text(session));
    return services_.clients.link().close_now(session);
  }
  reply.status("QUEUED");
}

// What it changed goes into the stream of changes.
void Dispatcher::run_fed(Context& context, const Command& command) {
  const Feed::Frame frame = services_.feed.begin(context.session().db, services_.effects.changes());
  if (command.spec->has(kTouchesArbitraryKeys)) services_.feed.not_at_once();
  if (must_time(command)) {
    run_timed(context, command);
  } else {
    command.spec->handler(context);
  }
  services_.feed.end(frame, context.args(), services_.effects.changes());
}

void Dispatcher::run_timed(Context& context, const Command& command) {
  uint64_t start = monotonic_ns();
  command.spec->handler(context);
  uint64_t ns = monotonic_ns() - start;
  services_.command_stats.record_time(command.id, ns);
  services_.slow_log.consider(context, ns / 1000);
  services_.ticks.command_took(context, ae::Nanoseconds(int64_t(ns)));
  services_.latency.command_took(command, ns / 1000, services_.tick.unix_us / 1'000'000);
}

Dispatcher::Outcome Dispatcher::refuse_unresolved(Session& session, const Command* command,
                                                  std::span<const std::string_view> args,
                                                  proto::ReplyWriter& reply) {
  if (!command) {
    ++services_.stats.unknown_commands;
    spoil_transaction(session);
    if (looks_like_http(args[0])) {
      log::warning_once_a_minute(
          "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: "
          "commands to Millrace. This is likely due to an attacker attempting to use Cross "
          "Protocol "
          "Scripting to compromise your instance. Connection from {} aborted.",
          services_.clients.link().peer_text(session));
      services_.clients.link().close_now(session);
      session.set(SessionFlag::kClosing);
      return Outcome::kDone;
    }
    services_.stats.count_error("ERR");
    reply.error(unknown_command(args));
    return Outcome::kDone;
  }
  if (!command->spec->handler && args.size() >= 2) {
    refuse(session, *command, errors::unknown_subcommand(command->spec->name, args[1]), reply);
  } else {
    refuse(session, *command, errors::wrong_arity(command->full_name), reply);
  }
  return Outcome::kDone;
}

void Dispatcher::refuse(Session& session, const Command& command, std::string_view error,
                        proto::ReplyWriter& reply) {
  ++services_.command_stats.row(command.id).rejected;
  services_.stats.count_error(error);
  spoil_transaction(session);
  if (command.full_name != "exec") return reply.error(error);
  abort_transaction(session);
  if (error.starts_with("ERR ")) error.remove_prefix(4);
  reply.error(std::string("EXECABORT Transaction discarded because of: ").append(error));
}

// EXEC itself was refused: the transaction is over all the same.
void Dispatcher::abort_transaction(Session& session) {
  session.clear(SessionFlag::kMulti);
  services_.watched_keys.unwatch(session);
  services_.clients.change_extras(session,
                                  [](SessionExtras& extras) { extras.transaction.reset(); });
}

}  // namespace millrace
