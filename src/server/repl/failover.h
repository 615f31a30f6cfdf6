// FAILOVER: the master hands its role over to a replica, without losing a write.
//
//   kNone --begin--> kWaiting        writes pause; a replica shall have all that was written
//                       |--- one has it, or FORCE and time is up
//                       v
//                    kHandingOver    we follow it, and ask it to take over (PSYNC .. FAILOVER)
//                       |--- it does: kNone, and writes go on, to a replica now
//
// Whatever fails before leaves us the master. Thread: the one that runs commands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ae/core/event_loop.h"
#include "server/config/config.h"
#include "server/repl/leader.h"

namespace millrace {

struct FailoverTerms {
  std::optional<MasterAddress> target = {};  // nothing: who is first to have everything
  bool force = false;                        // the target, even if it has not when time is up
  int64_t timeout_ms = 0;                    // 0: for ever
};

class Failover {
 public:
  enum class State : uint8_t { kNone, kWaiting, kHandingOver };

  class Owner {
   public:
    virtual void follow(MasterAddress master) = 0;
    virtual void lead() = 0;

   protected:
    ~Owner() = default;
  };

  Failover(ae::EventLoop& loop, Services& services, const ReplicationLog& log, Leader& leader,
           Owner& owner)
      : loop_(loop), services_(services), log_(log), leader_(leader), owner_(owner) {}
  ~Failover() { loop_.cancel(timer_); }

  // A refusal is an error for the client.
  std::optional<std::string> begin(const FailoverTerms& terms);
  void abort(std::string_view why);
  // The replica has taken over.
  void succeeded();

  bool under_way() const { return state_ != State::kNone; }
  bool is_handing_over() const { return state_ == State::kHandingOver; }
  const char* state_name() const;  // INFO's word

 private:
  // How often it is looked whether somebody has everything.
  static constexpr ae::Nanoseconds kLook = ae::Milliseconds(10);

  std::optional<std::string> refusal(const FailoverTerms& terms);
  const Replica* target();
  void look();
  void hand_over(MasterAddress to);
  void end();
  MasterAddress address_of(const Replica& replica) const;

  ae::EventLoop& loop_;
  Services& services_;
  const ReplicationLog& log_;
  Leader& leader_;
  Owner& owner_;
  State state_ = State::kNone;
  FailoverTerms terms_;
  ae::TimePoint deadline_;
  ae::TimerId timer_;
};

}  // namespace millrace
