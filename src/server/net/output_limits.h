// client-output-buffer-limit: a client that does not read costs its own limit and nothing else.
// Checked where bytes are queued for it; one above the soft limit is remembered with the time, and
// looked at again by a timer that runs while there are such.
//
// Thread: that of the connection table. It dies before the loop.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "ae/net/connection_table.h"
#include "server/command/session.h"
#include "server/config/config.h"

namespace millrace {

class OutputLimits {
 public:
  OutputLimits(ae::ConnectionTable& table, const OutputBufferLimit& limit)
      : table_(table), limit_(limit) {}
  ~OutputLimits() { table_.loop().cancel(timer_); }
  OutputLimits(const OutputLimits&) = delete;
  OutputLimits& operator=(const OutputLimits&) = delete;

  void set(const OutputBufferLimit& limit) { limit_ = limit; }
  bool any() const { return limit_.hard_bytes != 0 || limit_.soft_bytes != 0; }
  // Something was queued for this connection: above the hard limit it is closed.
  void check(ae::Connection connection);
  // This connection has ended.
  void forget(ae::ConnectionId id) { above_soft_.erase(id.slot); }

 private:
  // The limit is given in seconds.
  static constexpr ae::Nanoseconds kLook = ae::Milliseconds(100);

  struct Since {
    ae::ConnectionId connection;
    ae::TimePoint when;
  };

  void remember(ae::ConnectionId id);
  void look();
  static void close(ae::Connection connection, size_t pending);

  ae::ConnectionTable& table_;
  OutputBufferLimit limit_;
  std::unordered_map<uint32_t, Since> above_soft_;  // few: most clients read
  ae::TimerId timer_;
};

// What may wait for a client that has not logged in and has to: refusals are short, and whoever
// does not read them is up to something. Redis' kilobyte, beside the reply buffer that it does not
// count.
inline constexpr OutputBufferLimit kLimitBeforeLogin{.hard_bytes = 17 * 1024};

// One for each class of client. Who subscribes changes class with the next bytes for it.
struct ClassLimits {
  ClassLimits(ae::ConnectionTable& table, const OutputBufferLimit& of_normal,
              const OutputBufferLimit& of_replicas, const OutputBufferLimit& of_subscribers)
      : normal(table, of_normal),
        replicas(table, of_replicas),
        subscribers(table, of_subscribers),
        strangers(table, kLimitBeforeLogin) {}

  OutputLimits normal;
  OutputLimits replicas;
  OutputLimits subscribers;
  OutputLimits strangers;

  OutputLimits& of(ClientClass which) {
    if (which == ClientClass::kReplica) return replicas;
    return which == ClientClass::kPubSub ? subscribers : normal;
  }
  OutputLimits& of(const Session& session) {
    if (!session.has(SessionFlag::kAuthenticated)) [[unlikely]]
      return strangers;
    return of(class_of(session));
  }
  void forget(ae::ConnectionId id) {
    for (OutputLimits* limits : {&normal, &replicas, &subscribers}) limits->forget(id);
  }

  static ClientClass class_of(const Session& session) {
    if (session.replica) return ClientClass::kReplica;
    return session.has(SessionFlag::kSubscribed) ? ClientClass::kPubSub : ClientClass::kNormal;
  }
};

}  // namespace millrace
