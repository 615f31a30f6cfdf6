#include "server/net/client_io.h"

#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/observe/monitor_feed.h"

namespace millrace {
namespace {

constexpr std::string_view kTooManyClients = "-ERR max number of clients reached\r\n";
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

ClientIo::ClientIo(ae::ConnectionTable& table, Services& services, Executor& executor,
                   ConnectionLink& link)
    : table_(table), services_(services), executor_(executor), link_(link) {
  refresh();
  table_.set_on_input_full([this] { run_batch(); });
  table_.set_on_flushed([this] { executor_.replies().recycle(); });
  table_.loop().after_events([this] { run_batch(); });
}

void ClientIo::refresh() {
  limits_ = proto::RequestLimits::normal(int64_t(services_.config.proto_max_bulk_len_bytes));
  limits_before_auth_ = proto::RequestLimits::before_auth();
}

void ClientIo::run_batch() {
  executor_.run();
  table_.release_input();
  end_half_closed();
  if (!executor_.replies().used()) return;
  executor_.replies().retire();
  table_.flush();
}

void ClientIo::accept(int fd, Origin origin) {
  if (refuse(fd, origin)) return;
  Session& session = services_.clients.open({}, services_.tick.uptime_s);
  ae::Result<ae::Connection> connection = table_.adopt(fd, *this, session.self.packed());
  if (!connection) {
    log::warning("Error registering fd event for the new client: {}", connection.error().message());
    services_.clients.closed(session.self);
    return;
  }
  session.connection = connection->id();
  if (services_.config.requirepass.empty()) session.set(SessionFlag::kAuthenticated);
  if (origin == Origin::kUnix) session.set(SessionFlag::kUnixSocket);
  if (origin != Origin::kTcp) session.set(SessionFlag::kLocal);
  ++services_.stats.connections_received;
}

bool ClientIo::refuse(int fd, Origin origin) {
  const Config& config = services_.config;
  if (services_.clients.count() >= config.maxclients) {
    refuse_with(fd, kTooManyClients);
    return true;
  }
  if (config.protected_mode && config.requirepass.empty() && origin == Origin::kTcp) {
    refuse_with(fd, kProtectedMode);
    return true;
  }
  return false;
}

// One attempt: a client that cannot take a line into an empty socket buffer is not waited for.
void ClientIo::refuse_with(int fd, std::string_view text) {
  ++services_.stats.connections_rejected;
  table_.loop().os().write(fd, text);
  table_.loop().os().close(fd);
}

size_t ClientIo::on_data(ae::Connection connection, ae::MutableBytes data) {
  Session* session = services_.clients.find(SessionId::unpack(connection.user()));
  if (!session || session->has(SessionFlag::kClosing)) return data.size();

  table_.hold_input();
  RequestBatch& batch = executor_.batch();
  proto::PartialRequest partial = take_partial(*session);
  size_t at = 0;
  while (at < data.size()) {
    const size_t first_arg = batch.args().size();
    const proto::ParseResult parsed =
        proto::parse_request(data.subspan(at), partial, limits_for(*session), batch.args());
    if (parsed.status == proto::ParseStatus::kIncomplete) {
      table_.keep_at_least(connection.id(), data.size() - at + parsed.wanted);
      partials_[session->self.slot] = std::move(partial);
      break;
    }
    if (parsed.status == proto::ParseStatus::kError) {
      protocol_error(*session, data.subspan(at), parsed.error);
      return data.size();
    }
    at += parsed.consumed;
    if (batch.args().size() == first_arg) continue;  // an empty line
    admit(*session, first_arg);
    // AUTH changes the limits of what follows it, so before it requests run one by one.
    if (!batch.full() && session->has(SessionFlag::kAuthenticated)) continue;
    executor_.run();
    if (session->has(SessionFlag::kClosing)) return data.size();
    if (connection.paused(ae::PauseReason::kAdmission)) break;
  }
  return at;
}

proto::PartialRequest ClientIo::take_partial(const Session& session) {
  if (partials_.empty()) return {};
  auto found = partials_.find(session.self.slot);
  if (found == partials_.end()) return {};
  proto::PartialRequest partial = std::move(found->second);
  partials_.erase(found);
  return partial;
}

void ClientIo::admit(const Session& session, size_t first_arg) {
  RequestBatch& batch = executor_.batch();
  Request& request = batch.add();
  request.session = session.self;
  request.first_arg = uint32_t(first_arg);
  request.arg_count = uint32_t(batch.args().size() - first_arg);
  std::span<const std::string_view> args = batch.args_of(request);
  request.command = services_.commands.resolve(args);
  if (!request.command) return;
  const KeySpec& keys = request.command->spec->keys;
  if (keys.kind != KeySpec::Kind::kRange || size_t(keys.first) >= args.size()) return;
  request.keyspace = &services_.databases[session.db];
  request.key_hash = Keyspace::hash(args[size_t(keys.first)]);
}

void ClientIo::protocol_error(Session& session, ae::MutableBytes rest, std::string_view text) {
  executor_.run();  // what came before it is answered before it
  ++services_.stats.protocol_errors;
  log::protocol_error(link_.peer_text(session), {rest.data(), std::min(rest.size(), kLoggedBytes)},
                      text);
  std::string reply = "-ERR Protocol error: ";
  reply.append(text).append("\r\n");
  services_.stats.count_error("ERR");
  link_.push(session, reply);
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

void ClientIo::on_closed(ae::Connection connection, ae::CloseReason) {
  SessionId id = SessionId::unpack(connection.user());
  Session* session = services_.clients.find(id);
  if (!session) return;
  link_.forget(*session);
  partials_.erase(id.slot);
  services_.monitors.remove(id);
  services_.clients.closed(id);
}

}  // namespace millrace
