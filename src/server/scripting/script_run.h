// The run of a script or a function: what it may do, and what it has done.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "proto/reply_writer.h"
#include "server/command/server_state.h"
#include "server/command/session.h"

namespace millrace::scripting {

// What a script declares of itself: "#!lua flags=no-writes,allow-oom", or a function when it is
// registered. A script without a shebang declares nothing and is taken as it comes.
using ScriptFlags = uint8_t;
inline constexpr ScriptFlags kNoWrites = 1;
inline constexpr ScriptFlags kAllowOom = 2;
inline constexpr ScriptFlags kAllowStale = 4;
inline constexpr ScriptFlags kNoCluster = 8;
inline constexpr ScriptFlags kAllowCrossSlotKeys = 16;

struct FlagName {
  std::string_view name;
  ScriptFlags flag;
};
inline constexpr FlagName kFlagNames[] = {{"no-writes", kNoWrites},
                                          {"allow-oom", kAllowOom},
                                          {"allow-stale", kAllowStale},
                                          {"no-cluster", kNoCluster},
                                          {"allow-cross-slot-keys", kAllowCrossSlotKeys}};
constexpr ScriptFlags flag_of(std::string_view name) {
  for (const FlagName& known : kFlagNames)
    if (known.name == name) return known.flag;
  return 0;
}

struct ScriptRun {
  Session& session;
  BusyScript kind;                            // what it is called when it is busy
  std::string_view name;                      // a SHA1, or a function's name
  std::span<const std::string_view> request;  // the words of the command that runs it
  int64_t began_ns;                           // monotonic, as the others
  int64_t slice_began_ns = 0;                 // once it is busy: since others were served
  bool busy = false;                          // beyond busy-reply-threshold
  bool killed = false;
  bool read_only = false;
  bool allow_oom = false;
  bool short_of_memory = false;  // when it began
  bool has_written = false;
  proto::Resp spoken = proto::Resp::k2;  // redis.setresp
};

}  // namespace millrace::scripting
