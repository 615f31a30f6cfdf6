// COMMAND: the server describes its commands. Clients read it at start, redis-cli makes its hints
// of it.
#include <string>
#include <vector>

#include "server/command/arg_reader.h"
#include "server/command/categories.h"
#include "server/command/help.h"
#include "server/command/key_positions.h"
#include "server/commands/command_facts.h"
#include "server/commands/families.h"
#include "server/db/glob.h"

namespace millrace {
namespace {

void reply_all(Context& c) {
  const auto commands = c.services().commands.named();
  c.reply().array(commands.size());
  for (const Command* command : commands) reply_command_info(c.reply(), *command);
}

// COMMAND
void command(Context& c) {
  if (c.arg_count() > 1) return c.fail(errors::unknown_subcommand("command", c.arg(1)));
  reply_all(c);
}

// COMMAND COUNT
void command_count(Context& c) {
  c.reply().integer(int64_t(c.services().commands.named().size()));
}

// COMMAND INFO [command-name [command-name ...]]
void command_info(Context& c) {
  if (c.arg_count() == 2) return reply_all(c);
  c.reply().array(c.arg_count() - 2);
  for (std::string_view name : c.args().subspan(2)) {
    const Command* command = c.services().commands.find(name);
    command ? reply_command_info(c.reply(), *command) : c.reply().null();
  }
}

// COMMAND DOCS [command-name [command-name ...]]
void command_docs(Context& c) {
  std::vector<const Command*> shown;
  for (std::string_view name : c.args().subspan(2))
    if (const Command* command = c.services().commands.find(name)) shown.push_back(command);
  if (c.arg_count() == 2)
    for (const Command* command : c.services().commands.named()) shown.push_back(command);
  c.reply().map(shown.size());
  for (const Command* command : shown) {
    c.reply().bulk(command->full_name);
    reply_command_docs(c.reply(), *command);
  }
}

// --- COMMAND LIST

struct ListFilter {
  enum class Kind : uint8_t { kNone, kModule, kCategory, kPattern };
  Kind kind = Kind::kNone;
  std::string_view value = {};
  std::optional<Category> category = {};

  bool matches(const Command& command) const {
    switch (kind) {
      case Kind::kNone:
        return true;
      case Kind::kModule:
        return false;  // there are none
      case Kind::kCategory:
        return category && categories_of(command).has(*category);
      case Kind::kPattern:
        return glob_matches(value, command.full_name, GlobCase::kIgnore);
    }
    return false;
  }
};

bool read_filter(Context& c, ListFilter& filter) {
  using Kind = ListFilter::Kind;
  ArgReader args(c, 2);
  if (!args.more()) return true;
  if (!args.take("FILTERBY", 2)) args.syntax_error();
  if (args.take("MODULE", 1)) {
    filter.kind = Kind::kModule;
  } else if (args.take("ACLCAT", 1)) {
    filter.kind = Kind::kCategory;
    filter.category = find_category(args.peek());
  } else if (args.take("PATTERN", 1)) {
    filter.kind = Kind::kPattern;
  } else {
    args.syntax_error();
  }
  filter.value = args.word();
  return args.finish();
}

// COMMAND LIST [FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]
void command_list(Context& c) {
  ListFilter filter;
  if (!read_filter(c, filter)) return;
  std::vector<std::string_view> names;
  const CommandTable& table = c.services().commands;
  for (size_t id = 0; id < table.size(); ++id)
    if (filter.matches(table.by_id(uint16_t(id))))
      names.push_back(table.by_id(uint16_t(id)).full_name);
  c.reply().array(names.size());
  for (std::string_view name : names) c.reply().bulk(name);
}

// --- COMMAND GETKEYS

bool arity_fits(const CommandSpec& spec, size_t count) {
  return spec.arity >= 0 ? count == size_t(spec.arity) : count >= size_t(-spec.arity);
}

// The keys of the request that follows the subcommand, which may be nonsense.
std::optional<std::vector<KeyPosition>> find_keys(Context& c) {
  const auto request = c.args().subspan(2);
  const Command* command = c.services().commands.resolve(request);
  if (!command || !command->spec->handler) {
    c.fail("ERR Invalid command specified");
  } else if (!takes_keys(*command)) {
    c.fail("ERR The command has no key arguments");
  } else if (!arity_fits(*command->spec, request.size())) {
    c.fail("ERR Invalid number of arguments specified for command");
  } else if (auto keys = key_positions(*command, request)) {
    return keys;
  } else {
    c.fail("ERR Invalid arguments specified for command");
  }
  return std::nullopt;
}

// COMMAND GETKEYS command [arg [arg ...]]
void command_getkeys(Context& c) {
  const auto keys = find_keys(c);
  if (!keys) return;
  c.reply().array(keys->size());
  for (const KeyPosition& key : *keys) c.reply().bulk(c.arg(2 + key.position));
}

// COMMAND GETKEYSANDFLAGS command [arg [arg ...]]
void command_getkeysandflags(Context& c) {
  const auto keys = find_keys(c);
  if (!keys) return;
  c.reply().array(keys->size());
  for (const KeyPosition& key : *keys) {
    c.reply().array(2);
    c.reply().bulk(c.arg(2 + key.position));
    reply_key_access(c.reply(), key.access);
  }
}

constexpr CommandFlags kFlags = kLoading | kStale;
constexpr Group kGroup = Group::kServer;

constexpr CommandSpec kSubcommands[] = {
    {.name = "count",
     .handler = command_count,
     .arity = 2,
     .flags = kFlags,
     .since = "2.8.13",
     .group = kGroup,
     .summary = "Counts the commands.",
     .complexity = "O(1)"},
    {.name = "docs",
     .handler = command_docs,
     .arity = -2,
     .flags = kFlags,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Documents the commands named, or all.",
     .complexity = "O(N) for N commands",
     .syntax = "[command-name [command-name ...]]"},
    {.name = "getkeys",
     .handler = command_getkeys,
     .arity = -3,
     .flags = kFlags,
     .since = "2.8.13",
     .group = kGroup,
     .summary = "Finds the keys of a request.",
     .complexity = "O(N) for N arguments",
     .syntax = "command [arg [arg ...]]"},
    {.name = "getkeysandflags",
     .handler = command_getkeysandflags,
     .arity = -3,
     .flags = kFlags,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Finds the keys of a request and tells what it does with them.",
     .complexity = "O(N) for N arguments",
     .syntax = "command [arg [arg ...]]"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kFlags,
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
    {.name = "info",
     .handler = command_info,
     .arity = -2,
     .flags = kFlags,
     .since = "2.8.13",
     .group = kGroup,
     .summary = "Describes the commands named, or all, for programs.",
     .complexity = "O(N) for N commands",
     .syntax = "[command-name [command-name ...]]"},
    {.name = "list",
     .handler = command_list,
     .arity = -2,
     .flags = kFlags,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Lists the names of the commands.",
     .complexity = "O(N) for N commands",
     .syntax = "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]"},
};
static_assert(sane(kSubcommands));

constexpr CommandSpec kTable[] = {
    {.name = "command",
     .handler = command,
     .arity = -1,
     .flags = kFlags,
     .since = "2.8.13",
     .group = kGroup,
     .summary = "Describes all commands, for programs.",
     .complexity = "O(N) for N commands",
     .subcommands = kSubcommands},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> command_info_commands() {
  return kTable;
}

}  // namespace millrace
