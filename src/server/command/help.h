// The HELP subcommand of every container: written from the container's own table, so that it cannot
// fall behind it.
//
//   OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
//   ENCODING key
//       Tells how the value of a key is represented in memory.
//   ...
//
// The form (one status line each, that heading, details indented by four) is Redis', because
// clients print it as it comes. Example of a row:
//
//   {.name = "help", .handler = reply_help, .arity = 2, .flags = kLoading | kStale, ...}
#pragma once

#include <span>
#include <string_view>

namespace millrace {

class Context;

// A handler: lists the subcommands of the container that the running command belongs to.
void reply_help(Context& c);

// The same for a command whose subcommands are not in the command table (DEBUG).
struct HelpLine {
  std::string_view name;    // any case
  std::string_view syntax;  // what follows the name; may be empty
  std::string_view summary;
};
void reply_help(Context& c, std::string_view container, std::span<const HelpLine> lines);

}  // namespace millrace
