// XGROUP: consumer groups and their consumers come and go.
#include "server/command/help.h"
#include "server/commands/families.h"
#include "server/commands/stream_args.h"

namespace millrace {
namespace {

using ds::Stream;
using ds::StreamId;

// --- what the subcommands begin with

constexpr std::string_view kNoStream =
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use "
    "the MKSTREAM option to create an empty stream automatically.";

// The stream under argument 2; null: an error was answered.
Stream* existing_stream(Context& c) {
  Entry* entry = c.write(2, Type::kStream);
  if (!entry) c.fail(kNoStream);
  return entry ? &entry->stream() : nullptr;
}

// Its group, named by argument 3; null: an error was answered.
ds::ConsumerGroup* existing_group(Context& c, Stream* stream) {
  if (!stream) return nullptr;
  ds::ConsumerGroup* group = stream->find_group(c.arg(3));
  if (!group) c.fail(no_group_for_key(c.arg(3), c.arg(2)));
  return group;
}
ds::ConsumerGroup* existing_group(Context& c) {
  return existing_group(c, existing_stream(c));
}

struct GroupOptions {
  bool make_stream = false;              // MKSTREAM, of CREATE alone
  std::optional<uint64_t> entries_read;  // -1: unknown
};

void read_entries_read(ArgReader& args, GroupOptions& options) {
  const int64_t number = args.integer();
  if (number < -1) args.error("ERR value for ENTRIESREAD must be positive or -1");
  options.entries_read = number < 0 ? std::nullopt : std::optional(uint64_t(number));
}

enum class MakeStream : uint8_t { kNotTaken, kTaken };

// False: an error was answered.
bool read_options(Context& c, MakeStream make_stream, GroupOptions& options) {
  ArgReader args(c, 5);
  while (args.more()) {
    if (make_stream == MakeStream::kTaken && args.take("MKSTREAM")) {
      options.make_stream = true;
    } else if (args.take("ENTRIESREAD", 1)) {
      read_entries_read(args, options);
    } else {
      args.error(errors::unknown_subcommand_or_arity("xgroup", c.arg(1)));
    }
  }
  return args.ok();
}

// --- groups

// XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]
void create(Context& c) {
  GroupOptions options;
  if (!read_options(c, MakeStream::kTaken, options)) return;
  Entry* entry = c.write(2, Type::kStream);
  if (c.failed()) return;
  if (!entry && !options.make_stream) return c.fail(kNoStream);
  // Each option once.
  constexpr size_t kMostArguments = 8;
  if (c.arg_count() > kMostArguments)
    return c.fail(errors::unknown_subcommand_or_arity("xgroup", c.arg(1)));
  const StreamId last = entry ? entry->stream().last_id() : StreamId();
  const auto id = c.arg(4) == "$" ? last : read_id(c, c.arg(4));
  if (!id) return;
  if (!entry) entry = c.db().add(c.key(2), Stream());
  if (!entry->stream().add_group(c.arg(3), *id, options.entries_read))
    return c.fail("BUSYGROUP Consumer Group name already exists");
  c.modified(c.key(2), kStreamEvent, "xgroup-create");
  c.reply().ok();
}

// Redis takes "-" and "+" here too. Nothing: an error was answered.
std::optional<StreamId> read_group_id(Context& c, std::string_view text, const Stream& stream) {
  if (text == "$") return stream.last_id();
  if (text == "-") return StreamId();
  if (text == "+") return StreamId::max();
  return read_id(c, text);
}

// XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]
void setid(Context& c) {
  GroupOptions options;
  if (!read_options(c, MakeStream::kNotTaken, options)) return;
  Stream* stream = existing_stream(c);
  ds::ConsumerGroup* group = existing_group(c, stream);
  if (!group) return;
  constexpr size_t kMostArguments = 7;
  if (c.arg_count() > kMostArguments)
    return c.fail(errors::unknown_subcommand_or_arity("xgroup", c.arg(1)));
  const auto id = read_group_id(c, c.arg(4), *stream);
  if (!id) return;
  group->last_id = *id;
  group->entries_read = options.entries_read;
  c.modified(c.key(2), kStreamEvent, "xgroup-setid");
  c.reply().ok();
}

// XGROUP DESTROY key group
void destroy(Context& c) {
  Stream* stream = existing_stream(c);
  if (!stream) return;
  const bool destroyed = stream->erase_group(c.arg(3));
  if (destroyed) c.modified(c.key(2), kStreamEvent, "xgroup-destroy");
  c.reply().integer(destroyed);
}

// --- consumers

// XGROUP CREATECONSUMER key group consumer
void create_consumer(Context& c) {
  ds::ConsumerGroup* group = existing_group(c);
  if (!group) return;
  if (group->find_consumer(c.arg(4))) return c.reply().integer(0);
  see_consumer(c, c.key(2), {*group, c.arg(3)}, c.arg(4));
  c.reply().integer(1);
}

// XGROUP DELCONSUMER key group consumer
void delete_consumer(Context& c) {
  ds::ConsumerGroup* group = existing_group(c);
  if (!group) return;
  const ds::Consumer* consumer = group->find_consumer(c.arg(4));
  if (!consumer) return c.reply().integer(0);
  const uint64_t pending = group->erase_consumer(*consumer);
  c.modified(c.key(2), kStreamEvent, "xgroup-delconsumer");
  c.reply().integer(int64_t(pending));
}

constexpr Group kGroup = Group::kStream;

constexpr CommandSpec kSubcommands[] = {
    {.name = "create",
     .handler = create,
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .keys = key_at(2),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Makes a consumer group that reads behind an id.",
     .complexity = "O(1)",
     .syntax = "key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]"},
    {.name = "createconsumer",
     .handler = create_consumer,
     .arity = 5,
     .flags = kWrite | kDenyOom,
     .keys = key_at(2),
     .since = "6.2.0",
     .group = kGroup,
     .summary = "Makes a consumer of a group.",
     .complexity = "O(log(N)) for a group of N consumers",
     .syntax = "key group consumer"},
    {.name = "delconsumer",
     .handler = delete_consumer,
     .arity = 5,
     .flags = kWrite,
     .keys = key_at(2),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Deletes a consumer of a group, with what is pending for it.",
     .complexity = "O(N*log(M)) for N of M pending entries",
     .syntax = "key group consumer"},
    {.name = "destroy",
     .handler = destroy,
     .arity = 4,
     .flags = kWrite,
     .keys = key_at(2),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Deletes a consumer group.",
     .complexity = "O(N) for N pending entries",
     .syntax = "key group"},
    {.name = "help",
     .handler = reply_help,
     .arity = 2,
     .flags = kLoading | kStale,
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Prints this help.",
     .complexity = "O(1)"},
    {.name = "setid",
     .handler = setid,
     .arity = -5,
     .flags = kWrite,
     .keys = key_at(2),
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Sets the id behind which a group reads.",
     .complexity = "O(1)",
     .syntax = "key group <id | $> [ENTRIESREAD entries-read]"},
};
static_assert(sane(kSubcommands));

constexpr CommandSpec kTable[] = {
    {.name = "xgroup",
     .arity = -2,
     .since = "5.0.0",
     .group = kGroup,
     .summary = "Commands about the consumer groups of a stream.",
     .complexity = "Depends on the subcommand.",
     .subcommands = kSubcommands},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> stream_group_commands() {
  return kTable;
}

}  // namespace millrace
