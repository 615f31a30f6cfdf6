// The connections of one process: dialled with bounds, from as many source addresses as it takes,
// and a roster of those that can be asked.
//
// Each client is a number from 0 to size() - 1 and has one connection or none. One with a part of
// its own in a scenario is *reserved*: connected, but off the roster, so that nobody else asks it.
// One that misbehaves (slow readers, half-open peers) is set *apart*: reserved, and if the server
// throws it out that is no loss.
//
// 16 bytes a client here, 20 in Exchange, 80 in ae: a million fit 120 MB.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ae/base/prng.h"
#include "ae/core/event_loop.h"
#include "ae/net/connection_table.h"
#include "ae/net/dialer.h"
#include "load/exchange.h"
#include "load/result.h"

namespace load {

struct CrowdOptions {
  ae::Address target;
  // Absent: the kernel chooses. Else `per_source` clients connect from this address, as many from
  // the next one, and so on; `first_client` have done so already in other processes.
  std::optional<ae::Address> first_source;
  uint32_t per_source = 14'000;
  uint32_t first_client = 0;
  uint32_t size = 1;
  uint32_t handshakes = 256;    // under way at once
  double connect_rate = 0;      // a second; 0: as fast as handshakes allow
  double active_percent = 100;  // of the roster is ever picked
  ae::DialOptions dial = {};
  uint64_t seed = 1;
};

class Crowd final : private ae::ConnectionHandler {
 public:
  Crowd(ae::EventLoop& loop, const CrowdOptions& options, Exchange& exchange, PhaseResult& result);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  uint32_t size() const { return uint32_t(members_.size()); }
  uint32_t connected() const { return connected_; }

  // Dials for every client that has no connection. Those that fail stay without one until the next
  // call. When kHopeless in a row have failed, the rest is not tried: the server is not there.
  void connect_missing();
  // No dial is under way or waits for its turn.
  bool settled() const { return missing_.empty() && dialer_.under_way() == 0; }

  // Dead where the client has none.
  ae::Connection connection(uint32_t client) { return table_.find(members_[client].connection); }
  // Anyone active; nobody if there is nobody. The active are spread over the roster evenly, and
  // stay the same as long as nobody comes or goes.
  std::optional<uint32_t> pick(ae::Prng& random) const;
  // Takes one off the roster, or puts it back.
  void reserve(uint32_t client) { strike(client); }
  void set_apart(uint32_t client);
  void rejoin(uint32_t client);
  // Closes the connection of our own accord; what it had asked is forgotten.
  void drop(uint32_t client);
  // A slow reader: after each piece it reads it pauses, until resumed.
  void read_slowly(uint32_t client);

 private:
  static constexpr uint32_t kOffRoster = UINT32_MAX;
  static constexpr uint32_t kHopeless = 1000;

  struct Member {
    ae::ConnectionId connection;
    uint32_t place = kOffRoster;  // in roster_
    bool apart = false;
    bool slow = false;
  };
  static_assert(sizeof(Member) == 16);

  size_t on_data(ae::Connection connection, ae::MutableBytes data) override;
  void on_closed(ae::Connection connection, ae::CloseReason reason) override;

  void dial_more();
  bool wait_for_turn();
  void dial(uint32_t client);
  void dialed(uint32_t client, ae::TimePoint start, ae::Result<int> fd);
  void dial_failed(int error);
  std::optional<ae::Address> source_of(uint32_t client) const;
  size_t active() const;
  void enroll(uint32_t client);
  void strike(uint32_t client);
  void leave(uint32_t client);

  ae::EventLoop& loop_;
  const CrowdOptions options_;
  Exchange& exchange_;
  PhaseResult& result_;
  ae::ConnectionTable table_;
  ae::Dialer dialer_;
  std::vector<Member> members_;
  std::vector<uint32_t> roster_;
  std::vector<uint32_t> missing_;  // to be dialled, the next one last
  uint32_t connected_ = 0;
  uint32_t failed_in_a_row_ = 0;
  ae::TimePoint next_dial_;  // by connect_rate
  ae::TimerId dial_timer_;
};

}  // namespace load
