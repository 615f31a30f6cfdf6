// What travels between an IO thread and the main thread: one object that owns all its bytes.
//
//        IO thread                                   main thread
//   reads, parses, resolves ──── requests ────▶  runs them, in order
//   sends, closes           ◀─── deliveries ───  replies, pushes, orders
//
// The thread fills the upper half, pushes the batch into its ring, and gets the same object back
// with the lower half filled. A batch that the main thread starts by itself (a push to a client
// that asked for nothing) comes with the upper half empty. Rings keep order, so requests of a
// client run in the order they were read, and what is sent to it leaves in the order it was made,
// replies and pushes alike.
//
// One batch at most holds requests of a connection: until it is back the connection is paused
// (PauseReason::kBusy), which costs nothing while the peer waits for its reply.
//
// Thread: whoever has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ae/net/connection.h"
#include "proto/request_limits.h"
#include "server/config/config.h"
#include "server/core/reply_arena.h"
#include "server/core/request_batch.h"
#include "server/net/byte_blocks.h"
#include "server/net/client_door.h"

namespace millrace {

// To the main thread: something has become of a connection.
struct IoNotice {
  enum class Kind : uint8_t {
    kArrived,        // accepted by this thread; no session yet, and paused until it has one
    kAdopted,        // what main handed out is a connection now
    kProtocolError,  // `bytes` is how the offending request begins, `text` what is wrong with it
    kGone,           // the connection of this session has ended, or never came to be
  };
  Kind kind;
  Origin origin = Origin::kTcp;
  ae::ConnectionId connection = {};
  SessionId session = {};
  std::string_view bytes = {};
  std::string_view text = {};
};

// To the IO thread: do this with a connection.
struct IoDelivery {
  enum class Kind : uint8_t {
    kSend,             // `bytes`: a reply or a push
    kClose,            // for `reason`
    kCloseAfterFlush,  // the same, behind what is still to be sent
    kSuspend,          // read no further requests; `bytes` go before what is unread
    kResume,
    kWelcome,  // to kArrived: this is its session
    kAdopt,    // `fd` is a new client's, with this session
  };
  Kind kind;
  ae::CloseReason reason = ae::CloseReason::kNone;
  ae::PauseReason pause = ae::PauseReason::kAdmission;  // kSuspend, kResume
  bool authenticated = false;                           // kWelcome, kAdopt
  ClientClass limits = ClientClass::kNormal;            // kSend: whose output limits hold
  int fd = -1;
  ae::ConnectionId connection = {};
  SessionId session = {};
  std::string_view bytes = {};
};

// The configuration that an IO thread goes by: a copy of its own.
struct IoSettings {
  proto::RequestLimits limits;
  OutputBufferLimit output;
  OutputBufferLimit output_of_replicas;
  OutputBufferLimit output_of_subscribers;
  ae::Nanoseconds long_tick{0};
};

struct IoBatch {
  // --- filled by the IO thread
  struct Client {
    ae::ConnectionId connection = {};
    SessionId session = {};
    bool authenticated = false;  // as of the return
  };
  RequestBatch requests;          // their arguments are in `bytes`
  std::vector<Client> clients;    // whose requests these are, each once
  std::vector<IoNotice> notices;  // kArrived and kAdopted come before the requests, the rest behind
  // --- filled by the main thread
  std::vector<IoDelivery> deliveries;
  ReplyArena replies;
  std::optional<IoSettings> settings;  // new ones, from here on
  // --- both
  ByteBlocks bytes;
  bool from_thread = false;  // and not started by main

  size_t list_bytes() const {
    return requests.memory_bytes() + clients.capacity() * sizeof(Client) +
           notices.capacity() * sizeof(IoNotice) + deliveries.capacity() * sizeof(IoDelivery);
  }
  bool has_news() const { return !clients.empty() || !notices.empty(); }
  // The bytes of the deliveries have left.
  void clear() {
    requests.clear();
    clients.clear();
    notices.clear();
    deliveries.clear();
    replies.retire();
    replies.recycle();
    settings.reset();
    bytes.clear();
    from_thread = false;
  }
};

}  // namespace millrace
