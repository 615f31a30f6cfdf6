// What becomes of subscribers whose user loses channels.
#pragma once

#include "server/acl/user.h"
#include "server/command/session.h"
#include "server/pubsub/pub_sub.h"

namespace millrace {

// Whether a client is subscribed to something that `user` may not use.
bool exceeds_rights(const PubSub& pub_sub, const Session& session, const acl::User& user);

}  // namespace millrace
