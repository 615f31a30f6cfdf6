// Hashes as a whole: all fields, some at random, or some at each call.
#include "server/commands/collection.h"
#include "server/commands/families.h"

namespace millrace {
namespace {

// HGETALL key
void hgetall(Context& c) {
  const Entry* entry = c.read(1, Type::kHash);
  if (c.failed()) return;
  proto::ReplyWriter& reply = c.reply();
  reply.map(entry ? entry->hash().size() : 0);
  if (!entry) return;
  entry->hash().for_each([&reply](std::string_view field, std::string_view value) {
    reply.bulk(field);
    reply.bulk(value);
  });
}

enum class Half : uint8_t { kField, kValue };

void reply_halves(Context& c, Half half) {
  const Entry* entry = c.read(1, Type::kHash);
  if (c.failed()) return;
  proto::ReplyWriter& reply = c.reply();
  reply.array(entry ? entry->hash().size() : 0);
  if (!entry) return;
  entry->hash().for_each([&reply, half](std::string_view field, std::string_view value) {
    reply.bulk(half == Half::kField ? field : value);
  });
}

// HKEYS key
void hkeys(Context& c) {
  reply_halves(c, Half::kField);
}

// HVALS key
void hvals(Context& c) {
  reply_halves(c, Half::kValue);
}

void reply_draw(Context& c, const ds::FieldMap& hash, const Draw& draw) {
  proto::ReplyWriter& reply = c.reply();
  const uint64_t count = draw.from(hash.size());
  draw.with_values ? open_pairs(reply, count) : reply.array(count);
  hash.random(draw.count, draw.repetition, c.services().prng,
              [&](std::string_view field, std::string_view value) {
                if (draw.with_values) open_pair(reply);
                reply.bulk(field);
                if (draw.with_values) reply.bulk(value);
              });
}

// HRANDFIELD key [count [WITHVALUES]]
void hrandfield(Context& c) {
  Draw draw;
  if (!read_draw(c, "WITHVALUES", draw)) return;
  const Entry* entry = c.read(1, Type::kHash);
  if (c.failed()) return;
  if (!entry) return draw.single ? c.reply().null() : c.reply().empty_array();
  if (!draw.single) return reply_draw(c, entry->hash(), draw);
  entry->hash().random(c.services().prng,
                       [&c](std::string_view field, std::string_view) { c.reply().bulk(field); });
}

// HSCAN key cursor [MATCH pattern] [COUNT count]
void hscan(Context& c) {
  ScanArgs scan;
  const Entry* entry = read_scan(c, Type::kHash, scan);
  if (!entry) return;
  ScanReply found(c);
  found.send(scan_some(scan, [&](uint64_t cursor, int64_t& seen) {
    return entry->hash().scan(cursor, [&](std::string_view field, std::string_view value) {
      ++seen;
      if (!scan.matches(field)) return;
      proto::ReplyWriter& pair = found.add(2);
      pair.bulk(field);
      pair.bulk(value);
    });
  }));
}

constexpr Group kGroup = Group::kHash;

constexpr CommandSpec kTable[] = {
    {.name = "hgetall",
     .handler = hgetall,
     .arity = 2,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Returns all fields and values of a hash.",
     .complexity = "O(N) for N fields",
     .syntax = "key"},
    {.name = "hkeys",
     .handler = hkeys,
     .arity = 2,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Returns all fields of a hash.",
     .complexity = "O(N) for N fields",
     .syntax = "key"},
    {.name = "hvals",
     .handler = hvals,
     .arity = 2,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.0.0",
     .group = kGroup,
     .summary = "Returns all values of a hash.",
     .complexity = "O(N) for N fields",
     .syntax = "key"},
    {.name = "hrandfield",
     .handler = hrandfield,
     .arity = -2,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Returns fields of a hash, chosen at random.",
     .complexity = "O(N) for N fields returned",
     .syntax = "key [count [WITHVALUES]]"},
    {.name = "hscan",
     .handler = hscan,
     .arity = -3,
     .flags = kReadOnly,
     .keys = key_at(1),
     .since = "2.8.0",
     .group = kGroup,
     .summary = "Walks over the fields of a hash, some at each call.",
     .complexity = "O(1) for each call, O(N) for a whole walk over N fields",
     .syntax = "key cursor [MATCH pattern] [COUNT count]"},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> hash_walk_commands() {
  return kTable;
}

}  // namespace millrace
