// client-output-buffer-limit: a client that does not read costs its own limit and nothing else.
// Checked where bytes are queued for it; one that stays above the soft limit is remembered with the
// time, and looked at again from time to time.
//
// Thread: that of the connection table.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "ae/net/connection_table.h"
#include "server/config/config.h"

namespace millrace {

class OutputLimits {
 public:
  OutputLimits(ae::ConnectionTable& table, const OutputBufferLimit& limit)
      : table_(table), limit_(limit) {}

  void set(const OutputBufferLimit& limit) { limit_ = limit; }
  // Something was queued for this connection: above the hard limit it is closed.
  void check(ae::Connection connection);
  // Closes those who have been above the soft limit for too long. Costs what they are in number.
  void enforce_soft();
  // This connection has ended.
  void forget(ae::ConnectionId id) { above_soft_.erase(id.slot); }

 private:
  struct Since {
    ae::ConnectionId connection;
    ae::TimePoint when;
  };

  static void close(ae::Connection connection, size_t pending);

  ae::ConnectionTable& table_;
  OutputBufferLimit limit_;
  std::unordered_map<uint32_t, Since> above_soft_;  // few: most clients read
};

}  // namespace millrace
