// MIGRATE: keys move to another server. How they get there is in repl/migration.h; here it is
// decided which go, and that one leaves only if the other server has what is under it now.
#include "server/command/arg_reader.h"
#include "server/commands/families.h"
#include "server/persist/dump_payload.h"
#include "server/repl/migration.h"

namespace millrace {
namespace {

// A key that changes faster than it can be sent is not going to arrive.
constexpr size_t kMostRounds = 16;

constexpr int64_t kDefaultTimeoutMs = 1000;

struct MigrateArgs {
  MigrationTarget target;
  bool copy = false;
  size_t first_key = 3;
  size_t keys = 1;
};

void read_option(Context& c, ArgReader& args, MigrateArgs& migrate) {
  if (args.take("COPY")) {
    migrate.copy = true;
  } else if (args.take("REPLACE")) {
    migrate.target.replace = true;
  } else if (args.take("AUTH", 1)) {
    migrate.target.password = args.word();
  } else if (args.take("AUTH2", 2)) {
    migrate.target.user = args.word();
    migrate.target.password = args.word();
  } else if (args.take("KEYS")) {
    if (!c.arg(3).empty())
      args.error(
          "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
    migrate.first_key = args.position();
    migrate.keys = args.left();
    args.skip(args.left());
  } else {
    args.syntax_error();
  }
}

// MIGRATE host port <key | ""> destination-db timeout [options]. False: an error was answered.
bool read_args(Context& c, MigrateArgs& migrate) {
  ArgReader options(c, 6);
  while (options.more()) read_option(c, options, migrate);
  if (!options.finish()) return false;
  const auto port = ae::parse_int64(c.arg(2));
  const auto db = ae::parse_int64(c.arg(4));
  const auto timeout = ae::parse_int64(c.arg(5));
  if (!db || !timeout) return c.fail(errors::kNotInteger), false;
  if (!port || *port < 0 || *port > UINT16_MAX) return c.fail("ERR Invalid TCP port"), false;
  if (*db < 0 || *db > UINT8_MAX) return c.fail(errors::kDbIndex), false;
  migrate.target.host = c.arg(1);
  migrate.target.port = uint16_t(*port);
  migrate.target.db = uint8_t(*db);
  migrate.target.timeout_ms = *timeout > 0 ? *timeout : kDefaultTimeoutMs;
  return true;
}

std::vector<MigratingKey> dump_keys(Context& c, const MigrateArgs& migrate) {
  std::vector<MigratingKey> found;
  for (size_t i = 0; i < migrate.keys; ++i) {
    const Key key = c.key(migrate.first_key + i);
    const Entry* entry = c.read(key);
    if (!entry) continue;
    const int64_t expire_at_ms = entry->has_expiry() ? entry->expire_at_ms() : kNoExpiry;
    found.push_back({.name = std::string(key.name),
                     .expire_at_ms = expire_at_ms,
                     .payload = make_dump(*entry)});
  }
  return found;
}

// Deletes what has arrived as it is now. What is left is to be sent once more.
std::vector<MigratingKey> let_go(Context& c, std::vector<MigratingKey>& sent) {
  std::vector<MigratingKey> changed;
  std::vector<std::string_view> deleted = {"DEL"};
  for (MigratingKey& was : sent) {
    const Key key = c.key(was.name);
    const Entry* entry = was.arrived ? c.peek(key) : nullptr;
    if (!entry) continue;
    MigratingKey now{.name = was.name,
                     .expire_at_ms = entry->has_expiry() ? entry->expire_at_ms() : kNoExpiry,
                     .payload = make_dump(*entry)};
    if (now.payload != was.payload || now.expire_at_ms != was.expire_at_ms) {
      changed.push_back(std::move(now));
    } else {
      c.remove(key);
      deleted.push_back(was.name);
    }
  }
  if (deleted.size() > 1) c.feed_instead(deleted);
  return changed;
}

void wait(Context& c) {
  c.block({.keys = {}, .type = Type::kString, .runs_at_deadline = true});
}

void conclude(Context& c, Migration& migration, const MigrateArgs& migrate) {
  if (!migrate.copy) {
    std::vector<MigratingKey> changed = let_go(c, migration.keys());
    if (!changed.empty() && migration.error().empty() && migration.rounds() < kMostRounds) {
      migration.again(std::move(changed));
      return wait(c);
    }
    if (!changed.empty() && migration.error().empty())
      c.fail("IOERR keys changed faster than they could be sent; they stay, and are there too");
  }
  if (!migration.error().empty()) c.fail(migration.error());
  if (!c.failed()) c.reply().ok();
  c.services().migrations.forget(c.session().self);
}

// MIGRATE host port <key | ""> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2
// username password] [KEYS key [key ...]]
void migrate(Context& c) {
  Migrations& migrations = c.services().migrations;
  const SessionId self = c.session().self;
  MigrateArgs migrate;
  if (!read_args(c, migrate)) return;
  if (!c.may_block())
    return c.fail("ERR MIGRATE waits for another server, which transactions and scripts cannot");
  if (Migration* under_way = migrations.find(self)) {
    if (under_way->is_done()) return conclude(c, *under_way, migrate);
    if (!c.services().blocking.is_last_run()) return wait(c);
    migrations.forget(self);  // CLIENT UNBLOCK
    return c.fail("IOERR error or timeout reading to target instance");
  }
  std::vector<MigratingKey> keys = dump_keys(c, migrate);
  if (keys.empty()) return c.reply().status("NOKEY");
  migrations.start(self, std::move(migrate.target), std::move(keys));
  wait(c);
}

constexpr CommandSpec kTable[] = {
    {.name = "migrate",
     .handler = migrate,
     .arity = -6,
     .flags = kWrite | kMovableKeys,
     .keys = key_at(3),
     .more_keys = {KeySpec::Kind::kKeyword, 6, -1, 1, "KEYS"},
     .since = "2.6.0",
     .group = Group::kGeneric,
     .summary = "Moves keys to another server.",
     .complexity = "O(N) for the elements of the keys",
     .syntax = "host port <key | \"\"> destination-db timeout [COPY] [REPLACE] [<AUTH password | "
               "AUTH2 username password>] [KEYS key [key ...]]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> migration_commands() {
  return kTable;
}

}  // namespace millrace
