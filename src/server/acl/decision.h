// May this user do that? Pure functions; nothing is logged or counted here (acl.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/acl/user.h"

namespace millrace::acl {

// What stands in the way of a request. In the order of how much was allowed: of several selectors
// the one that came farthest is told.
struct Denial {
  enum class Reason : uint8_t { kNone, kCommand, kKey, kChannel };
  Reason reason = Reason::kNone;
  size_t position = 0;  // of the key or channel among the arguments

  bool denied() const { return reason != Reason::kNone; }
  friend bool operator==(const Denial&, const Denial&) = default;
};

// May the user run this command with these arguments? They satisfy its arity.
Denial check_request(const User& user, const Command& command,
                     std::span<const std::string_view> args);

// May he run it and, beside the keys it names, use any key there is? For those whose keys only the
// data tell: SORT's BY and GET.
bool may_use_any_key(const User& user, const Command& command,
                     std::span<const std::string_view> args, KeyUse use);

// May the user publish to or subscribe this channel, subscribe this pattern?
bool may_use_channel(const User& user, std::string_view channel);
bool may_use_channel_pattern(const User& user, std::string_view pattern);

// For a user who was changed while clients of his may be subscribed. Whether `now` may still use
// every channel pattern that `before` named; if so no client needs to be looked at.
bool keeps_all_channels(const User& before, const User& now);

// Why a queued command is refused by EXEC although MULTI took it.
std::string_view reason_in_transaction(Denial::Reason reason);

// "User alice has no permissions to run the 'get' command". `verbose` names the key or channel too,
// which only DRYRUN tells.
enum class Detail : uint8_t { kBrief, kVerbose };
std::string text_of(const Denial& denial, const User& user, const Command& command,
                    std::span<const std::string_view> args, Detail detail = Detail::kBrief);

}  // namespace millrace::acl
