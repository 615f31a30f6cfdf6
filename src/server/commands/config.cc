// CONFIG: reads and changes the configuration in force. What directives there are, and what a value
// must look like, is config/'s matter.
#include <vector>

#include "server/acl/acl.h"
#include "server/command/arg_reader.h"
#include "server/command/help.h"
#include "server/command/lifecycle.h"
#include "server/commands/families.h"
#include "server/config/config_store.h"
#include "server/observe/command_stats.h"
#include "server/repl/replication.h"

namespace millrace {
namespace {

// CONFIG GET parameter [parameter ...]
void config_get(Context& c) {
  const auto values = c.services().config_store.get(c.args().subspan(2));
  c.reply().map(values.size());
  for (const auto& [name, value] : values) {
    c.reply().bulk(name);
    c.reply().bulk(value);
  }
}

void reply_refusal(Context& c, const Refusal& refusal) {
  refusal ? c.fail("ERR " + *refusal) : c.reply().ok();
}

// CONFIG SET parameter value [parameter value ...]
void config_set(Context& c) {
  if (c.arg_count() % 2 != 0) return c.fail(errors::kSyntax);
  std::vector<Setting> settings;
  for (size_t i = 2; i < c.arg_count(); i += 2) settings.push_back({c.arg(i), c.arg(i + 1)});
  const ClientPlace place =
      c.session().has(SessionFlag::kLocal) ? ClientPlace::kLocal : ClientPlace::kRemote;
  reply_refusal(c, c.services().config_store.set(settings, place));
}

// CONFIG REWRITE
void config_rewrite(Context& c) {
  // With an ACL file the users are there, and ACL SAVE's business.
  c.services().config_store.adjust([&](Config& config) {
    config.users.clear();
    if (config.aclfile.empty()) config.users = c.services().acl.configuration_lines();
  });
  reply_refusal(c, c.services().config_store.rewrite());
}

// CONFIG RESETSTAT
void config_resetstat(Context& c) {
  Services& services = c.services();
  services.stats.reset();
  services.stats.traffic_before = services.lifecycle.traffic();
  services.stats.threads_before = services.lifecycle.traffic_of_threads();
  services.stats.loop_before = LoopTraffic::of(services.lifecycle);
  services.command_stats.reset();
  services.lazy_free.reset_freed();
  services.replication.reset_counters();
  c.reply().ok();
}

constexpr CommandFlags kControl = kAdmin | kNoScript | kLoading | kStale;

constexpr CommandSpec kSubcommands[] = {
    {.name = "get",
     .handler = config_get,
     .arity = -3,
     .flags = kControl,
     .since = "2.0.0",
     .group = Group::kServer,
     .summary = "Shows the directives whose names match a glob pattern.",
     .complexity = "O(N) for N directives",
     .syntax = "parameter [parameter ...]"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "5.0.0",
     .group = Group::kServer,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
    {.name = "resetstat",
     .handler = config_resetstat,
     .arity = 2,
     .flags = kControl,
     .since = "2.0.0",
     .group = Group::kServer,
     .summary = "Sets the counters of INFO to zero.",
     .complexity = "O(N) for N commands"},
    {.name = "rewrite",
     .handler = config_rewrite,
     .arity = 2,
     .flags = kControl,
     .since = "2.8.0",
     .group = Group::kServer,
     .summary = "Writes the configuration in force to the file the server was started with.",
     .complexity = "O(N) for N lines"},
    {.name = "set",
     .handler = config_set,
     .arity = -4,
     .flags = kControl,
     .since = "2.0.0",
     .group = Group::kServer,
     .summary = "Changes directives, all of those given or none.",
     .complexity = "O(N) for N directives",
     .syntax = "parameter value [parameter value ...]"},
};
static_assert(sane(kSubcommands));

constexpr CommandSpec kTable[] = {
    {.name = "config",
     .arity = -2,
     .since = "2.0.0",
     .group = Group::kServer,
     .summary = "Commands about the configuration.",
     .complexity = "Depends on the subcommand.",
     .subcommands = kSubcommands},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> config_commands() {
  return kTable;
}

}  // namespace millrace
