// Who comes in and who has left: what is asked of a newcomer, the session he gets, and what is
// tidied up behind one who is gone. It knows no socket, so it serves the loop's own connections and
// those of IO threads alike.
//
// Thread: the one that runs commands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/command/services.h"
#include "server/command/session.h"

namespace millrace {

enum class Origin : uint8_t { kTcp, kLoopback, kUnix };
enum class Lane : uint8_t { kOrdinary, kAdmin };

class ClientDoor {
 public:
  explicit ClientDoor(Services& services) : services_(services) {}

  // The line for a newcomer who may not come in (maxclients, protected mode), and he is counted as
  // refused. Empty: he may. The admin lane has a limit of its own, kMaxAdminClients.
  std::string_view refusal(Origin origin, Lane lane = Lane::kOrdinary);
  // The session of one who may; its connection and thread are the caller's to fill in.
  Session& admit(Origin origin, Lane lane = Lane::kOrdinary);
  // What he sent is not RESP: counted and logged. Returns the line he gets before he is closed.
  std::string protocol_error(Session& session, std::string_view bytes, std::string_view text);
  // His connection has ended, or never came to be.
  void left(SessionId id);

 private:
  bool is_full(Lane lane) const;

  Services& services_;
};

}  // namespace millrace
