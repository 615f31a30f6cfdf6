// What a replica says to its master before it gets data: a state machine over bytes, without a
// socket or a clock.
//
//   PING                                  +PONG, or an error that asks for AUTH
//   AUTH [user] password                  where masterauth is set
//   REPLCONF listening-port <port>        an old master may refuse these three
//   REPLCONF ip-address <ip>              where replica-announce-ip is set
//   REPLCONF capa eof capa psync2
//   PSYNC <id> <offset> [FAILOVER]        +FULLRESYNC <id> <offset>, +CONTINUE [<id>], or an error
//   SYNC                                  to a master that does not know PSYNC: a snapshot follows
//
//   FollowerHandshake handshake(terms);
//   send(handshake.begin());
//   for (;;) {                                        // as bytes come
//     auto step = handshake.feed(bytes);              // takes one line at most
//     bytes.remove_prefix(step.consumed);
//     send(step.send);
//     if (step.outcome != kPending) break;            // the rest of `bytes` is snapshot or stream
//   }
//
// Everything from AUTH to the last REPLCONF is sent at once, and PSYNC when all have been answered.
// A master that is busy sends empty lines meanwhile; they are skipped.
//
// Thread: none of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "ae/base/bytes.h"

namespace millrace {

// Where a replica stands in a history.
struct ResumePoint {
  std::string id;
  int64_t offset = 0;  // the first byte it lacks

  bool operator==(const ResumePoint&) const = default;
};

class FollowerHandshake {
 public:
  // Lines are statuses and errors. Redis reads at most this much of one.
  static constexpr size_t kMaxLineBytes = 1024;

  struct Terms {
    std::string user = {};      // empty: AUTH by password alone
    std::string password = {};  // empty: no AUTH
    uint16_t listening_port = 0;
    std::string announced_ip = {};           // empty: the master sees it
    std::optional<ResumePoint> resume = {};  // nothing: PSYNC ? -1
    bool failover = false;                   // the master shall hand over to us
  };

  enum class Outcome : uint8_t {
    kPending,
    kFullSync,  // a snapshot follows; granted()
    kContinue,  // the stream follows; granted()
    kOldSync,   // a snapshot follows, of a history without a name
    kFailed,    // problem()
  };
  struct Step {
    size_t consumed = 0;
    Outcome outcome = Outcome::kPending;
    std::string send = {};
  };

  explicit FollowerHandshake(Terms terms) : terms_(std::move(terms)) {}

  std::string begin();
  Step feed(ae::Bytes bytes);

  // kFullSync: the id and how many bytes of the history the snapshot has. kContinue: the id the
  // master goes on with (empty: the one we asked for) and 0.
  const ResumePoint& granted() const { return granted_; }
  // A sentence for the log.
  const std::string& problem() const { return problem_; }
  // What is waited for, for log and tests.
  std::string_view state_name() const;

 private:
  enum class State : uint8_t {
    kPing,
    kAuth,
    kListeningPort,
    kIpAddress,
    kCapabilities,
    kSync,
    kDone
  };

  Step take_line(std::string_view line);
  Step fail(std::string problem);
  std::string introduce();
  std::string ask_to_sync();
  Step pong(std::string_view line);
  Step introduced(std::string_view line);
  Step sync_answered(std::string_view line);
  Step full_sync(std::string_view words);
  Step refused(std::string_view line);

  Terms terms_;
  State state_ = State::kPing;
  std::deque<State> expected_;  // replies of the introduction that are to come
  std::string line_;            // the piece of a line that has come
  ResumePoint granted_;
  std::string problem_;
};

}  // namespace millrace
