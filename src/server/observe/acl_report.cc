#include "server/observe/acl_report.h"

#include "server/acl/acl.h"
#include "server/config/config.h"
#include "server/observe/client_text.h"

namespace millrace {
namespace {

void add(Services& services, const Session& session, acl::AclLog::Entry entry) {
  append_client_line(entry.client, services, session);
  entry.client.pop_back();  // the line's end
  services.acl.log().add(std::move(entry), services.tick.unix_us / 1000,
                         services.config.acllog_max_len);
}

}  // namespace

std::string log_denial(Services& services, const Session& session, const AskedRequest& request,
                       const acl::Denial& denial, acl::Place place) {
  const acl::User& user = services.acl.user_of(session);
  const acl::Denied what = acl::denied(denial.reason);
  const std::string_view object =
      what == acl::Denied::kCommand ? request.command.full_name : request.args[denial.position];
  add(services, session,
      {.what = what,
       .place = place,
       .object = std::string(object),
       .user = user.name,
       .client = {}});
  return acl::text_of(denial, user, request.command, request.args);
}

void log_failed_login(Services& services, const Session& session, std::string_view tried_with,
                      std::string_view user, acl::Place place) {
  add(services, session,
      {.what = acl::Denied::kLogin,
       .place = place,
       .object = std::string(tried_with),
       .user = std::string(user),
       .client = {}});
}

}  // namespace millrace
