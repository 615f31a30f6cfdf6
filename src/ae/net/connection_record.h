// What the table keeps per connection: a flat record, and an extension for the rare moments.
//
//   ConnectionRecord     48 bytes, always      } an idle connection: 52 with its generation,
//   loop registration    28 bytes, always      } 80 in all, and no buffer
//   ConnectionExtension  80 bytes, only while something waits: kept input, queued output, a wish of
//                        the parser, the deadline of a drain
//
// Records have no pointers (handlers, views and extensions are indices), so that a later release
// can hand a table of live connections to a new binary as bytes.
#pragma once

#include <cstdint>

#include "ae/base/slot_map.h"
#include "ae/core/event_loop.h"
#include "ae/net/connection.h"
#include "ae/net/in_buffer.h"
#include "ae/net/out_queue.h"
#include "ae/net/stream.h"

namespace ae {

constexpr uint32_t kNoIndex = UINT32_MAX;

struct ConnectionRecord {
  uint64_t user = 0;
  StreamEnd end;
  uint32_t extension = kNoIndex;
  uint32_t first_view = kNoIndex;  // pending views, a list through the table's view array
  uint32_t last_view = kNoIndex;
  int32_t error = 0;     // errno behind the close reason, 0 for none
  uint16_t handler = 0;  // index into the table's handlers
  ConnectionState state = ConnectionState::kOpen;
  CloseReason reason = CloseReason::kNone;
  uint8_t pauses = 0;  // set of PauseReason

  bool in_flush_list : 1 = false;
  bool in_resume_list : 1 = false;
  bool in_end_list : 1 = false;
  bool kernel_full : 1 = false;    // the kernel refused bytes: wait for Writable
  bool output_waited : 1 = false;  // ... since output was last empty: on_drained is due
  bool watermark_due : 1 = false;  // passed the high watermark, on_high_watermark not called yet
  bool input_ended : 1 = false;    // FIN was read
  bool end_announced : 1 = false;  // ... and on_half_closed called
  bool output_ending : 1 = false;  // shutdown_output(): FIN leaves behind the last byte
  bool output_ended : 1 = false;   // ... it has left
  bool reap_waits : 1 = false;     // the stream is not at rest yet
};
// A million connections are a promise (DESIGN, page 1): each byte here is a megabyte there, and one
// cache line holds what an event touches.
static_assert(sizeof(ConnectionRecord) <= 64);

struct ConnectionExtension {
  KeptInput input;
  OutQueue output;
  size_t keep_at_least = 0;
  TimerId drain_timer;

  bool idle() const {
    return input.empty() && output.empty() && keep_at_least == 0 && !drain_timer.valid();
  }
};

}  // namespace ae
