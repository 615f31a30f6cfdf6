// The ACL commands that only ask: what there is, what would be, what was refused. Those that change
// users, and the table of all, are in acl.cc.
#pragma once

#include "server/command/context.h"

namespace millrace {

void acl_cat(Context& c);
void acl_dryrun(Context& c);
void acl_genpass(Context& c);
void acl_getuser(Context& c);
void acl_list(Context& c);
void acl_log(Context& c);
void acl_users(Context& c);
void acl_whoami(Context& c);

}  // namespace millrace
