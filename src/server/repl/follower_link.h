// The link to our master: an ordinary ae::Connection that the dialer opened.
//
//   kNone      nobody is followed: before start() and after stop()
//   kConnect --dial--> kConnecting --> kHandshake --+CONTINUE-------------------> kConnected
//      ^                                   |                                          ^
//      |                                   +--+FULLRESYNC--> kReceiving --> kLoading -+
//      +---- any of them, when the link closes: again after a pause that doubles
//
// While a snapshot is received the old data is served; it goes when the new file is whole, by its
// checksum, and begins to be loaded, in slices between which clients get -LOADING. Whatever a
// master sends or fails to send ends in kConnect with a line in the log; what had been applied by
// then is the point to go on from.
//
// The link knows what to do with bytes; what it means for the server (history, roles, replicas of
// our own) is its owner's.
//
// Thread: the main loop's. It dies before the loop and the table.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ae/net/connection_table.h"
#include "ae/net/dialer.h"
#include "ae/net/resolver.h"
#include "server/command/replayer.h"
#include "server/config/config.h"
#include "server/observe/client_text.h"
#include "server/persist/storage.h"
#include "server/repl/follower_handshake.h"
#include "server/repl/master_stream.h"
#include "server/repl/received_file.h"
#include "server/repl/snapshot_install.h"
#include "server/repl/snapshot_seal.h"
#include "server/repl/snapshot_transfer.h"
#include "server/repl/synced_offset.h"

namespace millrace {

class FollowerLink final : private ae::ConnectionHandler, private MasterStream::Target {
 public:
  enum class State : uint8_t {
    kNone,
    kConnect,
    kConnecting,
    kHandshake,
    kReceiving,
    kLoading,
    kConnected,
  };

  class Owner {
   public:
    virtual FollowerHandshake::Terms terms() = 0;
    // A snapshot is whole and will replace everything: replicas of our own must copy it too.
    virtual void data_goes() = 0;
    // ... and has; it holds the history up to here. Nothing: loading it failed, and there is no
    // data.
    virtual void data_came(const std::optional<ResumePoint>& point) = 0;
    // The master goes on where we stopped; `id` is empty if its history has the name it had.
    virtual void goes_on(std::string_view id) = 0;
    // He will not have us.
    virtual void refused(std::string_view problem) = 0;
    virtual void applied(std::string_view bytes) = 0;
    virtual int64_t applied_offset() const = 0;
    // Up or down, or on its way.
    virtual void link_changed() = 0;

   protected:
    ~Owner() = default;
  };

  // How long a master is waited for before the next attempt: at first, and at most. It doubles in
  // between. Redis tries each second.
  static constexpr ae::Nanoseconds kFirstPause = ae::Milliseconds(100);
  static constexpr ae::Nanoseconds kLongestPause = ae::Seconds(2);

  struct Parts {
    ae::EventLoop& loop;
    ae::ConnectionTable& table;
    Services& services;
    Storage& storage;
    uint64_t seed = 0;
  };

  FollowerLink(Parts parts, Owner& owner);
  ~FollowerLink();
  FollowerLink(const FollowerLink&) = delete;
  FollowerLink& operator=(const FollowerLink&) = delete;

  // Follows this one from now on, and nobody else.
  void start(MasterAddress master);
  void stop();
  // Ends the connection; a new one is made after the usual pause.
  void cut();
  // Tells the master how far we are, now.
  void acknowledge();
  // Once a second: acknowledgements, timeouts.
  void tick();

  const MasterAddress& master() const { return master_; }
  State state() const { return state_; }
  bool is_up() const { return state_ == State::kConnected; }
  // The database that the stream's next command is for: a SELECT is not said twice.
  uint8_t stream_db() const { return replayer_.db(); }
  void select_stream_db(uint8_t db) { replayer_.select(db); }
  bool is_copying() const { return state_ == State::kReceiving || state_ == State::kLoading; }

  // --- for INFO
  size_t held_bytes() const { return held_bytes_; }
  int64_t seconds_since_io() const;
  int64_t seconds_down() const;
  // As a client of ours, once the stream flows.
  std::optional<MasterClient> as_client() const;
  const SnapshotTransfer* transfer() const { return transfer_ ? &*transfer_ : nullptr; }

 private:
  // --- the way to the master (follower_link.cc)
  void connect();
  void dial(std::vector<ae::Address> addresses);
  void dialled(ae::Result<int> fd);
  void retry_later();
  void fail(std::string_view problem);
  void abandon();
  bool has_timed_out() const;
  bool must_hold() const;
  bool is_held() const;
  void set_state(State state);

  // --- what is said on it (follower_link_data.cc)
  size_t on_data(ae::Connection connection, ae::MutableBytes data) override;
  void on_closed(ae::Connection connection, ae::CloseReason reason) override;
  bool is_open() const;
  size_t shake_hands(ae::Bytes bytes);
  void greeted(FollowerHandshake::Outcome outcome);
  void begin_transfer(ResumePoint promised);
  size_t receive(ae::Bytes bytes);
  void received();
  void load_some();
  void loaded();
  void remove_unkept();
  void follow_stream();
  size_t follow(ae::MutableBytes bytes);
  void note_failure(std::string_view command);

  // --- MasterStream::Target
  std::optional<std::string> run(std::span<const std::string_view> args) override;
  bool in_transaction() const override { return replayer_.in_transaction(); }
  void applied(std::string_view bytes) override { owner_.applied(bytes); }
  void asked_for_ack() override { acknowledge(); }

  ae::EventLoop& loop_;
  ae::ConnectionTable& table_;
  Services& services_;
  Storage& storage_;
  Owner& owner_;
  MasterAddress master_;
  ae::Dialer dialer_;
  std::unique_ptr<ae::Resolver> resolver_;  // has a thread: only where the host is a name
  ae::Connection connection_;
  State state_ = State::kNone;
  size_t held_bytes_ = 0;  // of the stream: here, and not applied yet
  ae::TimePoint last_io_, up_since_, down_since_;
  ae::Nanoseconds pause_ = kFirstPause;
  ae::TimerId retry_, loading_;
  ae::DialId dial_;
  uint64_t question_ = 0;  // to the resolver

  std::optional<FollowerHandshake> handshake_;
  std::optional<SnapshotTransfer> transfer_;
  SnapshotSeal seal_;
  SyncedOffset synced_;
  ResumePoint promised_;  // what the snapshot under way holds
  std::unique_ptr<ReceivedFile> file_;
  std::unique_ptr<SnapshotInstall> install_;
  Replayer replayer_;
  std::optional<MasterStream> stream_;
};

// ROLE's word.
const char* name(FollowerLink::State state);

}  // namespace millrace
