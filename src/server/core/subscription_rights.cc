#include "server/core/subscription_rights.h"

#include <algorithm>

#include "server/acl/decision.h"

namespace millrace {

bool exceeds_rights(const PubSub& pub_sub, const Session& session, const acl::User& user) {
  for (ChannelKind kind : {ChannelKind::kPattern, ChannelKind::kChannel, ChannelKind::kShard}) {
    const auto names = pub_sub.names_of(session, kind);
    const bool all = std::all_of(names.begin(), names.end(), [&](std::string_view name) {
      return kind == ChannelKind::kPattern ? acl::may_use_channel_pattern(user, name)
                                           : acl::may_use_channel(user, name);
    });
    if (!all) return true;
  }
  return false;
}

}  // namespace millrace
