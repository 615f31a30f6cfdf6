// What is known about a command, once: a row of a table that stands at the foot of the file with
// the command's handler. COMMAND INFO, COMMAND DOCS, redis-cli's help, the arity check, the gates
// and the prefetcher all read this row and nothing else.
//
// Example (commands/string.cc):
//
//   constexpr CommandSpec kTable[] = {
//       {.name = "get", .handler = get, .arity = 2, .flags = kReadOnly | kFast, .keys = key_at(1),
//        .since = "1.0.0", .group = Group::kString, .summary = "Returns the string value of a
//        key.", .complexity = "O(1)", .syntax = "key"},
//   };
//   static_assert(sane(kTable));
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace millrace {

class Context;
using Handler = void (*)(Context&);

// Redis' command flags, one bit each, with its meanings.
using CommandFlags = uint32_t;
inline constexpr CommandFlags kWrite = 1u << 0;     // may change the keyspace
inline constexpr CommandFlags kReadOnly = 1u << 1;  // reads keys
inline constexpr CommandFlags kDenyOom = 1u << 2;   // refused above maxmemory
inline constexpr CommandFlags kAdmin = 1u << 3;
inline constexpr CommandFlags kPubSub = 1u << 4;
inline constexpr CommandFlags kNoScript = 1u << 5;
inline constexpr CommandFlags kBlocking = 1u << 6;
inline constexpr CommandFlags kLoading = 1u << 7;  // allowed while loading
inline constexpr CommandFlags kStale = 1u << 8;    // allowed on a stale replica
inline constexpr CommandFlags kSkipMonitor = 1u << 9;
inline constexpr CommandFlags kSkipSlowLog = 1u << 10;
inline constexpr CommandFlags kFast = 1u << 11;    // O(1) or O(log N)
inline constexpr CommandFlags kNoAuth = 1u << 12;  // allowed before AUTH
inline constexpr CommandFlags kMayReplicate = 1u << 13;
inline constexpr CommandFlags kProtected = 1u << 14;  // needs enable-debug-command
inline constexpr CommandFlags kNoMandatoryKeys = 1u << 15;
inline constexpr CommandFlags kAllowBusy = 1u << 16;
inline constexpr CommandFlags kTouchesArbitraryKeys = 1u << 17;
inline constexpr CommandFlags kNoMulti = 1u << 18;
inline constexpr CommandFlags kNoAsyncLoading = 1u << 19;
inline constexpr CommandFlags kMovableKeys = 1u << 20;  // key_positions() needs the arguments
// Ours: the cost does not depend on the data, so that its time need not be taken one by one (see
// core/dispatch.h). Implied by kFast.
inline constexpr CommandFlags kUntimed = 1u << 21;
// Ours: it may run scripts, and so for long (core/script_stage.h).
inline constexpr CommandFlags kRunsScripts = 1u << 22;

// Where the keys stand among the arguments (position 0 is the command's name).
struct KeySpec {
  enum class Kind : uint8_t {
    kNone,
    kRange,    // first, last (negative: from the end), step
    kCount,    // a number at `first` tells how many keys follow it
    kKeyword,  // behind the word `keyword`, searched from position `first` on
  };
  Kind kind = Kind::kNone;
  uint8_t first = 0;
  int8_t last = 0;
  uint8_t step = 1;
  std::string_view keyword = {};
  // 2: of what stands from the first key on, the first half are keys (XREAD's ids are the other).
  uint8_t limit = 0;
};
constexpr KeySpec key_at(uint8_t position) {
  return {KeySpec::Kind::kRange, position, static_cast<int8_t>(position), 1, {}};
}
constexpr KeySpec keys_between(uint8_t first, int8_t last, uint8_t step = 1) {
  return {KeySpec::Kind::kRange, first, last, step, {}};
}
constexpr KeySpec keys_counted_at(uint8_t position) {
  return {KeySpec::Kind::kCount, position, 0, 1, {}};
}
constexpr KeySpec keys_in_first_half_behind(std::string_view keyword, uint8_t from) {
  return {KeySpec::Kind::kKeyword, from, -1, 1, keyword, 2};
}

enum class Group : uint8_t {
  kGeneric,
  kString,
  kList,
  kSet,
  kSortedSet,
  kHash,
  kPubSub,
  kTransactions,
  kConnection,
  kServer,
  kScripting,
  kHyperLogLog,
  kCluster,
  kSentinel,
  kGeo,
  kStream,
  kBitmap,
};

struct CommandSpec {
  std::string_view name;  // lower case; a subcommand's is its own word: "getname"
  // Null for a container whose subcommands do the work. One that has a handler all the same
  // (COMMAND) is run when the subcommand is missing, or unknown.
  Handler handler = nullptr;
  int16_t arity = 0;  // exact count with the name(s), negative: at least
  CommandFlags flags = 0;
  KeySpec keys = {};
  KeySpec more_keys = {};   // a second specification: ZUNIONSTORE's sources, SORT's STORE
  KeySpec third_keys = {};  // GEORADIUS' STOREDIST, beside its STORE
  // The argument that names a member of the collection under the first key, 0 if there is none:
  // what core/batch_prefetch.h may fetch ahead. Where options can stand before it (ZADD), where it
  // usually is.
  uint8_t member = 0;
  std::string_view since = "1.0.0";
  Group group = Group::kGeneric;
  std::string_view summary = {};
  std::string_view complexity = {};
  // Redis' synopsis behind the name: "key value [NX | XX] [GET]". COMMAND DOCS parses it into its
  // argument tree, so the grammar is written once.
  std::string_view syntax = {};
  std::span<const CommandSpec> subcommands = {};

  bool has(CommandFlags flag) const { return (flags & flag) != 0; }
  // Whether a request of so many words, the name included, fits the arity.
  bool takes(size_t words) const {
    return arity >= 0 ? words == size_t(arity) : words >= size_t(-arity);
  }
};

// What a table must satisfy at compile time. (That a row has a handler or subcommands is asserted
// when the table is built: under UBSan the address of a function of another file is no constant.)
consteval bool sane(std::span<const CommandSpec> table) {
  for (const CommandSpec& spec : table) {
    if (spec.name.empty() || spec.arity == 0 || spec.summary.empty()) return false;
    for (char c : spec.name)
      if (c >= 'A' && c <= 'Z') return false;
    if ((spec.flags & kWrite) && (spec.flags & kReadOnly)) return false;
    if ((spec.flags & kDenyOom) && !(spec.flags & kWrite)) return false;
  }
  return true;
}

}  // namespace millrace
