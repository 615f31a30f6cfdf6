// The parts of the server that handlers may use, by reference. server.cc constructs and wires them;
// this is only the list. A family includes the headers of the parts it uses.
#pragma once

#include <cstdint>

#include "server/command/effects.h"
#include "server/command/feed.h"
#include "server/command/persistence_facts.h"
#include "server/command/script_facts.h"
#include "server/command/server_state.h"
#include "server/command/server_stats.h"
#include "server/db/access_clock.h"
#include "server/db/databases.h"
#include "server/db/lazy_free.h"

namespace ae {
class Prng;
}

namespace millrace {

class Acl;
class AppendOnly;
class Blocking;
class Clients;
class CommandRunner;
class CommandStats;
class CommandTable;
class ConfigStore;
class Heartbeats;
class LatencyMonitor;
class Lifecycle;
class LoadMeter;
class Migrations;
class MonitorFeed;
class PubSub;
class Replication;
class ReplicationView;
class Saving;
class Scripting;
class SlowLog;
class TickWatch;
class Tracking;
class WatchedKeys;
struct Config;

// The clock of a tick: read once, when the loop wakes.
struct Tick {
  int64_t unix_us = 0;
  uint32_t uptime_s = 0;  // monotonic
};

struct Services {
  Tick tick;
  const Config& config;       // the values in force
  ConfigStore& config_store;  // CONFIG
  Databases& databases;
  LazyFree& lazy_free;
  Effects& effects;
  Feed& feed;                 // the changes, as commands
  ServerState& state;         // what it can do at present
  AppendOnly& append_only;    // the changes, on disk
  AccessClock& access_clock;  // LRU and LFU
  ServerStats& stats;
  CommandStats& command_stats;
  const CommandTable& commands;
  Clients& clients;
  Acl& acl;  // users and what they may do
  Heartbeats& heartbeats;
  WatchedKeys& watched_keys;
  Blocking& blocking;     // commands that wait for a key
  CommandRunner& runner;  // commands within commands
  PubSub& pub_sub;
  Tracking& tracking;  // client-side caching
  Scripting& scripting;
  Saving& saving;  // snapshots
  SlowLog& slow_log;
  LatencyMonitor& latency;
  TickWatch& ticks;  // what fills a tick, and the longest of them
  LoadMeter& load;
  MonitorFeed& monitors;
  Migrations& migrations;           // MIGRATE
  Replication& replication;         // master and replicas
  const ReplicationView& replicas;  // ... and what is to be told of them
  Lifecycle& lifecycle;
  ae::Prng& prng;
  ScriptFacts script_facts = {};
  PersistenceFacts persistence = {};
  bool active_expiry_enabled = true;  // DEBUG SET-ACTIVE-EXPIRE
  bool cron_paused = false;           // DEBUG PAUSE-CRON
  bool checksums_skipped = false;     // DEBUG SET-SKIP-CHECKSUM-VALIDATION
  size_t list_plain_from = SIZE_MAX;  // DEBUG QUICKLIST-PACKED-THRESHOLD
};

}  // namespace millrace
