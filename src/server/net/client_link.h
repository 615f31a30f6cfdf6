// From a session to its connection: the outgoing half of client I/O. Implements what core asks of a
// client's transport (command/clients.h) on the connection table.
//
// Thread: the loop's.
#pragma once

#include "ae/net/connection_table.h"
#include "server/command/clients.h"
#include "server/config/output_limit.h"
#include "server/net/connection_facts.h"
#include "server/net/output_limits.h"

namespace millrace {

class ConnectionLink final : public ClientLink {
 public:
  ConnectionLink(ae::ConnectionTable& table, const Config& config)
      : table_(table),
        config_(config),
        limits_(table, limit_of(ClientClass::kNormal), limit_of(ClientClass::kReplica),
                limit_of(ClientClass::kPubSub)) {}

  std::string peer_text(const Session& session) override {
    return connection_facts::peer_text(table_, session);
  }
  std::string local_text(const Session& session) override {
    return connection_facts::local_text(table_, session);
  }
  int descriptor(const Session& session) override {
    return connection_facts::descriptor(table_, session);
  }
  size_t unread_bytes(const Session& session) override {
    return connection_facts::unread_bytes(table_, session);
  }
  size_t unread_room(const Session& session) override {
    return connection_facts::unread_room(table_, session);
  }
  size_t output_bytes(const Session& session) override {
    return connection_facts::output_bytes(table_, session);
  }
  void reply(const Session& session, std::string_view bytes) override;
  void push(const Session& session, std::string_view bytes) override;
  void close_now(Session& session) override;
  void close_after_reply(Session& session) override;
  void close_idle(Session& session) override;
  void close_lost(Session& session) override;
  void suspend(Session& session, Wait wait, std::string_view unrun) override;
  void resume(Session& session, Wait wait) override;
  bool is_suspended(const Session& session) override {
    return connection_facts::is_suspended(table_, session);
  }

  // To be called when the configuration changes.
  void refresh() {
    limits_.normal.set(limit_of(ClientClass::kNormal));
    limits_.replicas.set(limit_of(ClientClass::kReplica));
    limits_.subscribers.set(limit_of(ClientClass::kPubSub));
  }
  // Called when bytes were put in front of what this connection had not read yet.
  void set_on_unread(ae::Callback<void(ae::ConnectionId)> callback) {
    on_unread_ = std::move(callback);
  }
  // The connection has ended.
  void forget(ae::ConnectionId id) { limits_.forget(id); }

 private:
  ae::Connection connection(const Session& session) { return table_.find(session.connection); }
  OutputBufferLimit limit_of(ClientClass which) const { return output_limit(config_, which); }

  ae::ConnectionTable& table_;
  const Config& config_;
  ClassLimits limits_;
  ae::Callback<void(ae::ConnectionId)> on_unread_;
};

}  // namespace millrace
