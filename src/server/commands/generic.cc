// Keys as such, whatever they hold. Their expiry is in expire.cc, walks over all of them in
// scan.cc.
#include "server/command/arg_reader.h"
#include "server/command/key_batch.h"
#include "server/commands/families.h"
#include "server/config/config.h"
#include "server/db/databases.h"

namespace millrace {
namespace {

constexpr auto kGeneric = KeyEventClass::kGeneric;

enum class Freeing : uint8_t { kNow, kLater };

void delete_keys(Context& c, Freeing freeing) {
  KeyBatch keys(c, 1);
  int64_t deleted = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    const Key key = keys[i];
    Entry* entry = c.peek(key);
    if (!entry) continue;
    if (freeing == Freeing::kLater) {
      c.services().lazy_free.add(c.db().detach(key, entry));
    } else {
      c.db().erase(key, entry);
    }
    c.modified(key, kGeneric, "del");
    ++deleted;
  }
  c.reply().integer(deleted);
}

// DEL key [key ...]
void del(Context& c) {
  delete_keys(c, c.config().lazyfree_lazy_user_del ? Freeing::kLater : Freeing::kNow);
}

// UNLINK key [key ...]
void unlink(Context& c) {
  delete_keys(c, Freeing::kLater);
}

// EXISTS key [key ...]
void exists(Context& c) {
  KeyBatch keys(c, 1);
  int64_t found = 0;
  for (size_t i = 0; i < keys.size(); ++i) found += c.inspect(keys[i]) != nullptr;
  c.reply().integer(found);
}

// TOUCH key [key ...]
void touch(Context& c) {
  KeyBatch keys(c, 1);
  int64_t found = 0;
  for (size_t i = 0; i < keys.size(); ++i) found += c.read(keys[i]) != nullptr;
  c.reply().integer(found);
}

// TYPE key
void type(Context& c) {
  const Entry* entry = c.inspect(c.key(1));
  c.reply().status(entry ? type_name(entry->type()) : "none");
}

// RANDOMKEY
void randomkey(Context& c) {
  // An expired key that is drawn is deleted and another one drawn; bounded, because a keyspace of
  // nothing but expired keys must not hold the server up.
  constexpr int kMaxDraws = 100;
  for (int draws = 0; draws < kMaxDraws; ++draws) {
    Entry* entry = c.db().random(c.services().prng);
    if (!entry) break;
    const Key key = Keyspace::key(entry->key());
    if (c.peek(key)) return c.reply().bulk(key.name);
  }
  c.reply().null();
}

// --- moving

// The old value of a name that gets another one.
void drop_target(Context& c, Keyspace& db, Key key, Entry* target) {
  if (c.config().lazyfree_lazy_server_del) {
    c.services().lazy_free.add(db.detach(key, target));
  } else {
    db.erase(key, target);
  }
}

enum class Target : uint8_t { kReplaced, kMustBeAbsent };

void rename_key(Context& c, Target rule) {
  const Key from = c.key(1), to = c.key(2);
  const bool same = from.name == to.name;
  Entry* entry = c.write(from);
  if (!entry) return c.fail(errors::kNoSuchKey);
  if (same) return rule == Target::kReplaced ? c.reply().ok() : c.reply().integer(0);
  if (Entry* target = c.write(to)) {
    if (rule == Target::kMustBeAbsent) return c.reply().integer(0);
    drop_target(c, c.db(), to, target);
  }
  c.db().attach(to, c.db().detach(from));
  c.modified(from, kGeneric, "rename_from");
  c.modified(to, kGeneric, "rename_to");
  rule == Target::kReplaced ? c.reply().ok() : c.reply().integer(1);
}

// RENAME key newkey
void rename(Context& c) {
  rename_key(c, Target::kReplaced);
}

// RENAMENX key newkey
void renamenx(Context& c) {
  rename_key(c, Target::kMustBeAbsent);
}

// The number of a database; an error is latched.
uint8_t database_number(Context& c, ArgReader& args) {
  const int64_t number = args.integer_between(INT32_MIN, INT32_MAX, errors::kNotInt32);
  if (args.ok() && (number < 0 || size_t(number) >= c.services().databases.count()))
    args.error(errors::kDbIndex);
  return uint8_t(number);
}

// A lookup in another database than the session's.
Entry* find_in(Context& c, uint8_t db, Key key) {
  const uint8_t own = c.session().db;
  c.select(db);
  Entry* entry = c.write(key);
  c.select(own);
  return entry;
}

// MOVE key db
void move(Context& c) {
  ArgReader args(c, 2);
  const uint8_t db = database_number(c, args);
  if (!args.finish()) return;
  if (db == c.session().db) return c.fail("ERR source and destination objects are the same");
  const Key key = c.key(1);
  if (!c.write(key)) return c.reply().integer(0);
  if (find_in(c, db, key)) return c.reply().integer(0);
  c.services().databases[db].attach(key, c.db().detach(key));
  c.modified(key, kGeneric, "move_from");
  c.services().effects.modified(db, key, kGeneric, "move_to");
  c.reply().integer(1);
}

// COPY source destination [DB destination-db] [REPLACE]
void copy(Context& c) {
  uint8_t db = c.session().db;
  Target rule = Target::kMustBeAbsent;
  ArgReader args(c, 3);
  while (args.more()) {
    if (args.take("REPLACE")) {
      rule = Target::kReplaced;
    } else if (args.take("DB", 1)) {
      db = database_number(c, args);
    } else {
      args.syntax_error();
    }
  }
  if (!args.finish()) return;
  const Key from = c.key(1), to = c.key(2);
  if (db == c.session().db && from.name == to.name)
    return c.fail("ERR source and destination objects are the same");

  const Entry* source = c.read(from);
  if (!source) return c.reply().integer(0);
  Detached copied = Detached::copy_of(*source);
  Keyspace& target_db = c.services().databases[db];
  if (Entry* target = find_in(c, db, to)) {
    if (rule == Target::kMustBeAbsent) return c.reply().integer(0);
    drop_target(c, target_db, to, target);
  }
  target_db.attach(to, std::move(copied));
  c.services().effects.modified(db, to, kGeneric, "copy_to");
  c.reply().integer(1);
}

constexpr CommandSpec kTable[] = {
    {.name = "del",
     .handler = del,
     .arity = -2,
     .flags = kWrite,
     .keys = keys_between(1, -1),
     .since = "1.0.0",
     .group = Group::kGeneric,
     .summary = "Deletes keys.",
     .complexity = "O(N) for N keys, plus the elements of what they hold",
     .syntax = "key [key ...]"},
    {.name = "unlink",
     .handler = unlink,
     .arity = -2,
     .flags = kWrite | kFast,
     .keys = keys_between(1, -1),
     .since = "4.0.0",
     .group = Group::kGeneric,
     .summary = "Deletes keys at once and frees what they held little by little.",
     .complexity = "O(1) for each key",
     .syntax = "key [key ...]"},
    {.name = "exists",
     .handler = exists,
     .arity = -2,
     .flags = kReadOnly | kFast,
     .keys = keys_between(1, -1),
     .since = "1.0.0",
     .group = Group::kGeneric,
     .summary = "Counts how many of the keys exist.",
     .complexity = "O(N) for N keys",
     .syntax = "key [key ...]"},
    {.name = "touch",
     .handler = touch,
     .arity = -2,
     .flags = kReadOnly | kFast,
     .keys = keys_between(1, -1),
     .since = "3.2.1",
     .group = Group::kGeneric,
     .summary = "Refreshes the access time of keys and counts how many exist.",
     .complexity = "O(N) for N keys",
     .syntax = "key [key ...]"},
    {.name = "type",
     .handler = type,
     .arity = 2,
     .flags = kReadOnly | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kGeneric,
     .summary = "Names the type of what a key holds.",
     .complexity = "O(1)",
     .syntax = "key"},
    {.name = "randomkey",
     .handler = randomkey,
     .arity = 1,
     .flags = kReadOnly | kTouchesArbitraryKeys,
     .since = "1.0.0",
     .group = Group::kGeneric,
     .summary = "Returns one of the keys at random.",
     .complexity = "O(1)"},
    {.name = "rename",
     .handler = rename,
     .arity = 3,
     .flags = kWrite,
     .keys = key_at(1),
     .more_keys = key_at(2),
     .since = "1.0.0",
     .group = Group::kGeneric,
     .summary = "Renames a key; one that had the new name is replaced.",
     .complexity = "O(1), plus the elements of what is replaced",
     .syntax = "key newkey"},
    {.name = "renamenx",
     .handler = renamenx,
     .arity = 3,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .more_keys = key_at(2),
     .since = "1.0.0",
     .group = Group::kGeneric,
     .summary = "Renames a key if no key has the new name.",
     .complexity = "O(1)",
     .syntax = "key newkey"},
    {.name = "move",
     .handler = move,
     .arity = 3,
     .flags = kWrite | kFast,
     .keys = key_at(1),
     .since = "1.0.0",
     .group = Group::kGeneric,
     .summary = "Moves a key to another database.",
     .complexity = "O(1)",
     .syntax = "key db"},
    {.name = "copy",
     .handler = copy,
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .keys = key_at(1),
     .more_keys = key_at(2),
     .since = "6.2.0",
     .group = Group::kGeneric,
     .summary = "Copies what a key holds to another key.",
     .complexity = "O(N) for N elements",
     .syntax = "source destination [DB destination-db] [REPLACE]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> generic_commands() {
  return kTable;
}

}  // namespace millrace
