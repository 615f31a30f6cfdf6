// What a handler sees: its arguments, the keyspace, the reply, and the services of the server.
// Nothing else: no socket, no thread, no global. A handler is a plain function
//
//   // GET key
//   void get(Context& c) {
//     Entry* entry = c.read(1, Type::kString);
//     if (c.failed()) return;                       // WRONGTYPE has been answered
//     if (!entry) return c.reply().null();
//     TextBuffer buffer;
//     c.reply().bulk(entry->text(buffer));
//   }
//
// Rules for handlers: write exactly one reply (fail() counts as one); never block; report every
// change of a key through modified() or removed(), after it was made. Entry pointers are good until
// the next change of the keyspace.
//
// Lookups here know about time: a key whose expiry has passed is deleted on sight (lazy expiry) and
// reported absent. The Keyspace below knows nothing of time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "proto/reply_writer.h"
#include "server/command/blocking.h"
#include "server/command/errors.h"
#include "server/command/services.h"
#include "server/command/session.h"
#include "server/db/keyspace.h"

namespace millrace {

class Context {
 public:
  Context(Services& services, Session& session, const Command& command,
          std::span<const std::string_view> args, proto::ReplyWriter& reply)
      : services_(services),
        session_(session),
        command_(command),
        args_(args),
        reply_(reply),
        db_(&services.databases[session.db]) {}

  // --- the request
  std::span<const std::string_view> args() const { return args_; }
  std::string_view arg(size_t position) const { return args_[position]; }
  size_t arg_count() const { return args_.size(); }
  const Command& command() const { return command_; }
  std::string_view command_name() const { return command_.full_name; }  // "set", "client|getname"

  // --- the reply
  proto::ReplyWriter& reply() { return reply_; }
  // Answers an error ("ERR ...", without '-'); the first one wins, later calls do nothing.
  void fail(std::string_view error);
  // The same for an error that errorstats has counted where it came from: within a script.
  void fail_counted(std::string_view error);
  // An error stands in the reply already.
  void note_failure() { failed_ = true; }
  bool failed() const { return failed_; }

  // --- keys
  Keyspace& db() { return *db_; }
  void select(uint8_t db);
  // The key at an argument position, hashed. The dispatcher has hashed the first key already.
  Key key(size_t position) {
    if (position == hashed_position_) return {args_[position], hash_};
    return key(args_[position]);
  }
  Key key(std::string_view name) { return {name, db_->hash(name)}; }
  void set_known_hash(size_t position, uint64_t hash) { hashed_position_ = position, hash_ = hash; }

  // Lookup for a reader: counts a hit or a miss, refreshes the access time.
  Entry* read(Key key);
  // Lookup for a writer: refreshes the access time, counts nothing.
  Entry* write(Key key);
  // Lookup for whoever asks about the key, not for its value (EXISTS, TYPE, TTL): counts a hit
  // or a miss, leaves the access time alone.
  Entry* inspect(Key key);
  // Lookup that leaves no trace (OBJECT, MEMORY USAGE).
  Entry* peek(Key key);
  // The same with a type check: another type answers WRONGTYPE, and failed() is true.
  Entry* read(size_t position, Type type) { return expect(read(key(position)), type); }
  Entry* write(size_t position, Type type) { return expect(write(key(position)), type); }
  Entry* expect(Entry* entry, Type type) {
    if (!entry || entry->type() == type) return entry;
    fail(errors::kWrongType);
    return nullptr;
  }

  // --- effects: what the rest of the server must learn of a change. `event` is the keyspace
  // event's name ("set", "lpush", "expire").
  void modified(Key key, KeyEventClass event_class, std::string_view event) {
    services_.effects.modified(session_.db, key, event_class, event);
  }
  // Deletes the key and reports it ("del" unless said otherwise).
  void remove(Key key, std::string_view event = "del");
  // For a collection that a command has emptied: reports `event`, then deletes the key with "del".
  void remove_if_empty(Key key, Entry* entry);

  // What stands in the stream of changes in the place of this command's own words, where those
  // would not do the same later or elsewhere (feed.h). Once more: a further command.
  void feed_instead(std::initializer_list<std::string_view> words) {
    services_.feed.instead(words);
  }
  void feed_instead(std::span<const std::string_view> words) { services_.feed.instead(words); }
  bool feeds() const { return services_.feed.open(); }
  // Those who run others (EXEC, scripts): the others have said it.
  void feed_nothing() { services_.feed.nothing(); }
  // Whether a time of expiry has come, so that the key goes instead of getting it. Not where a
  // stream of changes, or a master, will say when it goes.
  bool is_past(int64_t at_ms) const {
    return at_ms <= now_ms() && !session_.replays && !services_.state.follows_master();
  }

  // --- waiting for a key (blocking.h)
  bool may_block() const { return !inner_; }
  void block(const BlockTerms& terms);
  bool blocked() const { return blocked_; }
  // Run by another command: EXEC, a script.
  void set_inner() { inner_ = true; }
  bool is_inner() const { return inner_; }

  // --- the server
  Services& services() { return services_; }
  Session& session() { return session_; }
  const Config& config() const { return services_.config; }
  int64_t now_ms() const { return services_.tick.unix_us / 1000; }

 private:
  Entry* drop_if_expired(Key key, Entry* entry);
  Entry* meet_expired(Key key, Entry* entry);
  void touch(Entry& entry);

  Services& services_;
  Session& session_;
  const Command& command_;
  std::span<const std::string_view> args_;
  proto::ReplyWriter& reply_;
  Keyspace* db_;
  uint64_t hash_ = 0;
  size_t hashed_position_ = SIZE_MAX;
  bool failed_ = false;
  bool blocked_ = false;
  bool inner_ = false;
};

}  // namespace millrace
