// ClientLink for clients of IO threads: what is to be done with a connection becomes an order to
// its thread, and what is asked about it is looked up there while the threads stand still.
//
// Thread: the main one.
#pragma once

#include "server/command/clients.h"
#include "server/net/io_pool.h"

namespace millrace {

class IoLink final : public ClientLink {
 public:
  explicit IoLink(IoPool& pool) : pool_(pool) {}

  std::string peer_text(const Session& session) override;
  std::string local_text(const Session& session) override;
  int descriptor(const Session& session) override;
  size_t unread_bytes(const Session& session) override;
  size_t unread_room(const Session& session) override;
  size_t output_bytes(const Session& session) override;
  void reply(const Session& session, std::string_view bytes) override;
  void push(const Session& session, std::string_view bytes) override;
  void close_now(Session& session) override;
  void close_after_reply(Session& session) override;
  void close_idle(Session& session) override;
  void close_lost(Session& session) override;
  bool is_suspended(const Session& session) override;
  void suspend(Session& session, Wait wait, std::string_view unrun) override;
  void resume(Session& session, Wait wait) override;

 private:
  void order(const Session& session, IoDelivery delivery);
  void send(const Session& session, std::string_view bytes);

  IoPool& pool_;
};

}  // namespace millrace
