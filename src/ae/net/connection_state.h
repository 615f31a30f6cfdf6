// The life of a connection as one table. Nothing else decides which state may follow which.
//
//   from \ to     Connecting   Open   Draining   Closing   Closed
//   Connecting        .         x        .          x         .
//   Open              .         .        x          x         .
//   Draining          .         .        .          x         .
//   Closing           .         .        .          .         x
//   Closed            .         .        .          .         .
//
//   Connecting  the kernel's connect() is under way; output may be queued already
//   Open        bytes flow
//   Draining    close_after_flush(): input is thrown away, output still leaves, a deadline runs
//   Closing     close(): no event reaches the handler any more; waits for the reap phase
//   Closed      inside on_closed, the last call; after it the record is gone
//
// The names are the same in code, logs, CLIENT LIST and tests: name(ConnectionState) and
// name(CloseReason) of connection.h, defined beside the table.
#pragma once

#include "ae/net/connection.h"

namespace ae {

bool may_follow(ConnectionState from, ConnectionState to);

// Moves `state` on; a step that the table forbids is a programming error.
void enter(ConnectionState& state, ConnectionState next);

// Which reason stands behind an errno of read, write or SO_ERROR on an established connection: the
// peer or the network (kPeerReset), or ourselves (kSystemError).
CloseReason reason_of_error(int error);

}  // namespace ae
