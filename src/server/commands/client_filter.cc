#include "server/commands/client_filter.h"

#include <algorithm>
#include <string>

#include "ae/base/decimal.h"
#include "server/acl/acl.h"

namespace millrace {
namespace {

constexpr std::string_view kBadClientId = "ERR client-id should be greater than 0";

std::string_view read_user(ArgReader& args, const acl::Users& users) {
  const std::string_view user = args.word();
  if (!users.find(user)) args.error("ERR No such user '" + std::string(user) + "'");
  return user;
}

uint32_t read_age(ArgReader& args) {
  const int64_t seconds = args.integer("ERR maxage is not an integer or out of range");
  if (seconds < 1) args.error("ERR maxage should be greater than 0");
  return uint32_t(std::min<int64_t>(seconds, UINT32_MAX));
}

bool read_yes_or_no(ArgReader& args) {
  if (args.take("yes")) return true;
  if (!args.take("no")) args.syntax_error();
  return false;
}

}  // namespace

ClientType read_client_type(ArgReader& args) {
  if (args.take("normal")) return ClientType::kNormal;
  if (args.take("master")) return ClientType::kMaster;
  if (args.take("replica") || args.take("slave")) return ClientType::kReplica;
  if (args.take("pubsub")) return ClientType::kPubSub;
  args.error("ERR Unknown client type '" + std::string(args.peek()) + "'");
  return ClientType::kNormal;
}

ClientType type_of(const Session& session) {
  if (session.replica) return ClientType::kReplica;
  return session.has(SessionFlag::kSubscribed) ? ClientType::kPubSub : ClientType::kNormal;
}

bool ClientFilter::read(ArgReader& args, const acl::Users& users) {
  while (args.more()) {
    if (args.take("ID", 1)) {
      const int64_t number = args.integer(kBadClientId);
      if (number < 1) args.error(kBadClientId);
      id = uint64_t(number);
    } else if (args.take("TYPE", 1)) {
      type = read_client_type(args);
    } else if (args.take("ADDR", 1)) {
      peer = args.word();
    } else if (args.take("LADDR", 1)) {
      local = args.word();
    } else if (args.take("USER", 1)) {
      user = read_user(args, users);
    } else if (args.take("MAXAGE", 1)) {
      oldest_s = read_age(args);
    } else if (args.take("SKIPME", 1)) {
      skip_self = read_yes_or_no(args);
    } else {
      args.syntax_error();
    }
  }
  return args.finish();
}

bool ClientFilter::matches(Context& c, const Session& session) const {
  ClientLink& link = c.services().clients.link();
  if (skip_self && &session == &c.session()) return false;
  if (id && session.id != *id) return false;
  if (user && c.services().acl.user_of(session).name != *user) return false;
  if (oldest_s && c.services().tick.uptime_s - session.created_s < *oldest_s) return false;
  if (type && type_of(session) != *type) return false;
  if (peer && link.peer_text(session) != *peer) return false;
  return !local || link.local_text(session) == *local;
}

}  // namespace millrace
