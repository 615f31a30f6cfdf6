#include "server/repl/follower_handshake.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "proto/request_writer.h"
#include "server/repl/replication_id.h"

namespace millrace {
namespace {

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What a master says that will have its data in a while.
bool is_passing(std::string_view line) {
  return line.starts_with("-NOMASTERLINK") || line.starts_with("-LOADING");
}

// A master that wants a password answers PING with one of these; so does one that is a replica
// whose own master is gone.
bool is_accepted_for_ping(std::string_view line) {
  return line.starts_with("+") || line.starts_with("-NOAUTH") || line.starts_with("-NOPERM") ||
         line.starts_with("-ERR operation not permitted");
}

}  // namespace

std::string FollowerHandshake::begin() {
  return proto::encode_request({"PING"});
}

FollowerHandshake::Step FollowerHandshake::feed(ae::Bytes bytes) {
  const size_t end = bytes.find('\n');
  const size_t consumed = end == ae::Bytes::npos ? bytes.size() : end + 1;
  if (line_.size() + consumed > kMaxLineBytes + 2) {
    Step step = fail("its answer is longer than any that is known");
    step.consumed = consumed;
    return step;
  }
  line_.append(bytes.substr(0, consumed));
  if (end == ae::Bytes::npos) return {.consumed = consumed};
  std::string line = std::exchange(line_, {});
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  Step step = line.empty() ? Step{} : take_line(line);
  step.consumed = consumed;
  return step;
}

std::string_view FollowerHandshake::state_name() const {
  switch (state_) {
    case State::kPing:
      return "the answer to PING";
    case State::kAuth:
      return "the answer to AUTH";
    case State::kListeningPort:
      return "the answer to REPLCONF listening-port";
    case State::kIpAddress:
      return "the answer to REPLCONF ip-address";
    case State::kCapabilities:
      return "the answer to REPLCONF capa";
    case State::kSync:
      return "the answer to PSYNC";
    case State::kDone:
      return "nothing";
  }
  return "";
}

FollowerHandshake::Step FollowerHandshake::take_line(std::string_view line) {
  switch (state_) {
    case State::kPing:
      return pong(line);
    case State::kSync:
      return sync_answered(line);
    case State::kDone:
      return {};
    default:
      return introduced(line);
  }
}

FollowerHandshake::Step FollowerHandshake::fail(std::string problem) {
  problem_ = std::move(problem);
  state_ = State::kDone;
  return {.outcome = Outcome::kFailed};
}

FollowerHandshake::Step FollowerHandshake::pong(std::string_view line) {
  if (!is_accepted_for_ping(line)) {
    return fail(fmt::format("Error reply to PING from master: '{}'", line));
  }
  return {.send = introduce()};
}

// Everything that needs no answer before the next is said; the first of the answers is waited for.
std::string FollowerHandshake::introduce() {
  std::string bytes;
  const auto say = [&](State state, std::initializer_list<std::string_view> words) {
    bytes += proto::encode_request(words);
    expected_.push_back(state);
  };
  if (!terms_.password.empty()) {
    terms_.user.empty() ? say(State::kAuth, {"AUTH", terms_.password})
                        : say(State::kAuth, {"AUTH", terms_.user, terms_.password});
  }
  say(State::kListeningPort, {"REPLCONF", "listening-port", std::to_string(terms_.listening_port)});
  if (!terms_.announced_ip.empty())
    say(State::kIpAddress, {"REPLCONF", "ip-address", terms_.announced_ip});
  say(State::kCapabilities, {"REPLCONF", "capa", "eof", "capa", "psync2"});
  state_ = expected_.front();
  return bytes;
}

// Only AUTH must succeed: masters older than an option refuse it and do without.
FollowerHandshake::Step FollowerHandshake::introduced(std::string_view line) {
  if (state_ == State::kAuth && line.starts_with("-"))
    return fail(fmt::format("Unable to AUTH to MASTER: {}", line));
  expected_.pop_front();
  if (!expected_.empty()) {
    state_ = expected_.front();
    return {};
  }
  state_ = State::kSync;
  return {.send = ask_to_sync()};
}

std::string FollowerHandshake::ask_to_sync() {
  if (!terms_.resume) return proto::encode_request({"PSYNC", "?", "-1"});
  const std::string offset = std::to_string(terms_.resume->offset);
  if (!terms_.failover) return proto::encode_request({"PSYNC", terms_.resume->id, offset});
  return proto::encode_request({"PSYNC", terms_.resume->id, offset, "FAILOVER"});
}

FollowerHandshake::Step FollowerHandshake::sync_answered(std::string_view line) {
  constexpr std::string_view kFull = "+FULLRESYNC";
  constexpr std::string_view kGoOn = "+CONTINUE";
  if (line.starts_with(kFull)) return full_sync(line.substr(kFull.size()));
  if (!line.starts_with(kGoOn)) return refused(line);
  if (!terms_.resume) return fail("Master goes on with a history that was not asked for");
  std::string_view id = line.substr(kGoOn.size());
  while (id.starts_with(' ')) id.remove_prefix(1);
  granted_ = {ReplicationId::is_id(id) ? std::string(id) : std::string(), 0};
  state_ = State::kDone;
  return {.outcome = Outcome::kContinue};
}

FollowerHandshake::Step FollowerHandshake::full_sync(std::string_view words) {
  while (words.starts_with(' ')) words.remove_prefix(1);
  const std::string_view id = words.substr(0, words.find(' '));
  words.remove_prefix(std::min(words.size(), id.size() + 1));
  const std::optional<int64_t> offset = number(words);
  if (!ReplicationId::is_id(id) || !offset || *offset < 0)
    return fail("Master replied with wrong +FULLRESYNC syntax.");
  granted_ = {std::string(id), *offset};
  state_ = State::kDone;
  return {.outcome = Outcome::kFullSync};
}

FollowerHandshake::Step FollowerHandshake::refused(std::string_view line) {
  if (is_passing(line))
    return fail(
        fmt::format("Master is currently unable to PSYNC but should be in the future: {}", line));
  if (terms_.failover) return fail(fmt::format("Failover target rejected psync request: {}", line));
  if (!line.starts_with("-ERR"))
    return fail(fmt::format("Unexpected reply to PSYNC from master: {}", line));
  state_ = State::kDone;
  return {.outcome = Outcome::kOldSync, .send = proto::encode_request({"SYNC"})};
}

}  // namespace millrace
