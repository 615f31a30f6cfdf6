// What the configuration says about users and the names of commands, in its own types: the layers
// above have users and commands.
#pragma once

#include <cstdint>
#include <string>

namespace millrace {

// acl-pubsub-default: what a user may do with channels until a rule says otherwise.
enum class NewUserChannels : uint8_t { kNone, kAll };

// rename-command: what clients call a command instead of its own name; empty: they cannot.
struct Rename {
  std::string command;
  std::string name;
  friend bool operator==(const Rename&, const Rename&) = default;
};

}  // namespace millrace
