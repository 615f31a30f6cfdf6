// The name of a user record (acl/users.h), as a session keeps it: slot and generation, so that an
// id outlives its user without harm.
#pragma once

#include <cstdint>

namespace millrace {

struct UserId {
  uint32_t slot = 0;
  uint32_t generation = 0;  // 0 names nobody: the default user
  bool valid() const { return generation != 0; }
  friend bool operator==(UserId, UserId) = default;
};

}  // namespace millrace
