#include "server/commands/command_facts.h"

#include <algorithm>
#include <string>

#include "server/command/categories.h"

namespace millrace {
namespace {

using proto::ReplyWriter;

struct FlagName {
  CommandFlags flag;
  std::string_view name;
};
// In Redis' order. It keeps "protected" and "touches_arbitrary_keys" to itself.
constexpr FlagName kFlagNames[] = {
    {kWrite, "write"},
    {kReadOnly, "readonly"},
    {kDenyOom, "denyoom"},
    {kAdmin, "admin"},
    {kPubSub, "pubsub"},
    {kNoScript, "noscript"},
    {kBlocking, "blocking"},
    {kLoading, "loading"},
    {kStale, "stale"},
    {kSkipMonitor, "skip_monitor"},
    {kSkipSlowLog, "skip_slowlog"},
    {kFast, "fast"},
    {kNoAuth, "no_auth"},
    {kMayReplicate, "may_replicate"},
    {kNoMandatoryKeys, "no_mandatory_keys"},
    {kNoAsyncLoading, "no_async_loading"},
    {kNoMulti, "no_multi"},
    {kMovableKeys, "movablekeys"},
    {kAllowBusy, "allow_busy"},
};

bool is_movable(const KeySpec& spec) {
  return spec.kind == KeySpec::Kind::kCount || spec.kind == KeySpec::Kind::kKeyword;
}

// What only looking at the arguments can find is movable, whether or not the row says so.
CommandFlags shown_flags(const CommandSpec& spec) {
  const bool movable =
      is_movable(spec.keys) || is_movable(spec.more_keys) || is_movable(spec.third_keys);
  return spec.flags | (movable ? kMovableKeys : 0);
}

void reply_flags(ReplyWriter& reply, CommandFlags flags) {
  const auto count = std::count_if(std::begin(kFlagNames), std::end(kFlagNames),
                                   [&](const FlagName& row) { return (flags & row.flag) != 0; });
  reply.set(size_t(count));
  for (const FlagName& row : kFlagNames)
    if (flags & row.flag) reply.status(row.name);
}

void reply_categories(ReplyWriter& reply, CategorySet categories) {
  reply.set(size_t(categories.size()));
  for (int i = 0; i < kCategories; ++i)
    if (categories.has(Category(i))) reply.status("@" + std::string(category_name(Category(i))));
}

// --- where the keys are

// The one range that clients older than key specifications know: the first specification, and the
// second where it goes on directly behind it.
struct OldRange {
  int first = 0;
  int last = 0;
  int step = 0;
};

OldRange old_range(const CommandSpec& spec) {
  const KeySpec& keys = spec.keys;
  if (keys.kind != KeySpec::Kind::kRange) return {};
  const KeySpec& more = spec.more_keys;
  const bool adjoins = more.kind == KeySpec::Kind::kRange && more.first == keys.last + 1;
  return {keys.first, adjoins ? more.last : keys.last, keys.step};
}

void reply_pair(ReplyWriter& reply, std::string_view name, int64_t number) {
  reply.bulk(name);
  reply.integer(number);
}

void reply_type(ReplyWriter& reply, std::string_view type) {
  reply.bulk("type");
  reply.bulk(type);
  reply.bulk("spec");
}

void reply_begin(ReplyWriter& reply, const KeySpec& spec) {
  reply.bulk("begin_search");
  reply.map(2);
  if (spec.kind == KeySpec::Kind::kKeyword) {
    reply_type(reply, "keyword");
    reply.map(2);
    reply.bulk("keyword");
    reply.bulk(spec.keyword);
    return reply_pair(reply, "startfrom", spec.first);
  }
  reply_type(reply, "index");
  reply.map(1);
  reply_pair(reply, "index", spec.first);
}

void reply_find(ReplyWriter& reply, const KeySpec& spec) {
  reply.bulk("find_keys");
  reply.map(2);
  if (spec.kind == KeySpec::Kind::kCount) {
    reply_type(reply, "keynum");
    reply.map(3);
    reply_pair(reply, "keynumidx", 0);
    reply_pair(reply, "firstkey", 1);
    return reply_pair(reply, "keystep", 1);
  }
  reply_type(reply, "range");
  reply.map(3);
  // From the end, or counted from the first key.
  const bool from_first = spec.kind == KeySpec::Kind::kRange && spec.last >= 0;
  reply_pair(reply, "lastkey", from_first ? spec.last - spec.first : spec.last);
  reply_pair(reply, "keystep", spec.step);
  reply_pair(reply, "limit", spec.limit);
}

void reply_key_specs(ReplyWriter& reply, const Command& command) {
  const CommandSpec& row = *command.spec;
  const KeySpec* specs[] = {&row.keys, &row.more_keys, &row.third_keys};
  const auto count = std::count_if(std::begin(specs), std::end(specs), [](const KeySpec* spec) {
    return spec->kind != KeySpec::Kind::kNone;
  });
  reply.set(size_t(count));
  for (int i = 0; i < int(count); ++i) {
    reply.map(3);
    reply.bulk("flags");
    reply_key_access(reply, key_access::of(command, i));
    reply_begin(reply, *specs[i]);
    reply_find(reply, *specs[i]);
  }
}

}  // namespace

void reply_key_access(ReplyWriter& reply, KeyAccess access) {
  reply.set(size_t(__builtin_popcount(access)));
  for (const key_access::Name& row : key_access::names())
    if (access & row.flag) reply.status(row.name);
}

void reply_command_info(ReplyWriter& reply, const Command& command) {
  const CommandSpec& spec = *command.spec;
  const OldRange keys = old_range(spec);
  reply.array(10);
  reply.bulk(command.full_name);
  reply.integer(spec.arity);
  reply_flags(reply, shown_flags(spec));
  reply.integer(keys.first);
  reply.integer(keys.last);
  reply.integer(keys.step);
  reply_categories(reply, categories_of(command));
  reply.set(0);  // tips for cluster proxies
  reply_key_specs(reply, command);
  // Redis answers a set here when there are none.
  command.subcommands.empty() ? reply.set(0) : reply.array(command.subcommands.size());
  for (const Command& subcommand : command.subcommands) reply_command_info(reply, subcommand);
}

}  // namespace millrace
