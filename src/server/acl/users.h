// The users in force, by name and by id. The default user is always among them.
//
// Thread: the loop that runs commands. Pointers and references are good until the user is changed
// or erased; across time keep the id.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "ae/base/slot_map.h"
#include "server/acl/user.h"
#include "server/command/user_id.h"

namespace millrace::acl {

class Users {
 public:
  explicit Users(const CommandTable& commands);

  const User* find(std::string_view name) const;
  const User* find(UserId id) const { return records_.find(id); }
  // Invalid: there is none.
  UserId id_of(std::string_view name) const;
  const User& default_user() const { return *records_.find(default_); }

  // Adds the user, or changes the one of that name, who keeps his id.
  void put(User user);
  // The default user stays.
  bool erase(std::string_view name);

  size_t size() const { return ids_.size(); }
  // In the order of the names' bytes, as ACL LIST.
  void each(const std::function<void(const User&)>& visit) const;

 private:
  ae::SlotMap<User, UserId> records_;
  std::map<std::string, UserId, std::less<>> ids_;
  UserId default_;
};

}  // namespace millrace::acl
