// Clients that wait for a key, and how they are woken. The contract is in command/blocking.h.
//
//   a change of a key somebody waits for   -> the key is ready
//   after each command (a whole EXEC is    -> the commands of those who wait for it run again, in
//   one), and before the loop sleeps          the order in which they came
//   the earliest deadline passes           -> a null reply
//
// Costs: nothing while nobody waits; else a lookup per change, and per blocked client a record, a
// copy of its request and a place in the queue of each key. One timer for all deadlines.
//
// Thread: the one that runs commands. It dies before the loop.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ae/core/event_loop.h"
#include "server/command/blocking.h"
#include "server/command/clients.h"
#include "server/command/effects.h"
#include "server/command/kept_request.h"
#include "server/command/key_index.h"
#include "server/command/services.h"

namespace millrace {

class Dispatcher;

class BlockedClients final : public Blocking, private ChangeObserver {
 public:
  BlockedClients(ae::EventLoop& loop, Clients& clients, Effects& effects, Databases& databases);
  ~BlockedClients();
  BlockedClients(const BlockedClients&) = delete;
  BlockedClients& operator=(const BlockedClients&) = delete;
  // To be called before anything blocks.
  void set_dispatcher(Dispatcher& dispatcher, Services& services) {
    dispatcher_ = &dispatcher;
    services_ = &services;
  }

  bool any_ready() const { return !ready_.empty() || !retries_.empty(); }
  void serve_ready();

  // --- Blocking
  void block(Session& session, const Command& command, std::span<const std::string_view> args,
             const BlockTerms& terms) override;
  bool unblock(Session& session, Unblock how) override;
  void unblock_all(std::string_view error) override;
  void retry(SessionId session) override { retries_.push_back(session); }
  bool is_last_run() const override { return running_ && running_->time_is_up; }
  size_t client_count() const override { return waiting_.size(); }
  size_t key_count() const override { return queues_.size(); }
  size_t gone_key_count() const override { return gone_keys_; }
  size_t deadline_count() const override { return deadlines_.size(); }

 private:
  struct Waiting;
  struct Queue {
    std::list<Waiting*> clients;  // in order of arrival
    size_t waiting_for_gone = 0;  // of them
  };
  using Deadlines = std::multimap<int64_t, Waiting*>;

  // A place in a key's queue.
  struct Place {
    KeptKey key;
    std::list<Waiting*>::iterator at;
  };
  struct Waiting {
    SessionId session;
    KeptRequest request;
    Type type;
    bool wake_when_gone;
    bool runs_at_deadline;
    bool time_is_up;
    std::vector<Place> places;
    Deadlines::iterator deadline;  // end(): for ever
  };

  void serve(const KeptKey& key);
  void serve_retry(SessionId session);
  void run_last_time(Waiting& waiting);
  bool is_worth_a_look(const Waiting& waiting, const KeptKey& key);
  void run_again(Waiting& waiting);
  void finish(SessionId id, std::string_view reply);
  void forget(SessionId id);
  void leave_queues(Waiting& waiting);
  void end_overdue();
  void set_timer();
  void attach_or_detach();

  void note_ready(DbKey key);
  void note_all(int db);
  void on_change(const KeyChange& change) override;
  void on_emptied(int db) override;
  void on_swapped(uint8_t a, uint8_t b) override;

  ae::EventLoop& loop_;
  Clients& clients_;
  Effects& effects_;
  Databases& databases_;
  Dispatcher* dispatcher_ = nullptr;
  Services* services_ = nullptr;
  std::unordered_map<uint64_t, std::unique_ptr<Waiting>> waiting_;  // by session
  KeyIndex<Queue> queues_;
  size_t gone_keys_ = 0;  // queues with somebody waiting_for_gone
  Deadlines deadlines_;
  ae::TimerId timer_;
  std::vector<KeptKey> ready_;  // each once
  std::vector<SessionId> retries_;
  const Waiting* running_ = nullptr;  // whose command runs again
};

}  // namespace millrace
