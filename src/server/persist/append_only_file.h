// The append-only file: every change of the data, in the order it was made, and now and then the
// data anew, so that the file does not grow for ever. docs/append-only-file.md tells the whole; the
// parts are aof_catalog.h (which files there are), aof_startup.h, aof_writer.h, aof_rewriter.h.
//
//         start with appendonly yes         all is loaded
//   kOff ───────────────────────> kLoading ───────────────> kOn
//    ^ │                                                    ^ │
//    │ └── CONFIG SET appendonly yes ──> kFirstRewrite ─────┘ │
//    └─────────────── CONFIG SET appendonly no ───────────────┘
//
// kFirstRewrite: there is no base yet. What changes meanwhile goes to a temporary increment, which
// counts when the base is there.
//
// In every tick commit() comes before replies leave: what they confirm is in the file, and with
// `appendfsync always` on the disk.
//
// Thread: the main loop's. Errors: a failing disk shows as ServerState's disk trouble, which
// refuses writes, and in the log; what cannot be continued from ends the process by `on_fatal`.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ae/core/event_loop.h"
#include "server/command/append_only.h"
#include "server/command/command_encoder.h"
#include "server/command/feed.h"
#include "server/command/services.h"
#include "server/persist/aof_catalog.h"
#include "server/persist/aof_rewriter.h"
#include "server/persist/aof_startup.h"
#include "server/persist/aof_writer.h"

namespace millrace {

class AppendOnlyFile final : public AppendOnly, private FeedSink {
 public:
  // How often what waits is looked at: a postponed write, a sync that is due, a rewrite.
  static constexpr ae::Nanoseconds kLookInterval = ae::Milliseconds(100);
  // While loading, the log is told how far it is.
  static constexpr ae::Nanoseconds kLogInterval = ae::Seconds(5);
  // Of a tick, while loading: clients get their -LOADING between two of these.
  static constexpr ae::Nanoseconds kLoadSlice = ae::Milliseconds(5);

  struct Parts {
    ae::EventLoop& loop;
    Services& services;
    Storage& storage;
    FileWorker& worker;
    ChildProcess& child;
    // The log has the reason. Does not return, but in tests.
    ae::Callback<void()> on_fatal;
  };
  explicit AppendOnlyFile(Parts parts);
  ~AppendOnlyFile();
  AppendOnlyFile(const AppendOnlyFile&) = delete;
  AppendOnlyFile& operator=(const AppendOnlyFile&) = delete;

  // With `appendonly yes`: from now on the data is loaded, a slice a tick, and then appended to.
  // `on_loaded`: it is there.
  void start(ae::Callback<void()> on_loaded);
  // CONFIG SET appendonly. A refusal is a sentence.
  std::optional<std::string> turn_on();
  void turn_off();
  // To be called when the configuration changes.
  void refresh() { writer_.set_policy(parts_.services.config.appendfsync); }

  // Before replies leave, wherever they do.
  void commit() {
    if (!writer_.empty()) write();
  }
  // Turned on, and what was there before is not yet in it.
  bool lacks_base() const { return state_ == State::kFirstRewrite; }
  // At the end of the process: everything is on the disk when it returns. False: the disk failed.
  bool finish();
  // Called before the loop sleeps, when synced() has changed.
  void on_synced(ae::Callback<void()> hook) { on_synced_ = std::move(hook); }

  // --- AppendOnly
  AppendOnlyStatus status() const override;
  size_t buffered() const override { return writer_.buffered(); }
  Rewrite rewrite(When when) override;
  bool load_again() override;
  void suspend() override { turn_off(); }
  void resume() override;
  bool enabled() const override { return state_ == State::kOn || state_ == State::kFirstRewrite; }
  uint64_t appended() const override { return writer_.position() + writer_.buffered(); }
  // Under `appendfsync no` what is written counts, as in Redis: nobody will say when it is synced.
  uint64_t synced() const override;

 private:
  enum class State : uint8_t { kOff, kLoading, kFirstRewrite, kOn };

  void on_command(uint8_t db, Words words) override;
  void write();
  void note_disk();
  void look();
  void before_sleep();
  AofFiles files() const;

  void start_looking();
  void append_to(std::unique_ptr<File> file, uint64_t bytes);
  void stop_appending();
  void load_slice();
  void log_progress();
  void forget_data();

  // --- rewriting (append_only_file_rewrite.cc)
  bool begin_rewrite();
  ae::Status prepare_rewrite();
  ae::Status switch_increment();
  void rewrite_ended(AofRewriter::Outcome outcome);
  ae::Status adopt_base();
  void drop_history();
  void rewrite_if_due();
  bool is_held_back();
  uint64_t current_bytes() const { return older_bytes_ + writer_.file_bytes(); }

  Parts parts_;
  State state_ = State::kOff;
  std::unique_ptr<AofStartup> startup_;  // kLoading
  ae::Callback<void()> on_loaded_;
  ae::TimePoint load_logged_{};
  std::optional<AofCatalog> catalog_;  // since there was one
  DiskLatency latency_;
  AofWriter writer_;
  CommandEncoder encoder_;
  int64_t last_timestamp_s_ = 0;
  AofRewriter rewriter_;
  bool rewrite_scheduled_ = false;
  uint64_t older_bytes_ = 0;  // of all files but the one appended to
  uint64_t base_bytes_ = 0;   // of all files after the last rewrite
  ae::TimerId timer_{};
  uint64_t synced_told_ = 0;
  ae::Callback<void()> on_synced_;
};

}  // namespace millrace
