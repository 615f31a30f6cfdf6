// A session's connection is on the main loop or on an IO thread's: here each call takes its way.
//
// Thread: the one that runs commands.
#pragma once

#include "server/net/client_link.h"
#include "server/net/io_link.h"

namespace millrace {

class ClientRouter final : public ClientLink {
 public:
  explicit ClientRouter(ConnectionLink& own) : own_(own) {}
  // To be called before any session has a thread.
  void set_threads(IoLink& threads) { threads_ = &threads; }

  std::string peer_text(const Session& s) override { return way(s).peer_text(s); }
  std::string local_text(const Session& s) override { return way(s).local_text(s); }
  int descriptor(const Session& s) override { return way(s).descriptor(s); }
  size_t unread_bytes(const Session& s) override { return way(s).unread_bytes(s); }
  size_t unread_room(const Session& s) override { return way(s).unread_room(s); }
  size_t output_bytes(const Session& s) override { return way(s).output_bytes(s); }
  void reply(const Session& s, std::string_view bytes) override {
    if (s.thread == 0) [[likely]]
      return own_.reply(s, bytes);
    threads_->reply(s, bytes);
  }
  void push(const Session& s, std::string_view bytes) override { way(s).push(s, bytes); }
  void close_now(Session& s) override { way(s).close_now(s); }
  void close_after_reply(Session& s) override { way(s).close_after_reply(s); }
  void close_idle(Session& s) override { way(s).close_idle(s); }
  void close_lost(Session& s) override { way(s).close_lost(s); }
  bool is_suspended(const Session& s) override { return way(s).is_suspended(s); }
  void suspend(Session& s, Wait wait, std::string_view unrun) override {
    way(s).suspend(s, wait, unrun);
  }
  void resume(Session& s, Wait wait) override { way(s).resume(s, wait); }

 private:
  ClientLink& way(const Session& session) {
    if (session.thread == 0) return own_;
    return *threads_;
  }

  ConnectionLink& own_;
  IoLink* threads_ = nullptr;
};

}  // namespace millrace
