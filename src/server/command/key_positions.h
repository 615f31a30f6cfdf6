// Which arguments of a request are keys: COMMAND GETKEYS, and later access rules and the cluster.
//
//   auto keys = key_positions(*command, args);     // ZUNIONSTORE d 2 a b -> 1, 3, 4
//
// Follows the specifications of the command's row. Bounded by the number of arguments.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "server/command/key_access.h"
#include "server/ds/function_ref.h"

namespace millrace {

struct KeyPosition {
  size_t position;
  KeyAccess access;
};

// Nothing: the arguments contradict themselves (a count that is no number, or too large). `args`
// satisfies the command's arity.
std::optional<std::vector<KeyPosition>> key_positions(const Command& command,
                                                      std::span<const std::string_view> args);

// The same, one after the other and without an allocation. False: as above, and none was visited.
bool visit_keys(const Command& command, std::span<const std::string_view> args,
                ds::FunctionRef<void(const KeyPosition&)> visit);

// The first of them, without an allocation; nothing: there is none, or as above.
std::optional<size_t> first_key_position(const Command& command,
                                         std::span<const std::string_view> args);

// Whether the command can have keys at all.
bool takes_keys(const Command& command);

}  // namespace millrace
