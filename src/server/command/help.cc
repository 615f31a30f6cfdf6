#include "server/command/help.h"

#include "server/command/context.h"

namespace millrace {
namespace {

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = char(c - 32);
  return upper;
}

void reply_line(Context& c, std::string_view name, std::string_view syntax,
                std::string_view summary) {
  std::string usage = upper_case(name);
  if (!syntax.empty()) usage.append(" ").append(syntax);
  c.reply().status(usage);
  c.reply().status("    " + std::string(summary));
}

void reply_heading(Context& c, std::string_view container, size_t subcommands) {
  c.reply().array(1 + 2 * subcommands);
  c.reply().status(upper_case(container) +
                   " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
}

}  // namespace

void reply_help(Context& c) {
  const CommandSpec& container = *c.command().parent->spec;
  reply_heading(c, container.name, container.subcommands.size());
  for (const CommandSpec& spec : container.subcommands)
    reply_line(c, spec.name, spec.syntax, spec.summary);
}

void reply_help(Context& c, std::string_view container, std::span<const HelpLine> lines) {
  reply_heading(c, container, lines.size());
  for (const HelpLine& line : lines) reply_line(c, line.name, line.syntax, line.summary);
}

}  // namespace millrace
