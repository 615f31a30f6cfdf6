// BGREWRITEAOF and WAITAOF. The file itself: persist/append_only_file.h.
#include "server/command/append_only.h"

#include <array>
#include <string>

#include "server/command/arg_reader.h"
#include "server/command/blocking.h"
#include "server/commands/deadline.h"
#include "server/commands/families.h"
#include "server/repl/replication.h"

namespace millrace {
namespace {

// BGREWRITEAOF
void background_rewrite(Context& c) {
  const auto when = c.may_block() ? AppendOnly::When::kAtOnce : AppendOnly::When::kLater;
  switch (c.services().append_only.rewrite(when)) {
    case AppendOnly::Rewrite::kStarted:
      return c.reply().status("Background append only file rewriting started");
    case AppendOnly::Rewrite::kScheduled:
      return c.reply().status("Background append only file rewriting scheduled");
    case AppendOnly::Rewrite::kRunsAlready:
      return c.fail("ERR Background append only file rewriting already in progress");
    case AppendOnly::Rewrite::kFailed:
      return c.fail(
          "ERR Can't execute an AOF background rewriting. Please check the server logs for more "
          "information.");
  }
}

// Where everything so far stands: in our file, and in the stream that replicas get.
struct Positions {
  int64_t file;
  int64_t stream;
};

// Run again it comes with the positions of its first run.
Positions read_positions(Context& c, ArgReader& args) {
  if (args.more()) {
    const int64_t file = args.integer();
    return {file, args.integer()};
  }
  return {int64_t(c.services().append_only.appended()), c.services().replication.log().offset()};
}

void wait_again(Context& c, const Positions& positions, int64_t deadline_ms) {
  const std::string file = std::to_string(positions.file);
  const std::string stream = std::to_string(positions.stream);
  const std::array<std::string_view, 6> again = {c.arg(0), c.arg(1), c.arg(2),
                                                 c.arg(3), file,     stream};
  c.block({.keys = {},
           .type = Type::kString,
           .deadline_ms = deadline_ms,
           .runs_at_deadline = true,
           .args = again});
}

// WAITAOF numlocal numreplicas timeout
void wait_aof(Context& c) {
  Replication& repl = c.services().replication;
  const AppendOnly& file = c.services().append_only;
  ArgReader args(c);
  const int64_t wanted_here =
      args.integer_between(0, 1, "ERR value is out of range, value must between 0 and 1");
  const int64_t wanted_there = args.integer_between(0, INT64_MAX, errors::kNotPositive);
  const int64_t deadline_ms = read_deadline_ms(args, c.now_ms());
  const Positions positions = read_positions(c, args);
  if (!args.finish()) return;
  if (repl.follows())
    return c.fail(
        "ERR WAITAOF cannot be used with replica instances. Please also note that writes to "
        "replicas are just local and are not propagated.");
  if (wanted_here > 0 && !file.enabled())
    return c.fail("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  const bool here = file.enabled() && file.synced() >= uint64_t(positions.file);
  const auto there = int64_t(repl.leader().count_synced(positions.stream));
  const bool enough = int64_t(here) >= wanted_here && there >= wanted_there;
  if (!enough && c.may_block() && !c.services().blocking.is_last_run()) {
    wait_again(c, positions, deadline_ms);
    return wanted_there > 0 ? repl.waiters().add(c.session().self)
                            : repl.waiters().add_local(c.session().self);
  }
  c.reply().array(2);
  c.reply().integer(int64_t(here));
  c.reply().integer(there);
}

constexpr CommandSpec kTable[] = {
    {.name = "bgrewriteaof",
     .handler = background_rewrite,
     .arity = 1,
     .flags = kAdmin | kNoScript | kNoAsyncLoading,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Writes the append-only file anew, in the background, as short as the data allows.",
     .complexity = "O(N) for N keys, in another process"},
    {.name = "waitaof",
     .handler = wait_aof,
     .arity = 4,
     .flags = kNoScript | kBlocking,
     .since = "7.2.0",
     .group = Group::kGeneric,
     .summary = "Waits until what was written so far is on the disk, here and with replicas.",
     .complexity = "O(1)",
     .syntax = "numlocal numreplicas timeout"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> append_only_commands() {
  return kTable;
}

}  // namespace millrace
