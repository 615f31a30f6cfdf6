#include "load/crowd.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "ae/net/socket_options.h"

namespace load {
namespace {

// A slow reader takes what its window holds, and the kernel doubles what it is told here.
constexpr int kSlowWindowBytes = 4096;

// `steps` addresses further on: 127.0.1.255 is followed by 127.0.2.0.
ae::Address following(const ae::Address& first, uint32_t steps) {
  sockaddr_in next;
  std::memcpy(&next, first.data(), sizeof(next));
  next.sin_addr.s_addr = htonl(ntohl(next.sin_addr.s_addr) + steps);
  return *ae::Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&next), sizeof(next));
}

}  // namespace

Crowd::Crowd(ae::EventLoop& loop, const CrowdOptions& options, Exchange& exchange,
             PhaseResult& result)
    : loop_(loop),
      options_(options),
      exchange_(exchange),
      result_(result),
      table_(loop),
      dialer_(loop, options_.seed),
      members_(options_.size) {
  roster_.reserve(options_.size);
}

Crowd::~Crowd() {
  loop_.cancel(dial_timer_);
}

// --- coming in

void Crowd::connect_missing() {
  missing_.clear();
  for (uint32_t client = size(); client-- > 0;) {
    if (!members_[client].connection.valid()) missing_.push_back(client);
  }
  next_dial_ = loop_.now();
  failed_in_a_row_ = 0;
  dial_more();
}

void Crowd::dial_more() {
  while (!missing_.empty() && dialer_.under_way() < options_.handshakes) {
    if (wait_for_turn()) return;
    const uint32_t client = missing_.back();
    missing_.pop_back();
    dial(client);
  }
}

// True if the rate says later, or connections have still to be closed. Dials that handshakes under
// way have held up are not made up for: the rate is a bound, not a promise.
bool Crowd::wait_for_turn() {
  if (dial_timer_.valid()) return true;
  // Those that were dropped are closed in slices, and until then each holds its descriptor.
  if (loop_.reaps_pending() > 0) {
    dial_timer_ = loop_.add_timer(ae::Nanoseconds::zero(), [this] {
      dial_timer_ = {};
      dial_more();
    });
    return true;
  }
  if (options_.connect_rate <= 0) return false;
  if (next_dial_ > loop_.now()) {
    dial_timer_ = loop_.add_timer_at(next_dial_, [this] {
      dial_timer_ = {};
      dial_more();
    });
    return true;
  }
  constexpr ae::Nanoseconds kMostMadeUpFor = ae::Milliseconds(10);
  const auto interval = ae::Nanoseconds(int64_t(1e9 / options_.connect_rate));
  next_dial_ = std::max(next_dial_, loop_.now() - kMostMadeUpFor) + interval;
  return false;
}

void Crowd::dial(uint32_t client) {
  ae::DialOptions options = options_.dial;
  options.source = source_of(client);
  const ae::TimePoint start = loop_.clock().now();
  dialer_.dial({options_.target}, options, [this, client, start](ae::Result<int> fd) {
    dialed(client, start, fd);
    dial_more();
  });
}

void Crowd::dialed(uint32_t client, ae::TimePoint start, ae::Result<int> fd) {
  if (!fd) return dial_failed(fd.error().code);
  static_cast<void>(ae::set_no_delay(loop_.os(), *fd));  // a Unix socket has no such option
  const ae::Result<ae::Connection> connection = table_.adopt(*fd, *this, client);
  if (!connection) return dial_failed(connection.error().code);
  failed_in_a_row_ = 0;
  result_.connect.record(loop_.clock().now() - start);
  ++result_.connected;
  ++connected_;
  members_[client].connection = connection->id();
  enroll(client);
}

void Crowd::dial_failed(int error) {
  ++result_.connect_failed;
  if (result_.connect_error == 0) result_.connect_error = error;
  if (++failed_in_a_row_ < kHopeless) return;
  result_.connect_failed += missing_.size();
  missing_.clear();
}

std::optional<ae::Address> Crowd::source_of(uint32_t client) const {
  if (!options_.first_source) return std::nullopt;
  return following(*options_.first_source, (options_.first_client + client) / options_.per_source);
}

// --- the roster

// At least one, where there is anyone.
size_t Crowd::active() const {
  const double exact = double(roster_.size()) * options_.active_percent / 100;
  return std::clamp(size_t(exact + 0.5), std::min<size_t>(1, roster_.size()), roster_.size());
}

std::optional<uint32_t> Crowd::pick(ae::Prng& random) const {
  if (roster_.empty()) return std::nullopt;
  const size_t active = this->active();
  return roster_[random.below(active) * roster_.size() / active];
}

void Crowd::enroll(uint32_t client) {
  members_[client].place = uint32_t(roster_.size());
  roster_.push_back(client);
}

void Crowd::strike(uint32_t client) {
  const uint32_t place = std::exchange(members_[client].place, kOffRoster);
  if (place == kOffRoster) return;
  roster_[place] = roster_.back();
  members_[roster_[place]].place = place;
  members_[client].place = kOffRoster;
  roster_.pop_back();
}

void Crowd::set_apart(uint32_t client) {
  strike(client);
  members_[client].apart = true;
}

void Crowd::rejoin(uint32_t client) {
  Member& member = members_[client];
  member.apart = false;
  if (member.connection.valid() && member.place == kOffRoster) enroll(client);
}

void Crowd::read_slowly(uint32_t client) {
  members_[client].slow = true;
  const int fd = connection(client).fd();
  // Where it cannot be had, the reader is slow with a larger window.
  if (fd != -1) {
    static_cast<void>(loop_.os().set_option(fd, SOL_SOCKET, SO_RCVBUF, kSlowWindowBytes));
  }
}

// --- bytes

size_t Crowd::on_data(ae::Connection connection, ae::MutableBytes data) {
  const auto client = uint32_t(connection.user());
  if (members_[client].slow) {
    result_.peer_bytes += data.size();
    connection.pause(ae::PauseReason::kUser);
  }
  if (!exchange_.take(client, {data.data(), data.size()})) {
    connection.close(ae::CloseReason::kProtocolError);
  }
  return data.size();
}

// --- going

void Crowd::drop(uint32_t client) {
  ae::Connection gone = connection(client);
  exchange_.forget(client);
  leave(client);
  gone.close(ae::CloseReason::kRequested);
}

void Crowd::leave(uint32_t client) {
  Member& member = members_[client];
  if (!member.connection.valid()) return;
  strike(client);
  member = {};
  --connected_;
}

// Not of those that drop() has let go already: their client may be on the next connection.
void Crowd::on_closed(ae::Connection connection, ae::CloseReason) {
  const auto client = uint32_t(connection.user());
  const Member& member = members_[client];
  if (member.connection != connection.id()) return;
  if (member.apart) {
    ++result_.peers_closed;
    exchange_.forget(client);
  } else {
    ++result_.broken;
    exchange_.lose(client);
  }
  leave(client);
}

}  // namespace load
