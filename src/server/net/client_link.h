// From a session to its connection: the outgoing half of client I/O. Implements what core asks of a
// client's transport (command/clients.h) on the connection table.
//
// Output limits (client-output-buffer-limit) are enforced here, where bytes are queued: a client
// that does not read costs its own limit and nothing else.
//
// Thread: the loop's.
#pragma once

#include <unordered_map>

#include "ae/net/connection_table.h"
#include "server/command/clients.h"
#include "server/config/config.h"

namespace millrace {

class ConnectionLink final : public ClientLink {
 public:
  ConnectionLink(ae::ConnectionTable& table, const Config& config)
      : table_(table), config_(config) {}

  std::string peer_text(const Session& session) override;
  std::string local_text(const Session& session) override;
  int descriptor(const Session& session) override;
  size_t unread_bytes(const Session& session) override;
  size_t output_bytes(const Session& session) override;
  void reply(const Session& session, std::string_view bytes) override;
  void push(const Session& session, std::string_view bytes) override;
  void close_now(Session& session) override;
  void close_after_reply(Session& session) override;
  void close_idle(Session& session) override;
  void enforce_soft_limits() override;
  void suspend(Session& session, std::string_view unrun) override;
  void resume(Session& session) override;

  // The connection of a session has ended.
  void forget(const Session& session) { over_soft_limit_.erase(session.self.slot); }

  uint64_t closed_for_output() const { return closed_for_output_; }

 private:
  ae::Connection connection(const Session& session) { return table_.find(session.connection); }
  void enforce_limit(const Session& session, ae::Connection connection);
  void close_for_output(ae::Connection connection, size_t pending);

  ae::ConnectionTable& table_;
  const Config& config_;
  // Clients above the soft limit, and since when. Few: most clients read.
  struct Since {
    ae::ConnectionId connection;
    ae::TimePoint when;
  };
  std::unordered_map<uint32_t, Since> over_soft_limit_;
  uint64_t closed_for_output_ = 0;
};

}  // namespace millrace
