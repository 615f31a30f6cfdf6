// What a refusal leaves behind: an entry of ACL LOG, with the client's line, and a count.
//
//   const acl::Denial denial = services.acl.check(session, command, args);
//   if (denial.denied())
//     return c.fail("NOPERM " + log_denial(services, session, {command, args}, denial,
//                                          acl::Place::kMulti));
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "server/acl/acl_log.h"
#include "server/command/services.h"
#include "server/command/session.h"

namespace millrace {

struct AskedRequest {
  const Command& command;
  std::span<const std::string_view> args;
};

// Returns the reason: "User alice has no permissions to run the 'get' command".
std::string log_denial(Services& services, const Session& session, const AskedRequest& request,
                       const acl::Denial& denial, acl::Place place);

// `tried_with` is the command as the client wrote it, `user` the name it gave.
void log_failed_login(Services& services, const Session& session, std::string_view tried_with,
                      std::string_view user, acl::Place place);

}  // namespace millrace
