// INFO and LOLWUT: the server describes itself, in numbers and otherwise.
#include "server/observe/info.h"

#include "server/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/observe/mill_picture.h"

namespace millrace {
namespace {

// INFO [section [section ...]]
void info(Context& c) {
  c.reply().verbatim("txt", info_text(c.services(), c.args().subspan(1)));
}

// LOLWUT [VERSION version]
// Redis draws another picture for each of its versions; here it is the same mill for all.
void lolwut(Context& c) {
  ArgReader args(c);
  if (args.take("VERSION", 1)) args.integer();
  if (c.failed()) return;
  c.reply().verbatim("txt", mill_picture(c.services().prng));
}

constexpr CommandSpec kTable[] = {
    {.name = "info",
     .handler = info,
     .arity = -1,
     .flags = kLoading | kStale,
     .since = "1.0.0",
     .group = Group::kServer,
     .summary = "Tells facts and counters of the server, in sections.",
     .complexity = "O(1)",
     .syntax = "[section [section ...]]"},
    {.name = "lolwut",
     .handler = lolwut,
     .arity = -1,
     .flags = kReadOnly | kFast,
     .since = "5.0.0",
     .group = Group::kServer,
     .summary = "Draws a mill, and tells the version.",
     .complexity = "O(1)",
     .syntax = "[VERSION version]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> info_commands() {
  return kTable;
}

}  // namespace millrace
