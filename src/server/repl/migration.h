// MIGRATE: keys go to another server and, once it has them, leave this one. The client waits, the
// loop does not.
//
//   kDialling --> kTalking: [AUTH] SELECT RESTORE RESTORE ...  --a reply each--> kDone
//                     ^                                                            |
//                     +---- again(): what has changed meanwhile -------------------+
//
// Redis stands still while it migrates, so that a key cannot change between its dump and its
// deletion. Here it can; the handler (commands/migrate.cc) therefore dumps it once more before it
// deletes it, and sends again what is another now.
//
// Each migration has a connection of its own, which ends with it. Thread: the main loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ae/net/connection_table.h"
#include "ae/net/dialer.h"
#include "ae/net/resolver.h"
#include "proto/reply_parser.h"
#include "server/command/services.h"
#include "server/command/session.h"

namespace millrace {

struct MigrationTarget {
  std::string host;
  uint16_t port = 0;
  uint8_t db = 0;
  int64_t timeout_ms = 0;  // of silence
  bool replace = false;
  std::string user = {};
  std::string password = {};  // empty: no AUTH
};

struct MigratingKey {
  std::string name;
  int64_t expire_at_ms = 0;  // kNoExpiry: never
  std::string payload;       // DUMP's
  bool arrived = false;      // RESTORE was answered with OK
};

class Migration {
 public:
  // What all migrations share.
  struct Parts {
    ae::EventLoop& loop;
    ae::ConnectionTable& table;
    ae::Dialer& dialer;
    ae::ConnectionHandler& handler;           // hands over what comes (answered, lost)
    std::unique_ptr<ae::Resolver>& resolver;  // a thread: made when there is a name to resolve
  };
  using Done = ae::Callback<void()>;

  // `done` is called from the loop, each time all has been answered or has failed.
  // The connection's user word will be `number`.
  Migration(Parts parts, uint64_t number, MigrationTarget target, std::vector<MigratingKey> keys,
            Done done);
  ~Migration();
  Migration(const Migration&) = delete;
  Migration& operator=(const Migration&) = delete;

  bool is_done() const { return state_ == State::kDone; }
  std::vector<MigratingKey>& keys() { return keys_; }
  // The first thing that went wrong, as the client is told. Empty: nothing.
  const std::string& error() const { return error_; }
  size_t rounds() const { return rounds_; }
  // Sends these in the place of what was sent, over the same connection.
  void again(std::vector<MigratingKey> keys);

  // --- of its connection
  void answered(ae::Bytes bytes);
  void lost();
  bool is_on(ae::Connection connection) const { return connection.id() == connection_.id(); }

 private:
  enum class State : uint8_t { kDialling, kTalking, kDone };

  void resolve();
  void dial(std::vector<ae::Address> addresses);
  void dialled(ae::Result<int> fd);
  void introduce();
  void send_keys();
  void take_reply(const proto::ReplyValue& reply);
  void fail(std::string error);
  void finish();
  void watch_silence();

  Parts parts_;
  uint64_t number_;
  MigrationTarget target_;
  std::vector<MigratingKey> keys_;
  Done done_;
  State state_ = State::kDialling;
  std::string error_;
  size_t rounds_ = 0;
  size_t introductions_ = 0;  // replies to AUTH and SELECT that are to come
  size_t next_reply_ = 0;     // of keys_
  ae::DialId dial_;
  uint64_t question_ = 0;
  ae::Connection connection_;
  ae::TimerId silence_;
  proto::ReplyParser parser_;
};

// Those under way, each a client's.
class Migrations final : private ae::ConnectionHandler {
 public:
  Migrations(ae::EventLoop& loop, ae::ConnectionTable& table, Services& services, uint64_t seed);

  // Null: none.
  Migration* find(SessionId session);
  void start(SessionId session, MigrationTarget target, std::vector<MigratingKey> keys);
  void forget(SessionId session) { of_.erase(session.packed()); }

 private:
  size_t on_data(ae::Connection connection, ae::MutableBytes data) override;
  void on_closed(ae::Connection connection, ae::CloseReason reason) override;

  Services& services_;
  ae::Dialer dialer_;
  std::unique_ptr<ae::Resolver> resolver_;
  Migration::Parts parts_;
  std::unordered_map<uint64_t, std::unique_ptr<Migration>> of_;  // by the packed SessionId
};

}  // namespace millrace
