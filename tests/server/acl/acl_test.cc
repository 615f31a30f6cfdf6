// Users in a whole server: logging in and out, files, and who must leave.
#include "server/acl/acl.h"

#include <gtest/gtest.h>

#include "server/observe/secrets.h"
#include "tests/server/commands/command_rig.h"
#include "tests/server/config/temporary_directory.h"

namespace millrace {
namespace {

class AclTest : public testing::Test {
 protected:
  std::string run(Session& session, std::vector<std::string_view> args) {
    return rig_.run(session, std::move(args));
  }
  // Before the server has clients.
  std::optional<std::string> configure(std::string_view text) {
    EXPECT_FALSE(rig_.store.load_file(directory_.write("server.conf", text)));
    rig_.acl.set_default_password(rig_.store.config().requirepass);
    return rig_.acl.load_configured();
  }
  bool is_closed(const Session& session) { return rig_.link.clients[session.id].closed; }

  TemporaryDirectory directory_;
  CommandRig rig_;
  Session& admin_ = rig_.connect();
  Session& client_ = rig_.connect();
};

TEST_F(AclTest, WhoIsTheDefaultUserIsNotAskedAbout) {
  const Command& get = *rig_.table.find("get");
  EXPECT_FALSE(rig_.gates.must_ask(get, client_));
  EXPECT_EQ(client_.extras, nullptr);
  run(admin_, {"ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*"});
  EXPECT_EQ(run(client_, {"AUTH", "u", ""}), "+OK\r\n");
  EXPECT_TRUE(rig_.gates.must_ask(get, client_));
  run(client_, {"RESET"});
  EXPECT_FALSE(rig_.gates.must_ask(get, client_));
  EXPECT_EQ(client_.extras, nullptr);
  run(admin_, {"ACL", "SETUSER", "default", "-debug"});
  EXPECT_TRUE(rig_.gates.must_ask(get, client_));
  run(admin_, {"ACL", "SETUSER", "default", "+@all"});
  EXPECT_FALSE(rig_.gates.must_ask(get, client_));
}

TEST_F(AclTest, ADeletedUserLeaves) {
  run(admin_, {"ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*"});
  run(client_, {"AUTH", "u", ""});
  Session& other = rig_.connect();
  run(other, {"AUTH", "u", ""});
  EXPECT_EQ(run(client_, {"ACL", "DELUSER", "u"}), ":1\r\n");
  EXPECT_TRUE(client_.has(SessionFlag::kClosing));  // after its reply
  EXPECT_FALSE(is_closed(client_));
  EXPECT_TRUE(is_closed(other));
  EXPECT_FALSE(other.has(SessionFlag::kAuthenticated));
  EXPECT_FALSE(is_closed(admin_));
}

TEST_F(AclTest, WhoIsSubscribedToWhatHeLosesLeaves) {
  run(admin_, {"ACL", "SETUSER", "u", "on", "nopass", "+@all", "&a", "&b"});
  run(client_, {"AUTH", "u", ""});
  Session& other = rig_.connect();
  run(other, {"AUTH", "u", ""});
  rig_.acl.on_narrowed([&](const Session& session, const acl::User& now) {
    return &session == &other && !acl::may_use_channel(now, "b");
  });
  run(admin_, {"ACL", "SETUSER", "u", "&c"});
  EXPECT_FALSE(is_closed(other));
  run(admin_, {"ACL", "SETUSER", "u", "resetchannels", "&a"});
  EXPECT_TRUE(is_closed(other));
  EXPECT_FALSE(is_closed(client_));
}

// --- the configuration

TEST_F(AclTest, UsersOfTheConfiguration) {
  EXPECT_EQ(configure("requirepass x\nuser alice on >p ~* +@all\nuser bob on nopass (+get ~a)\n"),
            std::nullopt);
  EXPECT_TRUE(rig_.acl.wants_login());
  EXPECT_EQ(run(client_, {"AUTH", "alice", "p"}), "+OK\r\n");
  EXPECT_EQ(run(client_, {"AUTH", "x"}), "+OK\r\n");
  EXPECT_TRUE(rig_.acl.users().find("bob"));
}

TEST_F(AclTest, ALineOfTheDefaultUserStartsFromNothing) {
  EXPECT_EQ(configure("requirepass x\nuser default on nopass +ping\n"), std::nullopt);
  EXPECT_FALSE(rig_.acl.wants_login());
  EXPECT_TRUE(rig_.acl.limits_default_user());
}

TEST_F(AclTest, WhatIsWrongWithALine) {
  EXPECT_EQ(configure("user u +nope\n"),
            "Error loading ACL rule '+nope' for the user named 'u': Unknown command or category "
            "name in ACL");
  CommandRig rig;
  EXPECT_TRUE(rig.store.load_file(directory_.write("b.conf", "user u on\nuser u off\n")));
  EXPECT_FALSE(rig.store.load_file(directory_.write("c.conf", "user u on\naclfile users.acl\n")));
  EXPECT_TRUE(rig.acl.load_configured());  // both
}

TEST_F(AclTest, RewriteKeepsUsers) {
  const std::string path = directory_.path("server.conf");
  configure("port 1\nuser alice on >p ~* +@all\n");
  EXPECT_EQ(run(admin_, {"ACL", "SETUSER", "bob", "on", "nopass", "(+get", "~\"a)"}), "+OK\r\n");
  EXPECT_EQ(run(admin_, {"CONFIG", "REWRITE"}), "+OK\r\n");
  const auto lines = rig_.acl.configuration_lines();
  ASSERT_EQ(lines.size(), 3u);

  CommandRig again;
  EXPECT_FALSE(again.store.load_file(path)) << directory_.read("server.conf");
  EXPECT_EQ(again.acl.load_configured(), std::nullopt);
  EXPECT_EQ(again.acl.configuration_lines(), lines);
  EXPECT_EQ(acl::user_file_text(again.acl.users()), acl::user_file_text(rig_.acl.users()));

  const std::string once = directory_.read("server.conf");
  run(admin_, {"CONFIG", "REWRITE"});
  EXPECT_EQ(directory_.read("server.conf"), once);
}

TEST_F(AclTest, NoLinesForTheDefaultUserAlone) {
  EXPECT_TRUE(rig_.acl.configuration_lines().empty());
  configure("requirepass x\n");
  EXPECT_TRUE(rig_.acl.configuration_lines().empty());
  run(admin_, {"ACL", "SETUSER", "default", ">y"});
  EXPECT_EQ(rig_.acl.configuration_lines().size(), 1u);
}

// --- the ACL file

TEST_F(AclTest, SaveAndLoad) {
  const std::string file = directory_.write("users.acl", "user alice on >p +@all ~*\n");
  EXPECT_EQ(configure("aclfile " + file + "\n"), std::nullopt);
  run(client_, {"AUTH", "alice", "p"});
  EXPECT_EQ(run(admin_, {"ACL", "SETUSER", "bob", "on"}), "+OK\r\n");
  EXPECT_EQ(run(admin_, {"ACL", "SAVE"}), "+OK\r\n");
  EXPECT_EQ(directory_.read("users.acl"), acl::user_file_text(rig_.acl.users()));

  directory_.write("users.acl", "user carol on nopass\nuser alice on >p +@all ~*\n");
  EXPECT_EQ(run(admin_, {"ACL", "LOAD"}), "+OK\r\n");
  EXPECT_TRUE(is_closed(client_));  // as in Redis 7.2, though alice is there again
  EXPECT_FALSE(is_closed(admin_));
  EXPECT_FALSE(rig_.acl.users().find("bob"));
  EXPECT_TRUE(rig_.acl.users().find("carol"));
}

TEST_F(AclTest, ABrokenFileChangesNothing) {
  const std::string file = directory_.write("users.acl", "user alice on nopass\n");
  EXPECT_EQ(configure("aclfile " + file + "\n"), std::nullopt);
  directory_.write("users.acl", "user bob on\nuser alice nonsense\n");
  const std::string reply = run(admin_, {"ACL", "LOAD"});
  EXPECT_TRUE(reply.starts_with("-ERR " + file + ":2: Syntax error. WARNING: ACL errors")) << reply;
  EXPECT_TRUE(rig_.acl.users().find("alice"));
  EXPECT_FALSE(rig_.acl.users().find("bob"));
  std::filesystem::remove(file);
  EXPECT_EQ(run(admin_, {"ACL", "LOAD"}),
            "-ERR Error loading ACLs, opening file '" + file + "': No such file or directory\r\n");
}

// --- being watched

TEST_F(AclTest, TheSlowLogHidesUsers) {
  const Command& setuser = *rig_.table.find("acl|setuser");
  const std::vector<std::string_view> args = {"ACL", "SETUSER", "alice", ">p"};
  ASSERT_TRUE(may_have_secrets(setuser));
  EXPECT_FALSE(is_secret(setuser, args, 1));
  EXPECT_TRUE(is_secret(setuser, args, 2));
  EXPECT_TRUE(is_secret(setuser, args, 3));
}

TEST_F(AclTest, DenialsAreCountedAndLogged) {
  run(admin_, {"ACL", "SETUSER", "u", "on", "nopass", "+get"});
  run(client_, {"AUTH", "u", ""});
  EXPECT_EQ(run(client_, {"GET", "k"}), "-NOPERM No permissions to access a key\r\n");
  EXPECT_EQ(run(client_, {"PING"}),
            "-NOPERM User u has no permissions to run the 'ping' command\r\n");
  const acl::AclLog& log = rig_.acl.log();
  ASSERT_EQ(log.entries().size(), 2u);
  EXPECT_EQ(log.entries()[1].object, "k");
  EXPECT_NE(log.entries()[0].client.find(" cmd=ping user=u "), std::string::npos);
  const std::string info = run(admin_, {"INFO", "stats", "errorstats"});
  EXPECT_NE(info.find("acl_access_denied_cmd:1\r\nacl_access_denied_key:1\r\n"), info.npos);
  EXPECT_NE(info.find("errorstat_NOPERM:count=2"), info.npos);
}

TEST_F(AclTest, KillByUserAndAge) {
  run(admin_, {"ACL", "SETUSER", "u", "on", "nopass", "+@all"});
  run(client_, {"AUTH", "u", ""});
  rig_.advance(10'000);
  Session& young = rig_.connect();
  run(young, {"AUTH", "u", ""});
  EXPECT_EQ(run(admin_, {"CLIENT", "KILL", "USER", "u", "MAXAGE", "10"}), ":1\r\n");
  EXPECT_TRUE(is_closed(client_));
  EXPECT_EQ(run(admin_, {"CLIENT", "KILL", "USER", "u"}), ":1\r\n");
  EXPECT_TRUE(is_closed(young));
}

}  // namespace
}  // namespace millrace
