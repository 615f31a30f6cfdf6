#include "server/command/key_access.h"

#include <algorithm>

namespace millrace::key_access {
namespace {

constexpr Name kNames[] = {
    {kRO, "RO"},          {kRW, "RW"},
    {kOW, "OW"},          {kRM, "RM"},
    {kAccess, "access"},  {kUpdate, "update"},
    {kInsert, "insert"},  {kDelete, "delete"},
    {kNotKey, "not_key"}, {kVariable, "variable_flags"},
};

struct Row {
  KeyAccess access;
  std::span<const std::string_view> commands;
};

// Readers tell something of the value, except these, which tell about it.
constexpr std::string_view kAboutTheKey[] = {"exists",
                                             "sismember",
                                             "memory|usage",
                                             "hexists",
                                             "scard",
                                             "touch",
                                             "zcard",
                                             "hstrlen",
                                             "object|idletime",
                                             "object|encoding",
                                             "object|freq",
                                             "object|refcount",
                                             "strlen",
                                             "type",
                                             "llen",
                                             "xlen",
                                             "hlen"};

// Writers change the value, except these. By what they do to their first key ...
constexpr std::string_view kTakers[] = {
    "rename",  "renamenx", "lmove",    "rpoplpush", "lpop",       "rpop",   "lmpop", "zmpop",
    "zpopmin", "zpopmax",  "spop",     "smove",     "getdel",     "blpop",  "brpop", "blmove",
    "blmpop",  "bzmpop",   "bzpopmin", "bzpopmax",  "brpoplpush", "migrate"};
constexpr std::string_view kReplacers[] = {
    "sdiffstore",  "sunionstore", "bitop",       "restore",    "psetex",         "setex",
    "zunionstore", "mset",        "zrangestore", "zdiffstore", "geosearchstore", "zinterstore"};
constexpr std::string_view kRemovers[] = {
    "lrem",  "srem", "xdel",  "zremrangebylex",  "xautoclaim",
    "ltrim", "zrem", "xtrim", "zremrangebyrank", "zremrangebyscore",
    "hdel"};
constexpr std::string_view kTellingChangers[] = {"move",   "hincrby", "incr",   "incrbyfloat",
                                                 "incrby", "decrby",  "getset", "hincrbyfloat",
                                                 "setbit", "decr",    "getex",  "zincrby"};
constexpr std::string_view kAdders[] = {"rpush",  "lpushx",  "sadd",  "rpushx", "append",
                                        "hsetnx", "linsert", "pfadd", "lpush"};
constexpr std::string_view kCopiers[] = {"copy", "sort", "georadius", "georadiusbymember"};
constexpr std::string_view kErasers[] = {"del", "unlink"};
constexpr std::string_view kCreators[] = {"setnx", "msetnx"};
constexpr std::string_view kGroupAdders[] = {"xgroup|create", "xgroup|createconsumer"};
constexpr std::string_view kGroupRemovers[] = {"xgroup|delconsumer", "xgroup|destroy"};
constexpr std::string_view kGroupReaders[] = {"xreadgroup"};
constexpr std::string_view kVariableOnes[] = {"set", "bitfield"};

constexpr std::string_view kShardChannels[] = {"ssubscribe", "sunsubscribe", "spublish"};

constexpr Row kFirst[] = {
    {kNotKey, kShardChannels},          {kRO, kAboutTheKey},
    {kRW | kAccess | kDelete, kTakers}, {kOW | kUpdate, kReplacers},
    {kRW | kDelete, kRemovers},         {kRW | kAccess | kUpdate, kTellingChangers},
    {kRW | kInsert, kAdders},           {kRO | kAccess, kCopiers},
    {kRM | kDelete, kErasers},          {kOW | kInsert, kCreators},
    {kRW | kInsert, kGroupAdders},      {kRW | kDelete, kGroupRemovers},
    {kRO | kAccess, kGroupReaders},     {kRW | kAccess | kUpdate | kVariable, kVariableOnes},
};

// ... and to their second, which most only read.
constexpr std::string_view kSecondAdders[] = {"lmove", "rpoplpush", "smove", "blmove",
                                              "brpoplpush"};
constexpr std::string_view kSecondReplacers[] = {"rename", "copy", "sort", "georadius",
                                                 "georadiusbymember"};
constexpr std::string_view kSecondCreators[] = {"renamenx"};

constexpr Row kSecond[] = {
    {kRW | kInsert, kSecondAdders},
    {kOW | kUpdate, kSecondReplacers},
    {kOW | kInsert, kSecondCreators},
};

KeyAccess find(std::span<const Row> rows, std::string_view command, KeyAccess otherwise) {
  for (const Row& row : rows)
    if (std::find(row.commands.begin(), row.commands.end(), command) != row.commands.end())
      return row.access;
  return otherwise;
}

// Only GETs: a reader. What is not understood counts as a change.
KeyAccess of_bitfield(std::span<const std::string_view> args) {
  for (size_t i = 2; i < args.size();) {
    if (equals_ignoring_case(args[i], "GET") && i + 2 < args.size()) {
      i += 3;
    } else if (equals_ignoring_case(args[i], "OVERFLOW") && i + 1 < args.size()) {
      i += 2;
    } else {
      return kRW | kAccess | kUpdate;
    }
  }
  return kRO | kAccess;
}

}  // namespace

std::span<const Name> names() {
  return kNames;
}

KeyAccess of(const Command& command, int specification) {
  if (specification > 0) return find(kSecond, command.full_name, kRO | kAccess);
  const KeyAccess usual = command.spec->has(kWrite) ? kRW | kUpdate : kRO | kAccess;
  return find(kFirst, command.full_name, usual);
}

KeyAccess of_request(const Command& command, int specification,
                     std::span<const std::string_view> args) {
  const KeyAccess access = of(command, specification);
  if (!(access & kVariable)) return access;
  if (command.full_name == "bitfield") return of_bitfield(args);
  // SET without GET: nothing is told.
  const bool tells = std::any_of(args.begin() + 3, args.end(), [](std::string_view arg) {
    return equals_ignoring_case(arg, "GET");
  });
  return tells ? kRW | kAccess | kUpdate : kOW | kUpdate;
}

}  // namespace millrace::key_access
