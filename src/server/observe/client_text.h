// What a client is called and how it is written: names, and the lines of CLIENT LIST.
#pragma once

#include <string>
#include <string_view>

#include "server/command/clients.h"
#include "server/command/services.h"
#include "server/command/session.h"

namespace millrace {

// Whether a word can stand in a line of CLIENT LIST: printable, no space.
bool is_client_word(std::string_view text);

// An empty name takes the name away.
void set_client_name(Clients& clients, Session& session, std::string_view name);

// What a client holds, in bytes: tot-mem.
size_t client_bytes(Services& services, const Session& session);

// Appends Redis' line for one client, with its end:
//
//   id=3 addr=127.0.0.1:52555 laddr=127.0.0.1:6379 fd=8 name= age=855 idle=0 flags=N db=0 sub=0 ...
//
// All of Redis' fields, in its order. Two flags are ours: a, came in by the admin lane; h, asked
// for a heartbeat. Of the buffers Redis speaks of, a client here has two at most: half a request
// that was read (qbuf, and qbuf-free for its rest), and replies that the kernel did not take (omem,
// counted as one in oll). The others are 0 because they do not exist.
void append_client_line(std::string& text, Services& services, const Session& session);

// The link to our master is no client here, but it is one of Redis', where tools look for it.
struct MasterClient {
  std::string peer = {}, local = {};
  int descriptor = -1;
  int64_t age_s = 0, idle_s = 0;
  uint8_t db = 0;
  size_t unread_bytes = 0, unsent_bytes = 0;
};
// The same line, with the flag M. Its id is 0, which no client has: it is not ended by it.
void append_master_line(std::string& text, const MasterClient& master);

}  // namespace millrace
