#include "server/acl/users.h"

#include <utility>

namespace millrace::acl {

Users::Users(const CommandTable& commands) {
  put(make_default_user(commands));
  default_ = id_of(kDefaultUser);
}

const User* Users::find(std::string_view name) const {
  return records_.find(id_of(name));
}

UserId Users::id_of(std::string_view name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? UserId{} : found->second;
}

void Users::put(User user) {
  if (const UserId id = id_of(user.name); id.valid()) {
    *records_.find(id) = std::move(user);
    return;
  }
  std::string name = user.name;
  ids_.emplace(std::move(name), records_.emplace(std::move(user)));
}

bool Users::erase(std::string_view name) {
  const auto found = ids_.find(name);
  if (found == ids_.end() || found->second == default_) return false;
  records_.erase(found->second);
  ids_.erase(found);
  return true;
}

void Users::each(const std::function<void(const User&)>& visit) const {
  for (const auto& [name, id] : ids_) visit(*records_.find(id));
}

}  // namespace millrace::acl
