// The stream of changes as numbers and bytes: which history it belongs to, how many bytes it has
// had, and the newest of them. One per server, written by the leader when the server is a master
// and by the link when it follows one, so that a change of role goes on from the same place.
//
// Invariant: where there is a backlog, its next byte is number offset() + 1.
// Thread: the one that runs commands.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/repl/backlog.h"
#include "server/repl/follower_handshake.h"
#include "server/repl/replication_id.h"

namespace millrace {

class ReplicationLog {
 public:
  explicit ReplicationLog(ae::Prng& prng) : prng_(prng), id_(prng) {}

  const ReplicationId& history() const { return id_; }
  int64_t offset() const { return offset_; }
  int64_t next_offset() const { return offset_ + 1; }
  const Backlog* backlog() const { return backlog_ ? &*backlog_ : nullptr; }
  ResumePoint resume_point() const { return {id_.id(), next_offset()}; }

  void append(std::string_view bytes) {
    offset_ += int64_t(bytes.size());
    if (backlog_) backlog_->append(bytes);
  }

  // A master that kept no backlog did not count what it changed: with the first replica a history
  // begins that nobody can have a part of.
  void begin_backlog(size_t bytes) {
    id_.begin(prng_);
    keep_backlog(bytes);
  }
  void drop_backlog() {
    id_.begin(prng_);
    backlog_.reset();
  }
  void resize_backlog(size_t bytes) {
    if (backlog_) backlog_->resize(bytes);
  }
  // A full copy of a master's data has been made.
  void adopt(const ResumePoint& copied, size_t backlog_bytes) {
    id_.adopt(copied.id);
    offset_ = copied.offset;
    keep_backlog(backlog_bytes);
  }
  // The data was loaded from a snapshot of this place. A replica lacks what came behind it, and
  // will ask for that; there is nothing that it could give to others yet.
  void recall(const ResumePoint& loaded) {
    id_.adopt(loaded.id);
    offset_ = loaded.offset;
  }
  // ... as a master: what comes now is its own.
  void inherit(const ResumePoint& loaded, size_t backlog_bytes) {
    offset_ = loaded.offset;
    id_.inherit(loaded.id, next_offset());
    keep_backlog(backlog_bytes);
  }
  // The master goes on where we stopped, perhaps under another id.
  void go_on(std::string_view id, size_t backlog_bytes) {
    if (!id.empty() && id != id_.id()) id_.follow(id, next_offset());
    if (!backlog_) keep_backlog(backlog_bytes);
  }
  // Promotion.
  void branch() { id_.branch(prng_, next_offset()); }

 private:
  void keep_backlog(size_t bytes) { backlog_.emplace(bytes, next_offset()); }

  ae::Prng& prng_;
  ReplicationId id_;
  int64_t offset_ = 0;
  std::optional<Backlog> backlog_;
};

}  // namespace millrace
