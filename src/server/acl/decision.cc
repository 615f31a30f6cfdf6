#include "server/acl/decision.h"

#include <algorithm>

#include "server/acl/channel_positions.h"
#include "server/command/key_positions.h"

namespace millrace::acl {
namespace {

using Args = std::span<const std::string_view>;

// What a command does with a key, as a right. One that only asks about the key (EXISTS, TYPE)
// needs that some pattern names it.
KeyUse right_for(KeyAccess access) {
  KeyUse use = 0;
  if (access & key_access::kAccess) use |= kReadKey;
  if (access & (key_access::kInsert | key_access::kUpdate | key_access::kDelete)) use |= kWriteKey;
  return use;
}

Denial check_keys(const Selector& selector, const Command& command, Args args) {
  if (selector.all_keys || !takes_keys(command)) return {};
  Denial denial;
  // Where the arguments contradict themselves there are no keys, and the command will say so.
  visit_keys(command, args, [&](const KeyPosition& key) {
    if (denial.denied() || selector.allows_key(args[key.position], right_for(key.access))) return;
    denial = {Denial::Reason::kKey, key.position};
  });
  return denial;
}

Denial check_channels(const Selector& selector, const Command& command, Args args) {
  if (selector.all_channels) return {};
  const ChannelArguments found = channels_of(command, args);
  for (size_t i = 0; i < found.channels.size(); ++i) {
    const bool allowed = found.kind == ChannelUse::kPattern
                             ? selector.allows_channel_pattern(found.channels[i])
                             : selector.allows_channel(found.channels[i]);
    if (!allowed) return {Denial::Reason::kChannel, i + 1};
  }
  return {};
}

Denial check_selector(const Selector& selector, const Command& command, Args args) {
  if (!command.spec->has(kNoAuth) && !selector.commands.allows(command, args))
    return {Denial::Reason::kCommand, 0};
  if (Denial denial = check_keys(selector, command, args); denial.denied()) return denial;
  return check_channels(selector, command, args);
}

bool came_farther(const Denial& a, const Denial& b) {
  return a.reason > b.reason || (a.reason == b.reason && a.position > b.position);
}

std::string about(const User& user, std::string_view kind, std::string_view name) {
  return "User " + user.name + " has no permissions to access the '" + std::string(name) + "' " +
         std::string(kind);
}

}  // namespace

Denial check_request(const User& user, const Command& command, Args args) {
  Denial farthest{Denial::Reason::kCommand, 0};
  for (const Selector& selector : user.selectors) {
    const Denial denial = check_selector(selector, command, args);
    if (!denial.denied()) return {};
    if (came_farther(denial, farthest)) farthest = denial;
  }
  return farthest;
}

bool may_use_any_key(const User& user, const Command& command, Args args, KeyUse use) {
  return std::any_of(user.selectors.begin(), user.selectors.end(), [&](const Selector& selector) {
    return selector.allows_any_key(use) && !check_selector(selector, command, args).denied();
  });
}

bool may_use_channel(const User& user, std::string_view channel) {
  return std::any_of(user.selectors.begin(), user.selectors.end(),
                     [&](const Selector& selector) { return selector.allows_channel(channel); });
}

bool may_use_channel_pattern(const User& user, std::string_view pattern) {
  return std::any_of(user.selectors.begin(), user.selectors.end(), [&](const Selector& selector) {
    return selector.allows_channel_pattern(pattern);
  });
}

bool keeps_all_channels(const User& before, const User& now) {
  const auto all = [](const Selector& selector) { return selector.all_channels; };
  if (std::any_of(now.selectors.begin(), now.selectors.end(), all)) return true;
  return std::all_of(before.selectors.begin(), before.selectors.end(), [&](const Selector& old) {
    return !old.all_channels &&
           std::all_of(old.channels.begin(), old.channels.end(), [&](const std::string& pattern) {
             return may_use_channel_pattern(now, pattern);
           });
  });
}

std::string_view reason_in_transaction(Denial::Reason reason) {
  switch (reason) {
    case Denial::Reason::kCommand:
      return "no permission to execute the command or subcommand";
    case Denial::Reason::kKey:
      return "no permission to touch the specified keys";
    case Denial::Reason::kChannel:
      return "no permission to access one of the channels used as argument to the command";
    case Denial::Reason::kNone:
      break;
  }
  return "no permission";
}

std::string text_of(const Denial& denial, const User& user, const Command& command, Args args,
                    Detail detail) {
  switch (denial.reason) {
    case Denial::Reason::kNone:
      break;
    case Denial::Reason::kCommand:
      return "User " + user.name + " has no permissions to run the '" + command.full_name +
             "' command";
    case Denial::Reason::kKey:
      return detail == Detail::kVerbose ? about(user, "key", args[denial.position])
                                        : "No permissions to access a key";
    case Denial::Reason::kChannel:
      return detail == Detail::kVerbose ? about(user, "channel", args[denial.position])
                                        : "No permissions to access a channel";
  }
  return "";
}

}  // namespace millrace::acl
