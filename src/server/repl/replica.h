// What the leader knows of a replica of ours: a client whose pushes are the stream of changes.
//
//   kAnnounced   it has said REPLCONF, and not yet PSYNC
//   kWaiting     for a snapshot to begin; it has had no answer to its PSYNC
//   kMaking      a snapshot for it is being made; changes since are held back
//   kSending     ... and is on its way from a file
//   kArriving    all of the snapshot has been pushed; its first ACK will say that it is loaded
//   kOnline      it gets the stream
//
// A plain record. Thread: the one that runs commands.
#pragma once

#include <cstdint>
#include <string>

#include "ae/base/clock.h"
#include "server/command/session.h"

namespace millrace {

// What a snapshot shall hold. Replicas want all of it; tools that make a backup may want less.
enum class SnapshotContents : uint8_t { kAll, kFunctions, kNothing };

struct Replica {
  enum class State : uint8_t { kAnnounced, kWaiting, kMaking, kSending, kArriving, kOnline };

  SessionId session;
  State state = State::kAnnounced;
  // --- as it says of itself
  uint16_t listening_port = 0;
  std::string announced_ip = {};  // empty: where its connection comes from
  bool knows_eof = false;         // a snapshot may end with a mark
  bool knows_psync2 = false;
  bool speaks_psync = true;          // else it came by SYNC: is told no offset, acknowledges none
  bool wants_snapshot_only = false;  // a tool that makes a backup
  SnapshotContents contents = SnapshotContents::kAll;
  // --- how far it is
  ae::TimePoint since = {};  // when it began to wait
  int64_t acked_offset = 0;
  int64_t synced_offset = 0;  // in its append-only file
  ae::TimePoint acked_at = {};
  // Of its snapshot, with its connection; looked at once a second.
  size_t unsent_bytes = 0;
  // The stream since the snapshot that it is getting.
  std::string held = {};

  bool is_replica() const { return state != State::kAnnounced; }
  bool holds_back() const {
    return state == State::kMaking || state == State::kSending || state == State::kArriving;
  }
};

// INFO's word.
constexpr const char* name(Replica::State state) {
  switch (state) {
    case Replica::State::kWaiting:
    case Replica::State::kMaking:
      return "wait_bgsave";
    case Replica::State::kSending:
      return "send_bulk";
    default:
      return "online";
  }
}

}  // namespace millrace
