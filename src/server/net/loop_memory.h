// A loop's part of the clients' memory ledger (command/client_memory.h).
#pragma once

#include "ae/net/connection_table.h"
#include "server/command/client_memory.h"

namespace millrace {

// Thread: the table's, or any while its loop is held.
inline void add_loop_memory(ClientMemory& sum, ae::ConnectionTable& connections) {
  const ae::TableMemory table = connections.memory();
  const ae::LoopMemory loop = connections.loop().memory();
  sum.connections += table.records;
  sum.registrations += loop.registrations + loop.poller.descriptors;
  sum.extensions += table.extensions;
  sum.kept_input += table.kept_input;
  sum.queued_output += table.queued_output;
  sum.spare_slots += table.spare_slots + loop.spare_slots;
  sum.input_scratch += table.scratch;
  sum.receive_buffers += loop.poller.buffers;
  sum.output_pool += table.pool;
  sum.lists += table.lists + loop.lists;
}

}  // namespace millrace
