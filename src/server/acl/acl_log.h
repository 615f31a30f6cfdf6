// ACL LOG: what was denied, to whom, and how often. The newest first; one that is like another of
// the last minute is counted there, so that a client that tries again and again does not wash
// everything else away.
//
// Thread: the loop that runs commands. Holds at most `acllog-max-len` entries; an entry costs the
// lengths of its texts.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "server/acl/decision.h"

namespace millrace::acl {

// Where the refused request stood.
enum class Place : uint8_t { kTopLevel, kMulti, kScript };

enum class Denied : uint8_t { kCommand, kKey, kChannel, kLogin };
Denied denied(Denial::Reason reason);

// As ACL LOG writes them: "toplevel", "command".
std::string_view name_of(Place place);
std::string_view name_of(Denied what);

class AclLog {
 public:
  struct Entry {
    uint64_t count = 1;
    Denied what = Denied::kCommand;
    Place place = Place::kTopLevel;
    std::string object;  // the command, key or channel; for a login the command that tried
    std::string user;
    std::string client;  // its line in CLIENT LIST
    uint64_t id = 0;
    int64_t created_ms = 0;  // Unix time
    int64_t updated_ms = 0;
  };

  // INFO's acl_access_denied_... fields. Never reset.
  struct Counts {
    uint64_t commands = 0;
    uint64_t keys = 0;
    uint64_t channels = 0;
    uint64_t logins = 0;
  };

  // Takes what, place, object, user and client of `entry`.
  void add(Entry entry, int64_t now_ms, uint64_t limit);
  void trim(uint64_t limit);
  void reset() { entries_.clear(); }

  const std::deque<Entry>& entries() const { return entries_; }
  const Counts& counts() const { return counts_; }

 private:
  void count(Denied what);

  std::deque<Entry> entries_;
  Counts counts_;
  uint64_t next_id_ = 0;
};

}  // namespace millrace::acl
