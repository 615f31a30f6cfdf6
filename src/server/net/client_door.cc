#include "server/net/client_door.h"

#include <algorithm>

#include "server/acl/acl.h"
#include "server/command/clients.h"
#include "server/config/config.h"
#include "server/observe/log.h"

namespace millrace {
namespace {

constexpr std::string_view kTooManyClients = "-ERR max number of clients reached\r\n";
constexpr std::string_view kTooManyAdmins = "-ERR max number of admin clients reached\r\n";
constexpr std::string_view kProtectedMode =
    "-DENIED Millrace is running in protected mode because protected mode is enabled and no "
    "password "
    "is set for the default user. In this mode connections are only accepted from the loopback "
    "interface. If you want to connect from external computers, you may adopt one of the following "
    "solutions: 1) Disable protected mode by sending the command 'CONFIG SET protected-mode no' "
    "from "
    "the loopback interface by connecting from the same host the server is running on; make sure "
    "the "
    "server is not publicly accessible from the internet if you do so. 2) Disable protected mode "
    "by "
    "setting 'protected-mode no' in the configuration file and restarting the server. 3) If you "
    "started the server manually, restart it with the '--protected-mode no' option. 4) Set up an "
    "authentication password for the default user. NOTE: You only need to do one of the above "
    "things in order for the server to start accepting connections from the outside.\r\n";

// How much of an offending request goes to the log.
constexpr size_t kLoggedBytes = 128;

}  // namespace

std::string_view ClientDoor::refusal(Origin origin, Lane lane) {
  const Config& config = services_.config;
  std::string_view line;
  if (is_full(lane)) {
    line = lane == Lane::kAdmin ? kTooManyAdmins : kTooManyClients;
  } else if (config.protected_mode && origin == Origin::kTcp &&
             services_.acl.users().default_user().no_password) {
    line = kProtectedMode;
  }
  if (!line.empty()) ++services_.stats.connections_rejected;
  return line;
}

bool ClientDoor::is_full(Lane lane) const {
  const Clients& clients = services_.clients;
  if (lane == Lane::kAdmin) return clients.admin_count() >= kMaxAdminClients;
  return clients.count() - clients.admin_count() >= services_.config.maxclients;
}

Session& ClientDoor::admit(Origin origin, Lane lane) {
  Session& session = services_.clients.open(services_.tick.uptime_s);
  if (!services_.acl.wants_login()) session.set(SessionFlag::kAuthenticated);
  if (origin == Origin::kUnix) session.set(SessionFlag::kUnixSocket);
  if (origin != Origin::kTcp) session.set(SessionFlag::kLocal);
  if (lane == Lane::kAdmin) services_.clients.mark_admin(session);
  ++services_.stats.connections_received;
  return session;
}

std::string ClientDoor::protocol_error(Session& session, std::string_view bytes,
                                       std::string_view text) {
  ++services_.stats.protocol_errors;
  services_.stats.count_error("ERR");
  log::protocol_error(services_.clients.link().peer_text(session), bytes.substr(0, kLoggedBytes),
                      text);
  return std::string("-ERR Protocol error: ").append(text).append("\r\n");
}

void ClientDoor::left(SessionId id) {
  services_.clients.closed(id);
}

}  // namespace millrace
