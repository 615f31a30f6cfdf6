#include "server/repl/migration.h"

#include "proto/request_writer.h"
#include "server/command/blocking.h"
#include "server/command/clients.h"
#include "server/command/number_text.h"
#include "server/db/value.h"

namespace millrace {
namespace {

constexpr std::string_view kCannotConnect = "IOERR error or timeout connecting to the client";
constexpr std::string_view kSilent = "IOERR error or timeout reading to target instance";

// As the target shall have it: a time of expiry that has come leaves a moment, as in Redis.
int64_t time_to_live(const MigratingKey& key, int64_t now_ms) {
  return key.expire_at_ms == kNoExpiry ? 0 : std::max<int64_t>(key.expire_at_ms - now_ms, 1);
}

}  // namespace

Migration::Migration(Parts parts, uint64_t number, MigrationTarget target,
                     std::vector<MigratingKey> keys, Done done)
    : parts_(parts),
      number_(number),
      target_(std::move(target)),
      keys_(std::move(keys)),
      done_(std::move(done)) {
  resolve();
  watch_silence();
}

Migration::~Migration() {
  parts_.loop.cancel(silence_);
  parts_.dialer.cancel(dial_);
  if (parts_.resolver) parts_.resolver->cancel(question_);
  state_ = State::kDone;
  if (connection_.alive()) connection_.close(ae::CloseReason::kRequested);
}

// --- the way there

void Migration::resolve() {
  if (auto address = ae::Address::parse(target_.host, target_.port)) return dial({*address});
  if (!parts_.resolver) parts_.resolver = std::make_unique<ae::Resolver>(parts_.loop);
  auto asked = parts_.resolver->resolve(target_.host, target_.port,
                                        [this](ae::Result<std::vector<ae::Address>> found) {
                                          if (found) return dial(std::move(*found));
                                          fail(std::string(kCannotConnect));
                                        });
  if (asked) question_ = *asked;  // else it will be silence
}

void Migration::dial(std::vector<ae::Address> addresses) {
  dial_ = parts_.dialer.dial(std::move(addresses),
                             {.attempt_timeout = ae::Milliseconds(target_.timeout_ms)},
                             [this](ae::Result<int> fd) { dialled(std::move(fd)); });
}

void Migration::dialled(ae::Result<int> fd) {
  if (!fd) return fail(std::string(kCannotConnect));
  const auto connection = parts_.table.adopt(*fd, parts_.handler);
  if (!connection) return fail(std::string(kCannotConnect));
  connection_ = *connection;
  connection_.set_user(number_);
  state_ = State::kTalking;
  introduce();
  send_keys();
}

// --- what is said

void Migration::introduce() {
  if (!target_.password.empty()) {
    ++introductions_;
    connection_.send(target_.user.empty()
                         ? proto::encode_request({"AUTH", target_.password})
                         : proto::encode_request({"AUTH", target_.user, target_.password}));
  }
  ++introductions_;
  connection_.send(proto::encode_request({"SELECT", NumberText(int64_t{target_.db})}));
}

void Migration::send_keys() {
  ++rounds_;
  next_reply_ = 0;
  const int64_t now_ms = parts_.loop.unix_ms();
  for (const MigratingKey& key : keys_) {
    const NumberText ttl(time_to_live(key, now_ms));
    const bool replace = target_.replace || rounds_ > 1;
    connection_.send(replace
                         ? proto::encode_request({"RESTORE", key.name, ttl, key.payload, "REPLACE"})
                         : proto::encode_request({"RESTORE", key.name, ttl, key.payload}));
  }
  watch_silence();
}

void Migration::again(std::vector<MigratingKey> keys) {
  keys_ = std::move(keys);
  if (!connection_.alive()) return fail(std::string(kSilent));
  state_ = State::kTalking;
  send_keys();
}

// --- what is answered

void Migration::answered(ae::Bytes left) {
  watch_silence();
  while (!left.empty() && state_ == State::kTalking) {
    const proto::ReplyResult result = parser_.feed(left);
    if (result.status == proto::ReplyStatus::kError) return fail(std::string(kSilent));
    left.remove_prefix(result.consumed);
    if (result.status == proto::ReplyStatus::kReply) take_reply(parser_.take());
  }
}

void Migration::take_reply(const proto::ReplyValue& reply) {
  if (reply.is_error() && error_.empty())
    error_ = "ERR Target instance replied with error: " + reply.text;
  if (introductions_ > 0) {
    --introductions_;
    if (reply.is_error()) fail(error_);
    return;
  }
  keys_[next_reply_].arrived = !reply.is_error();
  if (++next_reply_ == keys_.size()) finish();
}

void Migration::fail(std::string error) {
  if (state_ == State::kDone) return;
  if (error_.empty()) error_ = std::move(error);
  if (connection_.alive()) connection_.close(ae::CloseReason::kRequested);
  finish();
}

void Migration::finish() {
  state_ = State::kDone;
  parts_.loop.cancel(silence_);
  done_();
}

void Migration::lost() {
  fail(std::string(kSilent));
}

void Migration::watch_silence() {
  parts_.loop.cancel(silence_);
  silence_ = parts_.loop.add_timer(ae::Milliseconds(target_.timeout_ms), [this] {
    fail(std::string(state_ == State::kDialling ? kCannotConnect : kSilent));
  });
}

// --- all of them

Migrations::Migrations(ae::EventLoop& loop, ae::ConnectionTable& table, Services& services,
                       uint64_t seed)
    : services_(services), dialer_(loop, seed), parts_{loop, table, dialer_, *this, resolver_} {
  services_.clients.on_leave([this](Session& session) { forget(session.self); });
}

Migration* Migrations::find(SessionId session) {
  const auto found = of_.find(session.packed());
  return found == of_.end() ? nullptr : found->second.get();
}

void Migrations::start(SessionId session, MigrationTarget target, std::vector<MigratingKey> keys) {
  of_[session.packed()] =
      std::make_unique<Migration>(parts_, session.packed(), std::move(target), std::move(keys),
                                  [this, session] { services_.blocking.retry(session); });
}

// Of one that was forgotten, the connection is on its way out.
size_t Migrations::on_data(ae::Connection connection, ae::MutableBytes data) {
  Migration* migration = find(SessionId::unpack(connection.user()));
  if (migration && migration->is_on(connection)) migration->answered({data.data(), data.size()});
  return data.size();
}

void Migrations::on_closed(ae::Connection connection, ae::CloseReason) {
  Migration* migration = find(SessionId::unpack(connection.user()));
  if (migration && migration->is_on(connection)) migration->lost();
}

}  // namespace millrace
