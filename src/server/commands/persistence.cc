// The data on the disk: SAVE, BGSAVE, LASTSAVE.
#include "server/command/arg_reader.h"
#include "server/command/saving.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

constexpr std::string_view kSavingAlready = "ERR Background save already in progress";

// SAVE
void save(Context& c) {
  Saving& saving = c.services().saving;
  if (saving.saving_in_background()) return c.fail(kSavingAlready);
  if (saving.save() != Saving::Outcome::kDone) return c.fail("ERR");
  c.reply().ok();
}

// BGSAVE [SCHEDULE]
void bgsave(Context& c) {
  ArgReader args(c);
  const bool in_exec = !c.may_block();
  const bool patient = args.take("SCHEDULE") || in_exec;
  if (!args.finish()) return;
  const auto if_busy = patient ? Saving::IfBusy::kSchedule : Saving::IfBusy::kRefuse;
  switch (c.services().saving.save_in_background(if_busy)) {
    case Saving::Begun::kStarted:
      return c.reply().status("Background saving started");
    case Saving::Begun::kScheduled:
      return c.reply().status("Background saving scheduled");
    case Saving::Begun::kSavingAlready:
      return c.fail(kSavingAlready);
    case Saving::Begun::kOtherChild:
      return c.fail(
          "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE "
          "in order to schedule a BGSAVE whenever possible.");
    case Saving::Begun::kFailed:
      return c.fail("ERR");
  }
}

// LASTSAVE
void lastsave(Context& c) {
  c.reply().integer(c.services().persistence.snapshots.last_save_s);
}

constexpr CommandSpec kTable[] = {
    {.name = "save",
     .handler = save,
     .arity = 1,
     .flags = kAdmin | kNoScript | kNoMulti | kNoAsyncLoading,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Writes the data to the disk while everybody waits.",
     .complexity = "O(N) for N keys of all databases"},
    {.name = "bgsave",
     .handler = bgsave,
     .arity = -1,
     .flags = kAdmin | kNoScript | kNoAsyncLoading,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Writes the data to the disk in a child process.",
     .complexity = "O(1), but for the fork, which copies the page tables",
     .syntax = "[SCHEDULE]"},
    {.name = "lastsave",
     .handler = lastsave,
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Tells when the data was last written to the disk, in seconds since 1970.",
     .complexity = "O(1)"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> persistence_commands() {
  return kTable;
}

}  // namespace millrace
