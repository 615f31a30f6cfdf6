#include "server/net/client_io.h"

#include "server/command/heartbeats.h"
#include "server/config/config.h"
#include "server/observe/log.h"

namespace millrace {

ClientIo::ClientIo(ae::ConnectionTable& table, Services& services, Executor& executor,
                   ClientDoor& door, ConnectionLink& link)
    : table_(table), services_(services), executor_(executor), door_(door), link_(link) {
  refresh();
  table_.set_on_input_full([this] { run_batch(); });
  table_.set_on_flushed([this] { replies_.recycle(); });
  // What is remembered of a half request counts from a byte that is the first no longer.
  link_.set_on_unread([this](ae::ConnectionId id) { halves_.forget(id.slot); });
  table_.loop().after_events([this] { run_batch(); });
}

void ClientIo::refresh() {
  limits_ = proto::RequestLimits::normal(int64_t(services_.config.proto_max_bulk_len_bytes));
  limits_before_auth_ = proto::RequestLimits::before_auth();
  link_.refresh();
}

void ClientIo::add_memory(ClientMemory& sum) {
  add_loop_memory(sum, table_);
  sum.reply_arena += replies_.memory_bytes();
  sum.lists += batch_.memory_bytes();
}

void ClientIo::run_batch() {
  run_requests();
  table_.release_input();
  end_half_closed();
  if (!replies_.used()) return;
  replies_.retire();
  table_.flush();
}

void ClientIo::run_requests() {
  executor_.run(batch_, replies_);
  batch_.clear();
}

void ClientIo::accept(int fd, Origin origin, Lane lane) {
  const ae::Priority priority =
      lane == Lane::kAdmin ? ae::Priority::kUrgent : ae::Priority::kNormal;
  Session& session = door_.admit(origin, lane);
  ae::Result<ae::Connection> connection = table_.adopt(fd, *this, session.self.packed(), priority);
  if (!connection) {
    log::warning("Error registering fd event for the new client: {}", connection.error().message());
    return door_.left(session.self);
  }
  session.connection = connection->id();
}

size_t ClientIo::on_data(ae::Connection connection, ae::MutableBytes data) {
  Session* session = services_.clients.find(SessionId::unpack(connection.user()));
  if (!session || session->has(SessionFlag::kClosing)) return data.size();

  table_.hold_input();
  proto::PartialRequest partial = halves_.take(connection.id().slot);
  size_t at = 0;
  while (at < data.size()) {
    const size_t first_arg = batch_.args().size();
    const proto::ParseResult parsed =
        proto::parse_request(data.subspan(at), partial, limits_for(*session), batch_.args());
    if (parsed.status == proto::ParseStatus::kIncomplete) {
      table_.keep_at_least(connection.id(), data.size() - at + parsed.wanted);
      halves_.put(connection.id().slot, std::move(partial));
      break;
    }
    if (parsed.status == proto::ParseStatus::kError) {
      protocol_error(*session, data.subspan(at), parsed.error);
      return data.size();
    }
    at += parsed.consumed;
    if (batch_.args().size() == first_arg) continue;  // an empty line
    admit(*session, first_arg);
    // AUTH changes the limits of what follows it, so before it requests run one by one.
    if (!batch_.full() && session->has(SessionFlag::kAuthenticated)) continue;
    run_requests();
    if (session->has(SessionFlag::kClosing)) return data.size();
    if (connection_facts::is_suspended(connection)) break;
  }
  return at;
}

void ClientIo::admit(const Session& session, size_t first_arg) {
  Request& request = batch_.add();
  request.session = session.self;
  request.first_arg = uint32_t(first_arg);
  request.arg_count = uint32_t(batch_.args().size() - first_arg);
  resolve(request, batch_.args_of(request), services_.commands);
  if (request.key_hash != 0) request.keyspace = &services_.databases[session.db];
}

void ClientIo::protocol_error(Session& session, ae::MutableBytes rest, std::string_view text) {
  run_requests();  // what came before it is answered before it
  link_.push(session, door_.protocol_error(session, {rest.data(), rest.size()}, text));
  link_.close_after_reply(session);
}

// What was read before the FIN has not run yet: the connection ends with the batch, behind its
// replies.
void ClientIo::on_half_closed(ae::Connection connection) {
  half_closed_.push_back(connection.id());
}

void ClientIo::end_half_closed() {
  for (ae::ConnectionId id : half_closed_)
    table_.find(id).close_after_flush(ae::CloseReason::kPeerClosed);
  half_closed_.clear();
}

// Nobody waits any more for the key that the client waited for.
void ClientIo::on_hang_up(ae::Connection connection) {
  connection.close(ae::CloseReason::kPeerClosed);
}

void ClientIo::on_closed(ae::Connection connection, ae::CloseReason) {
  halves_.forget(connection.id().slot);
  link_.forget(connection.id());
  door_.left(SessionId::unpack(connection.user()));
}

}  // namespace millrace
