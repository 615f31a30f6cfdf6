// The life of the process as a handler may see and end it (SHUTDOWN, DEBUG SLEEP's clock, INFO
// server). Implemented by the composition root.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/command/client_memory.h"
#include "server/command/saving.h"
#include "server/command/server_stats.h"

namespace ae {
class TickAccount;
}

namespace millrace {

struct ShutdownRequest {
  bool now = false;    // do not wait for anything
  bool force = false;  // ignore what would forbid it
  FinalSave save = FinalSave::kIfConfigured;
};

enum class ShutdownAnswer : uint8_t {
  kEnds,    // with this tick
  kWaits,   // for replicas that lack something; who asks waits too
  kFailed,  // the data could not be saved, and the server goes on; why is in the log
};

// An IO thread as of its last tick.
struct IoThreadFacts {
  size_t number = 0;
  uint64_t clients = 0;
  uint64_t reads = 0;
  uint64_t writes = 0;
  uint64_t batches = 0;  // handed to the main thread
  uint64_t ticks = 0;
  uint64_t busy_us = 0;   // outside of waiting
  bool retiring = false;  // takes no new clients
};

// A loop of the process: the one that runs commands comes first.
struct LoopView {
  std::string name;  // "main", "io-1"
  const ae::TickAccount* account;
  size_t number = 0;  // stays the same while others come and go
};

class Lifecycle {
 public:
  // Orderly end: save, stop accepting, deliver pending output, remove pidfile and socket, return
  // from run(). Nothing is written to the data from now on.
  virtual ShutdownAnswer request_shutdown(ShutdownRequest request) = 0;
  virtual bool abort_shutdown() = 0;  // false when none is under way
  // Until replicas are waited for no longer; nothing where none are.
  virtual std::optional<int64_t> shutdown_in_ms() const = 0;
  virtual int port() const = 0;                        // 0 when TCP is off
  virtual std::string_view executable() const = 0;     // absolute path
  virtual std::string_view config_file() const = 0;    // empty when none
  virtual std::string_view run_id() const = 0;         // 40 hex digits, new at each start
  virtual std::string_view event_backend() const = 0;  // "epoll"
  virtual Traffic traffic() const = 0;                 // since the start
  virtual Traffic traffic_of_threads() const = 0;      // of that, by IO threads
  virtual std::vector<IoThreadFacts> io_threads() const = 0;
  virtual std::span<const LoopView> loops() const = 0;
  // IO threads stand still for it.
  virtual ClientMemory client_memory() = 0;

 protected:
  ~Lifecycle() = default;
};

}  // namespace millrace
