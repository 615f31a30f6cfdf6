// Access control: who the clients are and what they may do.
//
// A session is the default user's until it logs in as another (Session::named_user; the id is in
// its extras). The default user of most servers may do everything: then a request of his is not
// looked at at all, see core/gates.h.
//
// To ask, from anywhere a request is run (the dispatcher, a transaction, a script):
//
//   acl::Denial denial = services.acl.check(session, command, args);
//   if (denial.denied()) ... log_denial(services, session, ...)   // observe/acl_report.h
//
// and for channels that are no arguments of the running request:
//
//   services.acl.may_use_channel(session, channel);           // publish, subscribe
//   services.acl.may_use_channel_pattern(session, pattern);   // psubscribe
//
// Thread: the loop that runs commands.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/callback.h"
#include "server/acl/acl_file.h"
#include "server/acl/acl_log.h"
#include "server/acl/decision.h"
#include "server/acl/users.h"
#include "server/command/clients.h"
#include "server/command/session.h"

namespace millrace {

struct Config;

class Acl {
 public:
  Acl(const CommandTable& commands, const Config& config, Clients& clients);

  // Before clients come: the users of the configuration or of the ACL file. A problem is a sentence
  // for the operator.
  std::optional<std::string> load_configured();

  // --- who
  const acl::Users& users() const { return users_; }
  const acl::User& user_of(const Session& session) const;
  // Whether a client that has not logged in may do nothing. Else it is the default user's.
  bool wants_login() const;
  // Whether requests of the default user must be asked about.
  bool limits_default_user() const { return !users_.default_user().may_everything(); }

  // Whether anything may be denied to this session at all.
  bool limits(const Session& session) const {
    return !session.replays && (session.named_user || limits_default_user());
  }

  // --- may he?
  acl::Denial check(const Session& session, const Command& command,
                    std::span<const std::string_view> args) const {
    return acl::check_request(user_of(session), command, args);
  }
  bool may_use_any_key(const Session& session, const Command& command,
                       std::span<const std::string_view> args, acl::KeyUse use) const {
    return acl::may_use_any_key(user_of(session), command, args, use);
  }
  bool may_use_channel(const Session& session, std::string_view channel) const {
    return acl::may_use_channel(user_of(session), channel);
  }
  bool may_use_channel_pattern(const Session& session, std::string_view pattern) const {
    return acl::may_use_channel_pattern(user_of(session), pattern);
  }

  // --- logging in
  // False: there is no such user, he is off, or the password is wrong.
  bool log_in(Session& session, std::string_view name, std::string_view password);
  // As a client that has just come.
  void log_out(Session& session);

  // --- changes. `current` is the session whose request it is: if it must go, it goes after its
  // reply. Errors are in Redis' words, without "ERR".

  // Adds or changes a user; all of the rules or none.
  std::optional<std::string> set_user(std::string_view name,
                                      std::span<const std::string_view> words, Session& current);
  bool delete_user(std::string_view name, Session& current);
  // requirepass: the default user's only password; empty: he needs none.
  void set_default_password(std::string_view password);

  // ACL LOAD and SAVE. Loading closes all clients but those of the default user.
  std::optional<std::string> load_file(Session& current);
  std::optional<std::string> save_file() const;

  // The users as lines of a configuration file, without the word "user"; none while there is only
  // the default user as he is without such a line.
  std::vector<std::string> configuration_lines() const;

  acl::AclLog& log() { return log_; }
  const acl::AclLog& log() const { return log_; }

  // Called after users have changed, for those who keep a copy of what it means (Gates).
  void on_change(ae::Callback<void()> hook) { on_change_ = std::move(hook); }
  // Whether a client is subscribed to something this user may not use. Set by those who know the
  // subscriptions; asked when a user loses channels.
  using Exceeds = ae::Callback<bool(const Session&, const acl::User&)>;
  void on_narrowed(Exceeds exceeds) { exceeds_ = std::move(exceeds); }

 private:
  acl::RuleScope scope() const;
  acl::User fresh_user(std::string_view name) const;
  std::optional<std::string> load_lines();
  std::optional<std::string> read_file(acl::UserFile& file) const;
  void become(Session& session, UserId id);
  void expel(Session& session, const Session* current);
  void expel_if(const std::function<bool(const Session&)>& leaves, const Session* current);
  void expel_subscribers(const acl::User& before, const acl::User& now, const Session* current);
  void changed() {
    if (on_change_) on_change_();
  }

  const CommandTable& commands_;
  const Config& config_;
  Clients& clients_;
  acl::Users users_;
  acl::AclLog log_;
  ae::Callback<void()> on_change_;
  Exceeds exceeds_;
};

}  // namespace millrace
