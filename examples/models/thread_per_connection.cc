// A thread for each connection, blocking calls: no reactor at all.
//
//   $ thread_per_connection --port 7100
//
//      accept() --> thread: for (;;) { read(); run; write(); }
//      accept() --> thread: for (;;) { read(); run; write(); }       LockedStore
//      ...
//
// The idea. The state of a conversation is where the thread stands in its code, and its variables
// are on its stack. Nothing is simpler to write or to read: the loop below is the whole protocol,
// and a slow reader blocks the one who writes to it and nobody else. The scheduler does what a
// reactor does by hand, over all cores.
//
// Who does it. Apache's worker MPM, MySQL without its pool, PostgreSQL (with processes), Tomcat's
// old connector; and, with the thread made cheap, Go's goroutines and Java's virtual threads, which
// are this code over a reactor that their runtime hides.
//
// What it costs. A stack (8 MB of addresses, of which two or three pages are touched), a kernel
// stack of 16 KiB and the kernel's record of a thread, for a client who may be silent for an hour:
// hundreds of times a reactor's record (docs/models.md). Each request is a wake-up and a switch of
// its own, where a loop finds ten clients ready in one wait; and every variable that two clients
// share needs a lock, for they really run at once.
//
// Where it breaks. At the number of threads: RLIMIT_NPROC, threads-max, pid_max (32,768 by
// default), two mappings each of max_map_count's 65,530, a container's pids.max; and in memory
// before that. kMostThreads keeps clear of all of them: the next client is refused, instead of the
// machine.
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>

#include "ae/core/os.h"
#include "ae/net/socket_options.h"
#include "serve.h"
#include "service.h"

namespace {

constexpr char kHelp[] =
    "thread_per_connection: blocking calls, a thread each\n"
    "  --port PORT    7100; 0 takes a free one\n";

using SharedStore = models::LockedStore;

constexpr int kMostThreads = 12'000;
constexpr int kBacklog = 511;
constexpr size_t kReadBytes = 4 * 1024;  // on the stack: a page that is touched
constexpr std::chrono::milliseconds kPauseWithoutDescriptors{10};

std::atomic<int> threads = 0;

// Returns when all has been taken, however long the client lets it wait. False: it is gone.
bool send_all(int fd, ae::Bytes bytes) {
  while (!bytes.empty()) {
    const ae::IoResult sent = ae::real_os().write(fd, bytes);
    if (sent.status != ae::IoStatus::kOk) return false;
    bytes.remove_prefix(sent.bytes);
  }
  return true;
}

// A conversation, from the first byte to the last.
void converse(int fd, SharedStore& store) {
  models::Service<SharedStore> service(store);
  std::string input;  // a half packet, or empty
  for (;;) {
    char chunk[kReadBytes];
    const ae::IoResult got = ae::real_os().read(fd, chunk);
    if (got.status != ae::IoStatus::kOk) return;
    input.append(chunk, got.bytes);
    const auto taken = service.take(input);
    input.erase(0, taken.bytes);
    if (!send_all(fd, service.replies()) || taken.broken) return;
    service.clear_replies();
  }
}

void run_thread(int fd, SharedStore& store) {
  converse(fd, store);
  ::close(fd);
  --threads;
}

// Gives the connection a thread, or refuses it.
void take_in(int fd, SharedStore& store) {
  if (++threads <= kMostThreads) {
    try {
      return std::thread(run_thread, fd, std::ref(store)).detach();
    } catch (const std::system_error&) {  // EAGAIN: one of the limits above
    }
  }
  --threads;
  ::close(fd);
}

int open_listener(const ae::Address& address) {
  ae::Os& os = ae::real_os();
  // Not os.socket(), whose descriptors do not block; accepted ones follow accept4's flags.
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  example::must(ae::set_reuse_address(os, fd));
  example::must(os.bind(fd, address));
  example::must(os.listen(fd, kBacklog));
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  example::help(argc, argv, kHelp);
  const int listening = open_listener(models::address_of(argc, argv));
  models::announce(*ae::real_os().local_address(listening));
  SharedStore store;
  for (;;) {
    const int fd = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      take_in(fd, store);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      std::this_thread::sleep_for(kPauseWithoutDescriptors);  // or this loop would spin
    }
  }
}
