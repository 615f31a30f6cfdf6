#include "server/commands/acl_answers.h"

#include <algorithm>
#include <string>

#include "ae/base/decimal.h"
#include "server/acl/acl.h"
#include "server/acl/password.h"
#include "server/command/categories.h"

namespace millrace {
namespace {

using proto::ReplyWriter;

const acl::Users& users_of(Context& c) {
  return c.services().acl.users();
}

void reply_selector(ReplyWriter& reply, const acl::Selector& selector) {
  reply.bulk("commands");
  reply.bulk(selector.commands.text());
  reply.bulk("keys");
  reply.bulk(selector.keys_text());
  reply.bulk("channels");
  reply.bulk(selector.channels_text());
}

void reply_user(ReplyWriter& reply, const acl::User& user) {
  reply.map(6);
  reply.bulk("flags");
  const auto flags = user.flags();
  reply.set(flags.size());
  for (std::string_view flag : flags) reply.bulk(flag);
  reply.bulk("passwords");
  reply.array(user.passwords.size());
  for (const std::string& hash : user.passwords) reply.bulk(hash);
  reply_selector(reply, user.root());
  reply.bulk("selectors");
  reply.array(user.selectors.size() - 1);
  for (const acl::Selector& selector : std::span(user.selectors).subspan(1)) {
    reply.map(3);
    reply_selector(reply, selector);
  }
}

}  // namespace

// ACL WHOAMI
void acl_whoami(Context& c) {
  c.reply().bulk(c.services().acl.user_of(c.session()).name);
}

// ACL USERS
void acl_users(Context& c) {
  c.reply().array(users_of(c).size());
  users_of(c).each([&](const acl::User& user) { c.reply().bulk(user.name); });
}

// ACL LIST
void acl_list(Context& c) {
  c.reply().array(users_of(c).size());
  users_of(c).each([&](const acl::User& user) { c.reply().bulk(acl::user_line(user)); });
}

// ACL GETUSER username
void acl_getuser(Context& c) {
  const acl::User* user = users_of(c).find(c.arg(2));
  user ? reply_user(c.reply(), *user) : c.reply().null();
}

// --- ACL CAT

void reply_categories(ReplyWriter& reply) {
  reply.array(kCategories);
  for (int i = 0; i < kCategories; ++i) reply.bulk(category_name(Category(i)));
}

// ACL CAT [category]
void acl_cat(Context& c) {
  if (c.arg_count() > 3) return c.fail(errors::unknown_subcommand_or_arity("acl", c.arg(1)));
  if (c.arg_count() == 2) return reply_categories(c.reply());
  const std::optional<Category> category = find_category(c.arg(2));
  if (!category)
    return c.fail("ERR Unknown category '" + std::string(c.arg(2).substr(0, 128)) + "'");
  const CommandTable& table = c.services().commands;
  const auto deferred = c.reply().defer_array();
  size_t count = 0;
  for (size_t id = 0; id < table.size(); ++id) {
    const Command& command = table.by_id(uint16_t(id));
    if (!categories_of(command).has(*category)) continue;
    c.reply().bulk(command.full_name);
    ++count;
  }
  c.reply().finish(deferred, count);
}

// --- ACL GENPASS

constexpr int64_t kMaxPasswordBits = 4096;
constexpr int64_t kUsualPasswordBits = 256;

// ACL GENPASS [bits]
void acl_genpass(Context& c) {
  if (c.arg_count() > 3) return c.fail(errors::unknown_subcommand_or_arity("acl", c.arg(1)));
  int64_t bits = kUsualPasswordBits;
  if (c.arg_count() == 3) {
    const std::optional<int64_t> asked = ae::parse_int64(c.arg(2));
    if (!asked) return c.fail(errors::kNotInteger);
    bits = *asked;
  }
  if (bits < 1 || bits > kMaxPasswordBits)
    return c.fail(
        "ERR ACL GENPASS argument must be the number of bits for the output password, a positive "
        "number up to 4096");
  c.reply().bulk(acl::random_hex(size_t(bits + 3) / 4));
}

// --- ACL DRYRUN

// ACL DRYRUN username command [arg [arg ...]]
void acl_dryrun(Context& c) {
  const acl::User* user = users_of(c).find(c.arg(2));
  if (!user) return c.fail("ERR User '" + std::string(c.arg(2)) + "' not found");
  const auto request = c.args().subspan(3);
  const Command* command = c.services().commands.resolve(request);
  const bool misses_subcommand = command && !command->spec->handler && request.size() > 1;
  if (!command || misses_subcommand)
    return c.fail("ERR Command '" + std::string(request[0]) + "' not found");
  if (!command->spec->takes(request.size())) return c.fail(errors::wrong_arity(command->full_name));
  const acl::Denial denial = acl::check_request(*user, *command, request);
  if (!denial.denied()) return c.reply().ok();
  c.reply().bulk(acl::text_of(denial, *user, *command, request, acl::Detail::kVerbose));
}

// --- ACL LOG

constexpr int64_t kUsualLogEntries = 10;

void reply_entry(Context& c, const acl::AclLog::Entry& entry) {
  ReplyWriter& reply = c.reply();
  const auto text = [&](std::string_view name, std::string_view value) {
    reply.bulk(name);
    reply.bulk(value);
  };
  const auto number = [&](std::string_view name, int64_t value) {
    reply.bulk(name);
    reply.integer(value);
  };
  reply.map(10);
  number("count", int64_t(entry.count));
  text("reason", acl::name_of(entry.what));
  text("context", acl::name_of(entry.place));
  text("object", entry.object);
  text("username", entry.user);
  reply.bulk("age-seconds");
  reply.real(double(c.now_ms() - entry.updated_ms) / 1000);
  text("client-info", entry.client);
  number("entry-id", int64_t(entry.id));
  number("timestamp-created", entry.created_ms);
  number("timestamp-last-updated", entry.updated_ms);
}

// ACL LOG [count | RESET]
void acl_log(Context& c) {
  if (c.arg_count() > 3) return c.fail(errors::unknown_subcommand_or_arity("acl", c.arg(1)));
  acl::AclLog& log = c.services().acl.log();
  int64_t count = kUsualLogEntries;
  if (c.arg_count() == 3) {
    if (equals_ignoring_case(c.arg(2), "RESET")) return log.reset(), c.reply().ok();
    const std::optional<int64_t> asked = ae::parse_int64(c.arg(2));
    if (!asked) return c.fail(errors::kNotInteger);
    count = std::max<int64_t>(*asked, 0);
  }
  const size_t shown = std::min(size_t(count), log.entries().size());
  c.reply().array(shown);
  for (size_t i = 0; i < shown; ++i) reply_entry(c, log.entries()[i]);
}

}  // namespace millrace
