#include "server/acl/acl.h"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>

#include "ae/base/assert.h"
#include "server/command/session_extras.h"
#include "server/config/atomic_file.h"
#include "server/config/config.h"
#include "server/config/config_file.h"
#include "server/config/text.h"

namespace millrace {
namespace {

using acl::User;

constexpr std::string_view kBothSources =
    "Users are defined in the configuration (user ...) and in an ACL file (aclfile): one of both "
    "must go, or nobody could say which holds.";

// Redis prints them as C strings.
std::string_view up_to_nul(std::string_view text) {
  return text.substr(0, text.find('\0'));
}

// Each word by itself is quoted where it needs to be, as everywhere in a configuration. A selector
// is cut at its blanks, as Redis writes it.
std::string configuration_line(const User& user) {
  std::string line = quoted_word(user.name);
  std::string_view text;
  for (const std::string& word : user.words()) {
    text = word;
    for (size_t end = 0; end != text.npos; text.remove_prefix(std::min(end + 1, text.size()))) {
      end = text.find(' ');
      line.append(" ").append(quoted_word(text.substr(0, end)));
    }
  }
  return line;
}

// A relative path starts at `dir`.
std::string path_of_file(const Config& config) {
  return (std::filesystem::path(config.dir) / config.aclfile).string();
}

void give_default_password(User& user, std::string_view password, const acl::RuleScope& scope) {
  const std::string rule = password.empty() ? "nopass" : ">" + std::string(password);
  (void)acl::apply_rule(user, "resetpass", scope);
  (void)acl::apply_rule(user, rule, scope);
}

}  // namespace

Acl::Acl(const CommandTable& commands, const Config& config, Clients& clients)
    : commands_(commands), config_(config), clients_(clients), users_(commands) {
  set_default_password(config.requirepass);
}

acl::RuleScope Acl::scope() const {
  return {commands_, config_.acl_pubsub_default};
}

User Acl::fresh_user(std::string_view name) const {
  return User(std::string(name), commands_, config_.acl_pubsub_default);
}

// --- who

const User& Acl::user_of(const Session& session) const {
  if (!session.named_user) return users_.default_user();
  const User* user = users_.find(session.extras->user);
  AE_ASSERT(user);  // expel() comes before a user goes
  return *user;
}

bool Acl::wants_login() const {
  const User& user = users_.default_user();
  return !user.no_password || !user.enabled;
}

void Acl::become(Session& session, UserId id) {
  const bool named = id.valid() && id != users_.id_of(acl::kDefaultUser);
  if (!named && !session.named_user) return;
  clients_.change_extras(session,
                         [&](SessionExtras& extras) { extras.user = named ? id : UserId{}; });
  session.named_user = named;
}

bool Acl::log_in(Session& session, std::string_view name, std::string_view password) {
  const User* user = users_.find(name);
  if (!user || !user->accepts(password)) return false;
  become(session, users_.id_of(name));
  session.set(SessionFlag::kAuthenticated);
  return true;
}

void Acl::log_out(Session& session) {
  become(session, {});
  wants_login() ? session.clear(SessionFlag::kAuthenticated)
                : session.set(SessionFlag::kAuthenticated);
}

// --- sending clients away

// Whoever goes is nobody from here on, whatever else still happens to his session.
void Acl::expel(Session& session, const Session* current) {
  become(session, {});
  session.clear(SessionFlag::kAuthenticated);
  if (&session == current) {
    session.set(SessionFlag::kClosing);  // its reply is still to be delivered
  } else {
    clients_.link().close_now(session);
  }
}

void Acl::expel_if(const std::function<bool(const Session&)>& leaves, const Session* current) {
  clients_.each([&](Session& session) {
    if (leaves(session)) expel(session, current);
  });
}

void Acl::expel_subscribers(const User& before, const User& now, const Session* current) {
  if (!exceeds_ || acl::keeps_all_channels(before, now)) return;
  const User* user = users_.find(now.name);
  expel_if(
      [&](const Session& session) { return &user_of(session) == user && exceeds_(session, now); },
      current);
}

// --- changes

std::optional<std::string> Acl::set_user(std::string_view name,
                                         std::span<const std::string_view> words,
                                         Session& current) {
  const acl::MergedRules merged = acl::merge_selectors(words);
  if (merged.unmatched)
    return fmt::format("Unmatched parenthesis in acl selector starting at '{}'.",
                       up_to_nul(*merged.unmatched));
  const User* known = users_.find(name);
  User user = known ? *known : fresh_user(name);
  if (auto bad = acl::apply_rules(user, merged.rules, scope()))
    return fmt::format("Error in ACL SETUSER modifier '{}': {}", up_to_nul(bad->rule),
                       acl::text_of(bad->error));
  if (known) expel_subscribers(*known, user, &current);
  users_.put(std::move(user));
  changed();
  return std::nullopt;
}

bool Acl::delete_user(std::string_view name, Session& current) {
  const User* user = users_.find(name);
  if (!user || name == acl::kDefaultUser) return false;
  expel_if([&](const Session& session) { return &user_of(session) == user; }, &current);
  users_.erase(name);
  changed();
  return true;
}

void Acl::set_default_password(std::string_view password) {
  User user = users_.default_user();
  give_default_password(user, password, scope());
  users_.put(std::move(user));
  changed();
}

// --- files

std::optional<std::string> Acl::load_configured() {
  if (!config_.aclfile.empty() && !config_.users.empty()) return std::string(kBothSources);
  if (auto problem = load_lines()) return problem;
  if (config_.aclfile.empty()) return std::nullopt;
  acl::UserFile file;
  if (auto problem = read_file(file)) return "Aborting startup because of ACL errors: " + *problem;
  for (User& user : file.users) users_.put(std::move(user));
  changed();
  return std::nullopt;
}

std::optional<std::string> Acl::load_lines() {
  for (const std::string& line : config_.users) {
    const auto words = split_words(line);
    AE_ASSERT(words && !words->empty());  // the directive has checked it
    const std::vector<std::string_view> rules(words->begin() + 1, words->end());
    const acl::MergedRules merged = acl::merge_selectors(rules);
    if (merged.unmatched)
      return fmt::format("Error in the declaration of user '{}': Unmatched parenthesis at '{}'",
                         (*words)[0], *merged.unmatched);
    User user = fresh_user((*words)[0]);
    if (auto bad = acl::apply_rules(user, merged.rules, scope()))
      return fmt::format("Error loading ACL rule '{}' for the user named '{}': {}", bad->rule,
                         user.name, acl::text_of(bad->error));
    users_.put(std::move(user));
  }
  changed();
  return std::nullopt;
}

std::optional<std::string> Acl::read_file(acl::UserFile& file) const {
  const ae::Result<std::string> bytes = read_whole_file(path_of_file(config_));
  if (!bytes)
    return fmt::format("Error loading ACLs, opening file '{}': {}", config_.aclfile,
                       std::strerror(bytes.error().code));
  file = acl::read_user_file(*bytes, config_.aclfile, scope());
  if (!file.errors.empty()) return file.errors;
  return std::nullopt;
}

std::optional<std::string> Acl::load_file(Session& current) {
  acl::UserFile file;
  if (auto problem = read_file(file)) return problem;
  const auto is_named = [](const Session& session) { return session.named_user; };
  expel_if(is_named, &current);
  // Who is not in the file is gone; the default user is as new.
  std::vector<std::string> names;
  users_.each([&](const User& user) { names.push_back(user.name); });
  for (const std::string& name : names) users_.erase(name);
  const User before = users_.default_user();
  User new_default = acl::make_default_user(commands_);
  for (User& user : file.users) {
    if (user.name == acl::kDefaultUser) {
      new_default = std::move(user);
    } else {
      users_.put(std::move(user));
    }
  }
  expel_subscribers(before, new_default, &current);
  users_.put(std::move(new_default));
  changed();
  return std::nullopt;
}

std::optional<std::string> Acl::save_file() const {
  const std::string text = acl::user_file_text(users_);
  if (text.size() > kMaxConfigFileBytes) return "ACL LOAD would refuse a file of this size";
  const ae::Status saved = replace_file(path_of_file(config_), text);
  if (saved) return std::nullopt;
  return saved.error().message();
}

std::vector<std::string> Acl::configuration_lines() const {
  User usual = acl::make_default_user(commands_);
  give_default_password(usual, config_.requirepass, scope());
  if (users_.size() == 1 && users_.default_user().text() == usual.text()) return {};
  std::vector<std::string> lines;
  users_.each([&](const User& user) { lines.push_back(configuration_line(user)); });
  return lines;
}

}  // namespace millrace
