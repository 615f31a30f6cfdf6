// What a command does with its keys, beside where they stand: the flags of a key specification,
// which COMMAND INFO and COMMAND GETKEYSANDFLAGS show (and which access rules and cluster proxies
// go by).
//
// One of RO, RW, OW, RM says how the value is touched, the others what of it a client learns or
// changes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "server/command/table.h"

namespace millrace {

using KeyAccess = uint16_t;
namespace key_access {
inline constexpr KeyAccess kRO = 1 << 0;        // the value is read, if at all
inline constexpr KeyAccess kRW = 1 << 1;        // ... changed, depending on what it was
inline constexpr KeyAccess kOW = 1 << 2;        // ... replaced, whatever it was
inline constexpr KeyAccess kRM = 1 << 3;        // ... removed
inline constexpr KeyAccess kAccess = 1 << 4;    // something of it is told to the client
inline constexpr KeyAccess kUpdate = 1 << 5;    // existing data may be changed
inline constexpr KeyAccess kInsert = 1 << 6;    // data is added, none changed
inline constexpr KeyAccess kDelete = 1 << 7;    // data is removed
inline constexpr KeyAccess kVariable = 1 << 8;  // depends on the arguments
inline constexpr KeyAccess kNotKey = 1 << 9;    // a name that only the cluster treats like a key

// In the order Redis prints them.
struct Name {
  KeyAccess flag;
  std::string_view name;
};
std::span<const Name> names();

// Of the command's first (0) or second (1) key specification.
KeyAccess of(const Command& command, int specification);
// The same for one request, where `of` says kVariable.
KeyAccess of_request(const Command& command, int specification,
                     std::span<const std::string_view> args);
}  // namespace key_access

}  // namespace millrace
