// ACL: users, their passwords and rights. Here is what changes them, and the table; what only asks
// is in acl_answers.cc.
#include <string>

#include "server/acl/acl.h"
#include "server/command/context.h"
#include "server/command/help.h"
#include "server/commands/acl_answers.h"
#include "server/commands/families.h"
#include "server/config/config.h"
#include "server/observe/log.h"

namespace millrace {
namespace {

// ACL SETUSER username [rule [rule ...]]
void acl_setuser(Context& c) {
  if (!acl::is_user_name(c.arg(2)))
    return c.fail("ERR Usernames can't contain spaces or null characters");
  const auto error = c.services().acl.set_user(c.arg(2), c.args().subspan(3), c.session());
  error ? c.fail("ERR " + *error) : c.reply().ok();
}

// ACL DELUSER username [username ...]
void acl_deluser(Context& c) {
  for (std::string_view name : c.args().subspan(2))
    if (name == acl::kDefaultUser) return c.fail("ERR The 'default' user cannot be removed");
  int64_t deleted = 0;
  for (std::string_view name : c.args().subspan(2))
    deleted += c.services().acl.delete_user(name, c.session()) ? 1 : 0;
  c.reply().integer(deleted);
}

// --- the ACL file

bool has_file(Context& c) {
  if (!c.config().aclfile.empty()) return true;
  c.fail(
      "ERR This Redis instance is not configured to use an ACL file. You may want to specify users "
      "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
      "configuration file set) in order to store users in the Redis configuration.");
  return false;
}

// ACL LOAD
void acl_load(Context& c) {
  if (!has_file(c)) return;
  const auto problem = c.services().acl.load_file(c.session());
  problem ? c.fail("ERR " + *problem) : c.reply().ok();
}

// ACL SAVE
void acl_save(Context& c) {
  if (!has_file(c)) return;
  const auto problem = c.services().acl.save_file();
  if (!problem) return c.reply().ok();
  log::warning("The ACL file '{}' could not be written: {}", c.config().aclfile, *problem);
  c.fail(
      "ERR There was an error trying to save the ACLs. Please check the server logs for more "
      "information");
}

constexpr Group kGroup = Group::kServer;
constexpr CommandFlags kAnyone = kNoScript | kLoading | kStale;
constexpr CommandFlags kOperator = kAdmin | kAnyone;

constexpr CommandSpec kSubcommands[] = {
    {.name = "cat",
     .handler = acl_cat,
     .arity = -2,
     .flags = kAnyone,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Lists the categories of commands, or the commands of one.",
     .complexity = "O(N) for N commands or categories",
     .syntax = "[category]"},
    {.name = "deluser",
     .handler = acl_deluser,
     .arity = -3,
     .flags = kOperator,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Deletes users and closes their connections.",
     .complexity = "O(N) for N clients and names",
     .syntax = "username [username ...]"},
    {.name = "dryrun",
     .handler = acl_dryrun,
     .arity = -4,
     .flags = kOperator,
     .since = "7.0.0",
     .group = kGroup,
     .summary = "Tells whether a user may run a command, without running it.",
     .complexity = "O(N) for N rules of the user",
     .syntax = "username command [arg [arg ...]]"},
    {.name = "genpass",
     .handler = acl_genpass,
     .arity = -2,
     .flags = kAnyone,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Makes a random password, of 256 bits if nothing is said.",
     .complexity = "O(1)",
     .syntax = "[bits]"},
    {.name = "getuser",
     .handler = acl_getuser,
     .arity = 3,
     .flags = kOperator,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Tells the rules of a user.",
     .complexity = "O(N) for N rules of the user",
     .syntax = "username"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
    {.name = "list",
     .handler = acl_list,
     .arity = 2,
     .flags = kOperator,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Lists the users with their rules, as the ACL file has them.",
     .complexity = "O(N) for N users"},
    {.name = "load",
     .handler = acl_load,
     .arity = 2,
     .flags = kOperator,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Takes the users from the ACL file.",
     .complexity = "O(N) for N users"},
    {.name = "log",
     .handler = acl_log,
     .arity = -2,
     .flags = kOperator,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Lists what was refused of late, or forgets it.",
     .complexity = "O(N) for N entries shown",
     .syntax = "[count | RESET]"},
    {.name = "save",
     .handler = acl_save,
     .arity = 2,
     .flags = kOperator,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Writes the users to the ACL file.",
     .complexity = "O(N) for N users"},
    {.name = "setuser",
     .handler = acl_setuser,
     .arity = -3,
     .flags = kOperator,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Makes a user, or changes what he may do.",
     .complexity = "O(N) for N rules",
     .syntax = "username [rule [rule ...]]"},
    {.name = "users",
     .handler = acl_users,
     .arity = 2,
     .flags = kOperator,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Lists the names of the users.",
     .complexity = "O(N) for N users"},
    {.name = "whoami",
     .handler = acl_whoami,
     .arity = 2,
     .flags = kAnyone,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Tells which user the connection is.",
     .complexity = "O(1)"},
};
static_assert(sane(kSubcommands));

constexpr CommandSpec kTable[] = {
    {.name = "acl",
     .arity = -2,
     .since = "6.0.0",
     .group = kGroup,
     .summary = "Commands about users and what they may do.",
     .complexity = "Depends on the subcommand.",
     .subcommands = kSubcommands},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> acl_commands() {
  return kTable;
}

}  // namespace millrace
