// A ConnectionHandler that watches another one being called.
//
//   ae::sim::AuditedHandler audited(handler);
//   audited.born(*table.adopt(fd, audited));
//   ...
//   EXPECT_EQ(audited.violations(), "");
//
// Checks the contract of connection.h from the outside: on_closed exactly once and last; on_open at
// most once; on_half_closed at most once and no data after it; every connection that was born has
// been closed.
//
// Thread: the loop's. Borrows the handler it wraps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "ae/net/connection.h"

namespace ae::sim {

class AuditedHandler final : public ConnectionHandler {
 public:
  explicit AuditedHandler(ConnectionHandler& inner) : inner_(inner) {}

  // From here on this connection must be closed some time. (Accepted connections are born without a
  // call to their handler.)
  void born(Connection connection) { lives_.try_emplace(connection.id().packed()); }

  size_t open() const { return born_count() - closed_; }
  size_t closed() const { return closed_; }
  size_t closed(CloseReason reason) const;
  // One line for each broken rule; empty is good. Call at the end, when everything has been closed.
  std::string violations() const;

  void on_open(Connection connection) override;
  size_t on_data(Connection connection, MutableBytes data) override;
  void on_half_closed(Connection connection) override;
  void on_hang_up(Connection connection) override;
  void on_drained(Connection connection) override;
  void on_high_watermark(Connection connection) override;
  void on_closed(Connection connection, CloseReason reason) override;

 private:
  struct Life {
    bool opened = false;
    bool half_closed = false;
    bool closed = false;
  };

  size_t born_count() const { return lives_.size(); }
  Life& note(Connection connection, const char* call);
  void complain(Connection connection, const char* what);

  ConnectionHandler& inner_;
  std::map<uint64_t, Life> lives_;
  std::map<CloseReason, size_t> reasons_;
  size_t closed_ = 0;
  std::string broken_;
};

// "" if `received` is a beginning of `reference`, else where and how they part.
std::string prefix_violation(const std::string& received, const std::string& reference);

}  // namespace ae::sim
