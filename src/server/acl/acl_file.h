// The ACL file: a user per line, as in the configuration.
//
//   user alice on sanitize-payload #9f86d0... ~cached:* resetchannels -@all +get
//
// Blank lines are allowed and comments are not: the file is rewritten by ACL SAVE, which would lose
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/acl/rules.h"
#include "server/acl/users.h"

namespace millrace::acl {

struct UserFile {
  std::vector<User> users;
  // What is wrong with the lines, in one line; empty: nothing. Otherwise nothing of the file may be
  // used.
  std::string errors;
};

// `name` stands for the file in error texts.
UserFile read_user_file(std::string_view bytes, std::string_view name, const RuleScope& scope);

// A line, without its end.
std::string user_line(const User& user);
std::string user_file_text(const Users& users);

}  // namespace millrace::acl
