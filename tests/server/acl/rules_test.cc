#include "server/acl/rules.h"

#include <gtest/gtest.h>

#include "server/acl/acl_file.h"
#include "server/acl/decision.h"
#include "server/acl/password.h"

namespace millrace::acl {
namespace {

const CommandTable& table() {
  static const CommandTable& table = *new CommandTable(command_families());
  return table;
}

const RuleScope kScope{table()};

User user_of(std::initializer_list<std::string_view> words) {
  User user("u", table(), NewUserChannels::kNone);
  const std::vector<std::string_view> list(words);
  const auto bad = apply_rules(user, merge_selectors(list).rules, kScope);
  EXPECT_FALSE(bad) << bad->rule;
  return user;
}

Denial ask(const User& user, std::vector<std::string_view> args) {
  return check_request(user, *table().resolve(args), args);
}

using Reason = Denial::Reason;

TEST(RulesTest, PasswordsAreSha256) {
  // FIPS 180-4's example.
  EXPECT_EQ(hash_of_password("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const User user = user_of({"on", ">abc"});
  EXPECT_TRUE(user.accepts("abc"));
  EXPECT_FALSE(user.accepts("abd"));
  EXPECT_FALSE(user.accepts(""));
  EXPECT_FALSE(user_of({">abc"}).accepts("abc"));  // off
  EXPECT_TRUE(user_of({"on", "nopass"}).accepts("anything"));
  EXPECT_FALSE(user_of({"on", ">abc", "<abc"}).accepts("abc"));
}

TEST(RulesTest, RandomDigits) {
  EXPECT_EQ(random_hex(0), "");
  EXPECT_EQ(random_hex(5).size(), 5u);
  EXPECT_NE(random_hex(64), random_hex(64));
  EXPECT_TRUE(is_password_hash(random_hex(64)));
}

TEST(RulesTest, SelectorsAreMerged) {
  const std::string_view words[] = {"on", "(+get", "~a*)", "(", ")", "off"};
  const MergedRules merged = merge_selectors(words);
  EXPECT_FALSE(merged.unmatched);
  EXPECT_EQ(merged.rules, (std::vector<std::string>{"on", "(+get ~a*)", "( )", "off"}));
  const std::string_view open[] = {"on", "(+get", "off"};
  EXPECT_EQ(merge_selectors(open).unmatched, "(+get");
}

TEST(DecisionTest, OneSelectorMustAllowAllOfIt) {
  const User user = user_of({"+get", "~a*", "(+set", "%W~b*)"});
  EXPECT_EQ(ask(user, {"GET", "a"}), Denial{});
  EXPECT_EQ(ask(user, {"SET", "b", "v"}), Denial{});
  EXPECT_EQ(ask(user, {"GET", "b"}), (Denial{Reason::kKey, 1}));
  EXPECT_EQ(ask(user, {"SET", "a", "v"}), (Denial{Reason::kKey, 1}));
  EXPECT_EQ(ask(user, {"SET", "b", "v", "GET"}), (Denial{Reason::kKey, 1}));
  EXPECT_EQ(ask(user, {"PING"}), (Denial{Reason::kCommand, 0}));
  EXPECT_EQ(ask(user, {"AUTH", "x"}), Denial{});  // anybody may log in
}

TEST(DecisionTest, AnyKey) {
  const std::vector<std::string_view> args = {"GET", "a"};
  const auto may = [&](const User& user, KeyUse use) {
    return may_use_any_key(user, *table().resolve(args), args, use);
  };
  EXPECT_TRUE(may(user_of({"+get", "~*"}), kReadAndWriteKey));
  EXPECT_TRUE(may(user_of({"+get", "%R~*", "~b"}), kReadKey));
  EXPECT_FALSE(may(user_of({"+get", "%R~*", "~b"}), kWriteKey));
  EXPECT_FALSE(may(user_of({"+get", "~a*"}), kReadKey));
  EXPECT_FALSE(may(user_of({"+get", "~a*", "(%R~* +set)"}), kReadKey));
}

TEST(DecisionTest, Channels) {
  const User user = user_of({"&news.*", "(&x)"});
  EXPECT_TRUE(may_use_channel(user, "news.1"));
  EXPECT_TRUE(may_use_channel(user, "x"));
  EXPECT_FALSE(may_use_channel(user, "y"));
  EXPECT_TRUE(may_use_channel_pattern(user, "news.*"));
  EXPECT_FALSE(may_use_channel_pattern(user, "news.1*"));
  EXPECT_TRUE(may_use_channel_pattern(user_of({"allchannels"}), "any*"));
}

TEST(DecisionTest, WhoLosesChannels) {
  const User all = user_of({"allchannels"}), some = user_of({"&a", "(&b)"});
  EXPECT_TRUE(keeps_all_channels(some, all));
  EXPECT_TRUE(keeps_all_channels(some, some));
  EXPECT_TRUE(keeps_all_channels(some, user_of({"(&a)", "&b", "&c"})));
  EXPECT_FALSE(keeps_all_channels(all, some));
  EXPECT_FALSE(keeps_all_channels(some, user_of({"&a"})));
}

// --- the text of a user

void expect_read_back(const User& user) {
  const UserFile file = read_user_file(user_line(user), "users.acl", kScope);
  ASSERT_EQ(file.errors, "") << user_line(user);
  ASSERT_EQ(file.users.size(), 1u);
  EXPECT_EQ(user_line(file.users[0]), user_line(user));
}

TEST(UserTextTest, ReadsBack) {
  expect_read_back(user_of({}));
  expect_read_back(user_of({"on", ">p", "~a*", "%R~b", "&c", "+@all", "-@write", "(+get)", "()"}));
  expect_read_back(user_of({"~\"", "~'x", "&\\", "~a)", "+select|\"0"}));
  // Inside of parentheses quotes and parentheses have a meaning.
  User odd = user_of({});
  odd.selectors.push_back(odd.root());
  for (std::string_view pattern : {"\"a\"", "b)", "c\\", "'d", "(e", ""})
    odd.selectors[1].allow_keys(pattern, kReadKey);
  expect_read_back(odd);
  const UserFile file = read_user_file(user_line(odd), "users.acl", kScope);
  EXPECT_TRUE(file.users[0].selectors[1].allows_key("\"a\"", kReadKey));
  EXPECT_TRUE(file.users[0].selectors[1].allows_key("b)", kReadKey));
}

TEST(UserFileTest, TellsWhatIsWrong) {
  const UserFile file = read_user_file(
      "user a on\n"
      "\n"
      "# comment\n"
      "user\n"
      "user a on\n"
      "user b +nope on nonsense more -nope\n"
      "user c (+get\n",
      "f", kScope);
  EXPECT_TRUE(file.users.empty());
  EXPECT_EQ(file.errors,
            "f:3 should start with user keyword followed by the username. "
            "f:4 should start with user keyword followed by the username. "
            "WARNING: Duplicate user 'a' found on line 5. "
            "f:6: Error in applying operation '+nope': Unknown command or category name in ACL. "
            "f:6: Syntax error. "
            "f:6: Error in applying operation '-nope': Unknown command or category name in ACL. "
            "f:7: Unmatched parenthesis in selector definition."
            "WARNING: ACL errors detected, no change to the previously active ACL rules was "
            "performed");
}

TEST(UserFileTest, BlanksAndEmptyWords) {
  // Two blanks enclose an empty word: a rule that does nothing, or a name.
  const UserFile file = read_user_file("  user a  on \r\n\tuser  off\n", "f", kScope);
  EXPECT_EQ(file.errors, "");
  ASSERT_EQ(file.users.size(), 2u);
  EXPECT_TRUE(file.users[0].enabled);
  EXPECT_EQ(file.users[1].name, "");
}

}  // namespace
}  // namespace millrace::acl
