// A user: passwords, and what he may do. A value; Users (users.h) owns those in force.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/acl/selector.h"
#include "server/config/access.h"

namespace millrace::acl {

inline constexpr std::string_view kDefaultUser = "default";

struct User {
  // Off, without a password, allowed nothing.
  User(std::string name, const CommandTable& commands, NewUserChannels channels);

  std::string name;
  bool enabled = false;
  bool no_password = false;  // any will do; then `passwords` is empty
  bool sanitize_payload = true;
  std::vector<std::string> passwords;  // hashes, each once
  // The first one is that of the rules outside of parentheses, and always there.
  std::vector<Selector> selectors;

  Selector& root() { return selectors.front(); }
  const Selector& root() const { return selectors.front(); }
  // No check can fail.
  bool may_everything() const { return root().allows_everything(); }
  bool accepts(std::string_view password) const;

  // "on", "off", "nopass", "sanitize-payload" ...: those that hold, in Redis' order.
  std::vector<std::string_view> flags() const;
  // All of it, as rules; applied to a fresh user they make this one.
  std::vector<std::string> words() const;
  // What ACL LIST shows behind the name.
  std::string text() const;
};

// The default user of a server whose configuration says nothing: on, nopass, allowed everything.
User make_default_user(const CommandTable& commands);

}  // namespace millrace::acl
