// Requests out, replies in: who was asked what and when it was due, and what became of it.
//
// Latency counts from the time a request was *due*, not from when it was sent. A server that stalls
// for 300 ms lets the requests of these 300 ms queue up somewhere, and each of them waited; a
// tester that starts its watch when it gets round to sending has not seen them wait. (Gil Tene's
// "coordinated omission".)
//
// Replies come in order per connection; the n-th reply answers the n-th request. A request that
// passes the deadline counts as unanswered, and its reply, should it still come, as nothing: the
// client *owes* it.
//
// Thread: the loop's. Counts go to the result of the phase under way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ae/core/event_loop.h"
#include "ae/net/connection.h"
#include "load/outstanding.h"
#include "load/result.h"
#include "proto/reply_parser.h"

namespace load {

struct ExchangeOptions {
  ae::Nanoseconds deadline = ae::Seconds(10);
  ae::Nanoseconds late = ae::Milliseconds(200);
  std::string expected;  // the text of every reply; empty: any that is not an error
};

class Exchange {
 public:
  Exchange(ae::EventLoop& loop, ExchangeOptions options, uint32_t clients, PhaseResult& result);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Sends a request that was due then.
  void ask(uint32_t client, ae::Connection connection, ae::TimePoint due, ae::Bytes request);
  // The same for a request that the caller sends himself, in pieces.
  void expect(uint32_t client, ae::TimePoint due);
  // Replies will come that nobody measures.
  void owe(uint32_t client, uint32_t replies) { ledgers_[client].owed += replies; }
  // Is anything expected of this client?
  bool waits(uint32_t client) const { return ledgers_[client].pending > 0; }
  // Nothing is expected of anybody.
  bool idle() const { return outstanding_.empty(); }

  // A client of the closed loop: measured from the sending, apart from the others.
  void set_closed_loop(uint32_t client, bool closed) { ledgers_[client].closed_loop = closed; }
  bool closed_loop(uint32_t client) const { return ledgers_[client].closed_loop; }
  // After each reply, whoever asked.
  void set_on_reply(ae::Callback<void(uint32_t client)> on_reply) {
    on_reply_ = std::move(on_reply);
  }

  // Bytes from a client's connection. False: they are not the protocol's, close it.
  bool take(uint32_t client, ae::Bytes bytes);
  // Its connection is gone. What it had asked is lost, or is forgotten because we closed it.
  void lose(uint32_t client);
  void forget(uint32_t client);

 private:
  // One per client. What it asked is a chain through outstanding_.
  struct Ledger {
    uint32_t first = 0, last = 0;  // meaningless where nothing is pending
    uint32_t pending = 0;
    uint32_t owed = 0;
    bool closed_loop = false;
  };

  bool feed(uint32_t client, proto::ReplyParser& parser, ae::Bytes bytes);
  void on_reply(uint32_t client, const proto::ReplyValue& reply);
  void measure(const Ledger& ledger, ae::TimePoint due);
  void finish_first(Ledger& ledger);
  void expire();
  void arm();

  ae::EventLoop& loop_;
  const ExchangeOptions options_;
  PhaseResult& result_;
  std::vector<Ledger> ledgers_;
  Outstanding outstanding_;
  ae::TimerId deadline_timer_;
  ae::TimePoint now_;  // when the bytes at hand were taken
  ae::Callback<void(uint32_t)> on_reply_;

  // A parser remembers half a reply. Few clients have one at a time: they own a parser that long,
  // all others share one.
  std::unique_ptr<proto::ReplyParser> parser_ = std::make_unique<proto::ReplyParser>();
  std::unordered_map<uint32_t, std::unique_ptr<proto::ReplyParser>> half_read_;
};

}  // namespace load
