// The stream of changes: the commands that a replica must run, or an append-only file must hold, to
// have the same data.
//
// Most commands that changed something stand in it as they came. Where their words would mean
// something else later or elsewhere (a time to live, a random choice, "now" in a stream's id), the
// handler says with instead() what did happen. Keys that go by themselves (expiry, eviction) stand
// in it as DEL or UNLINK, so nobody who follows needs a clock.
//
//   Feed::Frame frame = feed.begin(db, changes);        // core/dispatch.cc, around every command
//   ... feed.instead({"SET", key, value, "PXAT", at}) ...
//   feed.end(frame, args, changes);
//
// Commands within a command (EXEC, scripts) are frames within its frame. What the outermost of them
// brings about leaves together when it ends: wrapped in MULTI and EXEC if it is more than one
// command, because it happened at once. This is effects replication, as in Redis 5 and later.
//
// A feed without sinks costs a request one test of open(). Sinks are told at once, on the thread of
// the loop, in the order they were attached; they must not run commands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

// Who follows. A script may leave some of them out (redis.set_repl).
enum class Audience : uint8_t { kNobody = 0, kAppendOnly = 1, kReplicas = 2, kEverybody = 3 };

class FeedSink {
 public:
  using Words = std::span<const std::string_view>;

  explicit FeedSink(Audience part = Audience::kEverybody) : part_(part) {}
  bool belongs_to(Audience audience) const { return (uint8_t(part_) & uint8_t(audience)) != 0; }

  // MULTI and EXEC come as commands of the database of those between them.
  virtual void on_command(uint8_t db, Words words) = 0;
  // What is no change of the data and is not kept (PUBLISH): for replicas.
  virtual void on_message(uint8_t /*db*/, Words /*words*/) {}

 protected:
  ~FeedSink() = default;

 private:
  Audience part_;
};

class Feed {
 public:
  using Words = FeedSink::Words;

  struct Frame {
    uint64_t changes = 0;
    uint8_t db = 0;
    bool outer_replaced = false;
  };

  void attach(FeedSink& sink);
  void detach(FeedSink& sink);
  bool open() const { return open_; }
  // Nothing is told in between: what runs comes out of such a stream itself (loading). Both outside
  // of commands, or both within one.
  void mute() { set_muted(true); }
  void unmute() { set_muted(false); }

  // For whom is what commands do from now on. Keys that go by themselves are for everybody.
  void set_audience(Audience audience) { audience_ = audience; }

  // --- around a command that runs while the feed is open. `changes`: Effects::changes().
  Frame begin(uint8_t db, uint64_t changes);
  void end(const Frame& frame, Words words, uint64_t changes);

  // --- for the handler of the running command; nothing happens while the feed is closed
  // In the place of its own words; once more: a further command.
  void instead(std::initializer_list<std::string_view> words) {
    instead(Words(words.begin(), words.size()));
  }
  void instead(Words words);
  // Its own words do not count: others have said what it did (EXEC), or nobody need know.
  void nothing() { replaced_ = true; }
  // What it comes across did not happen at once (the expired keys that a SCAN meets): no
  // transaction around it, unless the command stands within another.
  void not_at_once() { at_once_ = depth_ != 1; }
  void message(Words words);

  // A key is gone by itself, now.
  void key_went(uint8_t db, std::string_view key, std::string_view verb);

 private:
  // One command that waits for the end of the outermost frame; its words are in words_.
  struct Pending {
    uint8_t db;
    Audience audience;
    size_t first;
    size_t count;
    size_t start;  // where in bytes_
  };

  void set_muted(bool muted);
  void refresh() { open_ = !sinks_.empty() && !muted_; }
  void keep(uint8_t db, Words words, Audience audience);
  void send_pending();
  void send_pending_to(FeedSink& sink);
  void send(uint8_t db, Words words, Audience audience);

  std::vector<FeedSink*> sinks_;
  bool open_ = false;
  bool muted_ = false;
  bool replaced_ = false;  // the running command's own words
  uint8_t db_ = 0;         // of the running command
  size_t depth_ = 0;
  bool at_once_ = true;  // what waits in pending_
  Audience audience_ = Audience::kEverybody;
  std::vector<Pending> pending_;
  std::vector<size_t> lengths_;  // of the words of pending_, whose bytes are one after the other
  std::string bytes_;
};

}  // namespace millrace
