// INFO threads: the IO threads, one line each. Without a pool the section is empty.
#include "server/command/lifecycle.h"
#include "server/observe/info.h"

namespace millrace::info {

void threads(Services& services, InfoText& text) {
  for (const IoThreadFacts& thread : services.lifecycle.io_threads()) {
    text.line(
        "io_thread_{}:clients={},reads={},writes={},batches={},ticks={},busy_us={},retiring={}",
        thread.number, thread.clients, thread.reads, thread.writes, thread.batches, thread.ticks,
        thread.busy_us, int(thread.retiring));
  }
}

}  // namespace millrace::info
