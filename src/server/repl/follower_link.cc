// The way to the master: dialling, pauses, timeouts, the end of a connection.
#include "server/repl/follower_link.h"

#include <algorithm>

#include "proto/request_writer.h"
#include "server/command/clients.h"
#include "server/command/elapsed.h"
#include "server/observe/log.h"

namespace millrace {

const char* name(FollowerLink::State state) {
  switch (state) {
    case FollowerLink::State::kNone:
      return "none";
    case FollowerLink::State::kConnect:
      return "connect";
    case FollowerLink::State::kConnecting:
      return "connecting";
    case FollowerLink::State::kHandshake:
      return "handshake";
    case FollowerLink::State::kReceiving:
    case FollowerLink::State::kLoading:
      return "sync";
    case FollowerLink::State::kConnected:
      return "connected";
  }
  return "";
}

FollowerLink::FollowerLink(Parts parts, Owner& owner)
    : loop_(parts.loop),
      table_(parts.table),
      services_(parts.services),
      storage_(parts.storage),
      owner_(owner),
      dialer_(parts.loop, parts.seed),
      replayer_(parts.services) {}

FollowerLink::~FollowerLink() {
  loop_.cancel(retry_);
  loop_.cancel(loading_);
}

void FollowerLink::start(MasterAddress master) {
  stop();
  master_ = std::move(master);
  synced_.reset();
  pause_ = kFirstPause;
  down_since_ = loop_.now();
  connect();
}

void FollowerLink::stop() {
  if (state_ == State::kNone) return;
  loop_.cancel(retry_);
  dialer_.cancel(dial_);
  if (resolver_) resolver_->cancel(question_);
  abandon();
  set_state(State::kNone);
}

void FollowerLink::connect() {
  log::notice("Connecting to MASTER {}:{}", master_.host, master_.port);
  set_state(State::kConnecting);
  last_io_ = loop_.now();
  if (auto address = ae::Address::parse(master_.host, master_.port)) return dial({*address});
  if (!resolver_) resolver_ = std::make_unique<ae::Resolver>(loop_);
  const auto asked = resolver_->resolve(
      master_.host, master_.port, [this](ae::Result<std::vector<ae::Address>> found) {
        if (found) return dial(std::move(*found));
        log::warning("Unable to connect to MASTER: {}", found.error().message());
        retry_later();
      });
  if (!asked) return retry_later();
  question_ = *asked;
}

void FollowerLink::dial(std::vector<ae::Address> addresses) {
  log::notice("MASTER <-> REPLICA sync started");
  dial_ = dialer_.dial(std::move(addresses),
                       {.attempt_timeout = ae::Seconds(services_.config.repl_timeout_s)},
                       [this](ae::Result<int> fd) { dialled(std::move(fd)); });
}

void FollowerLink::dialled(ae::Result<int> fd) {
  if (!fd) {
    log::warning("Error condition on socket for SYNC: {}", fd.error().message());
    return retry_later();
  }
  const auto connection = table_.adopt(*fd, *this);
  if (!connection) {
    log::warning("Can't create readable event for SYNC: {}", connection.error().message());
    return retry_later();
  }
  log::notice("Non blocking connect for SYNC fired the event.");
  connection_ = *connection;
  last_io_ = loop_.now();
  handshake_.emplace(owner_.terms());
  set_state(State::kHandshake);
  connection_.send(handshake_->begin());
}

void FollowerLink::retry_later() {
  set_state(State::kConnect);
  retry_ = loop_.add_timer(pause_, [this] { connect(); });
  pause_ = std::min(pause_ * 2, kLongestPause);
}

void FollowerLink::cut() {
  if (connection_.alive()) connection_.close(ae::CloseReason::kRequested);
}

void FollowerLink::fail(std::string_view problem) {
  log::warning("{}", problem);
  connection_.close(ae::CloseReason::kProtocolError);
}

// Whatever was under way on the connection is not any more.
void FollowerLink::abandon() {
  const ae::Connection connection = std::exchange(connection_, {});
  if (connection.alive()) ae::Connection(connection).close(ae::CloseReason::kRequested);
  loop_.cancel(loading_);
  held_bytes_ = 0;
  if (install_) {  // half of the data is here, and none of it may be served
    install_.reset();
    owner_.data_came(std::nullopt);
  }
  handshake_.reset();
  transfer_.reset();
  file_.reset();
  stream_.reset();
  replayer_.abandon_transaction();
}

void FollowerLink::on_closed(ae::Connection connection, ae::CloseReason reason) {
  if (state_ == State::kNone || !(connection.id() == connection_.id())) return;
  log::notice("Connection with master lost. ({})", ae::name(reason));
  abandon();
  retry_later();
}

void FollowerLink::set_state(State state) {
  if (state_ == state) return;
  if (state_ == State::kConnected) down_since_ = loop_.now();
  if (state == State::kConnected) {
    pause_ = kFirstPause;
    up_since_ = loop_.now();
  }
  state_ = state;
  owner_.link_changed();
}

// --- once a second

bool FollowerLink::is_held() const {
  return connection_.alive() && connection_.paused(ae::PauseReason::kBusy);
}

bool FollowerLink::has_timed_out() const {
  return connection_.alive() && !is_held() &&
         seconds_between(last_io_, loop_.now()) > services_.config.repl_timeout_s;
}

void FollowerLink::tick() {
  if (is_held() && !must_hold()) {
    held_bytes_ = 0;
    connection_.resume(ae::PauseReason::kBusy);
  }
  if (state_ == State::kConnected) acknowledge();
  // A master takes an empty line for a sign of life.
  if (state_ == State::kLoading) return connection_.send("\n");
  if (!has_timed_out()) return;
  if (state_ == State::kHandshake) return fail("Timeout connecting to the MASTER...");
  if (state_ == State::kConnected) return fail("MASTER timeout: no data nor PING received...");
  fail(
      "Timeout receiving bulk data from MASTER... If the problem persists try to set the "
      "'repl-timeout' parameter in redis.conf to a larger value.");
}

void FollowerLink::acknowledge() {
  const std::string offset = std::to_string(owner_.applied_offset());
  const AppendOnly& file = services_.append_only;
  if (!file.enabled()) return connection_.send(proto::encode_request({"REPLCONF", "ACK", offset}));
  synced_.update(file, owner_.applied_offset());
  const std::string synced = std::to_string(synced_.value());
  connection_.send(proto::encode_request({"REPLCONF", "ACK", offset, "FACK", synced}));
}

int64_t FollowerLink::seconds_since_io() const {
  return connection_.alive() ? seconds_between(last_io_, loop_.now()) : -1;
}

std::optional<MasterClient> FollowerLink::as_client() const {
  if (!is_up()) return std::nullopt;
  const auto text_of = [](const ae::Result<ae::Address>& address) {
    return address ? address->to_string() : std::string("?:0");
  };
  return MasterClient{.peer = text_of(connection_.peer_address()),
                      .local = text_of(connection_.local_address()),
                      .descriptor = connection_.fd(),
                      .age_s = seconds_between(up_since_, loop_.now()),
                      .idle_s = seconds_since_io(),
                      .db = stream_db(),
                      .unread_bytes = table_.kept_input(connection_.id()),
                      .unsent_bytes = connection_.pending_output()};
}

int64_t FollowerLink::seconds_down() const {
  return is_up() ? 0 : seconds_between(down_since_, loop_.now());
}

}  // namespace millrace
