// A selector: a set of commands, of keys and of channels that go together. A request is allowed if
// one selector of its user allows all of it; what two of them allow together is not enough.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/acl/command_rules.h"

namespace millrace::acl {

// What may be done with a key, as a set of bits.
using KeyUse = uint8_t;
inline constexpr KeyUse kReadKey = 1;
inline constexpr KeyUse kWriteKey = 2;
inline constexpr KeyUse kReadAndWriteKey = kReadKey | kWriteKey;

struct KeyPattern {
  std::string pattern;
  KeyUse use = kReadAndWriteKey;

  // "~a*", "%R~a*", "%W~a*"
  std::string text() const;
};

struct Selector {
  explicit Selector(const CommandTable& table) : commands(table) {}

  CommandRules commands;
  bool all_keys = false;              // then `keys` is empty
  std::vector<KeyPattern> keys;       // each pattern once
  bool all_channels = false;          // then `channels` is empty
  std::vector<std::string> channels;  // each pattern once

  void allow_all_keys();
  void allow_all_channels();
  void forget_keys();
  void forget_channels();
  void allow_keys(std::string_view pattern, KeyUse use);
  void allow_channels(std::string_view pattern);

  bool allows_everything() const { return commands.allows_all() && all_keys && all_channels; }
  bool allows_key(std::string_view key, KeyUse use) const;
  bool allows_any_key(KeyUse use) const;
  // A channel that is published to or subscribed.
  bool allows_channel(std::string_view channel) const;
  // A pattern that is subscribed must be among the patterns, to the byte: whether one pattern is
  // contained in another is not asked.
  bool allows_channel_pattern(std::string_view pattern) const;

  // --- as ACL GETUSER shows them
  std::string keys_text() const;      // "~a* %R~b*"
  std::string channels_text() const;  // "&news.*"
  // --- the whole, as rules: "~*", "resetchannels", "-@all", "+get"
  std::vector<std::string> words() const;
};

}  // namespace millrace::acl
