// A user's rules of any bytes, a word per line: they are applied or refused, never half; what a
// user has become can be written as a line of the ACL file, and that line makes the same user. The
// same bytes as an ACL file must give users or errors.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/assert.h"
#include "server/acl/acl_file.h"
#include "server/acl/decision.h"

namespace {

using namespace millrace;
using namespace millrace::acl;

const CommandTable& table() {
  static const CommandTable& table = *new CommandTable(command_families());
  return table;
}

const RuleScope kScope{table()};

std::vector<std::string_view> lines_of(std::string_view bytes) {
  std::vector<std::string_view> lines;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    lines.push_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return lines;
}

// The same decisions, asked of some requests.
void expect_equal_rights(const User& a, const User& b) {
  const std::vector<std::string_view> requests[] = {
      {"get", "a"},
      {"set", "b", "v", "get"},
      {"copy", "a", "b"},
      {"select", "0"},
      {"config", "get", "x"},
      {"zunionstore", "a", "2", "b", "c"},
      {"ping"},
      {"keys", "*"},
  };
  for (const auto& args : requests)
    AE_ASSERT(check_request(a, *table().resolve(args), args) ==
              check_request(b, *table().resolve(args), args));
}

void check_rules(std::string_view bytes) {
  const MergedRules merged = merge_selectors(lines_of(bytes));
  if (merged.unmatched) return;
  User user("fuzz", table(), NewUserChannels::kNone);
  (void)apply_rules(user, merged.rules, kScope);
  AE_ASSERT(!user.selectors.empty());
  const UserFile file = read_user_file(user_line(user), "fuzz", kScope);
  AE_ASSERT(file.errors.empty() && file.users.size() == 1);
  AE_ASSERT(user_line(file.users[0]) == user_line(user));
  expect_equal_rights(user, file.users[0]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_rules(bytes);
  const UserFile file = read_user_file(bytes, "fuzz", kScope);
  AE_ASSERT(file.errors.empty() || file.users.empty());
  return 0;
}
