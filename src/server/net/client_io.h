// From a connection to the request batch: the incoming half of client I/O. Bytes are parsed in
// place, each request is resolved and its key hashed, and the batch is run once a tick, when every
// ready client has been read.
//
//   on_data (many connections) -> batch -> after-events: Executor::run -> flush
//
// A client that has sent nothing, or nothing but whole requests, owns nothing here. One with half a
// request owns a PartialRequest until the rest has come.
//
// Thread: the loop's.
#pragma once

#include <vector>

#include "ae/net/connection_table.h"
#include "proto/request_parser.h"
#include "server/core/executor.h"
#include "server/net/client_door.h"
#include "server/net/client_link.h"
#include "server/net/half_requests.h"
#include "server/net/loop_memory.h"

namespace millrace {

class ClientIo final : public ae::ConnectionHandler {
 public:
  ClientIo(ae::ConnectionTable& table, Services& services, Executor& executor, ClientDoor& door,
           ConnectionLink& link);

  // Takes the descriptor of a newcomer whom the door has nothing against.
  void accept(int fd, Origin origin, Lane lane = Lane::kOrdinary);
  // To be called when the configuration changes.
  void refresh();
  void add_memory(ClientMemory& sum);
  // Runs what has been parsed and sends the replies.
  void run_batch();

  // --- ae::ConnectionHandler
  size_t on_data(ae::Connection connection, ae::MutableBytes data) override;
  void on_half_closed(ae::Connection connection) override;
  void on_hang_up(ae::Connection connection) override;
  void on_closed(ae::Connection connection, ae::CloseReason reason) override;

 private:
  void run_requests();
  void end_half_closed();
  void admit(const Session& session, size_t first_arg);
  void protocol_error(Session& session, ae::MutableBytes rest, std::string_view text);
  const proto::RequestLimits& limits_for(const Session& session) const {
    return session.has(SessionFlag::kAuthenticated) ? limits_ : limits_before_auth_;
  }

  ae::ConnectionTable& table_;
  Services& services_;
  Executor& executor_;
  ClientDoor& door_;
  ConnectionLink& link_;
  RequestBatch batch_;
  ReplyArena replies_;
  proto::RequestLimits limits_, limits_before_auth_;
  HalfRequests halves_;                        // by slot of the connection
  std::vector<ae::ConnectionId> half_closed_;  // since the last batch
};

}  // namespace millrace
