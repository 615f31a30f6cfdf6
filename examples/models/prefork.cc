// Processes that were forked beforehand and share one listener; and how many wake up for a
// newcomer.
//
//   $ prefork --port 7100 --processes 2 --wake exclusive     # or lock, or all
//
//                                 .--> process 0: a loop, its connections
//      one listener, one backlog -+--> process 1: a loop, its connections      SharedMemoryStore
//                                 `--> process 2 ...
//
// The idea. Each process is a single reactor; they inherit the listening socket, and whoever is
// awake accepts. No memory is shared unless one takes pains to (shared_memory.h), so no lock can be
// forgotten, and a process that crashes takes its own connections and nobody else's; the parent
// forks another.
//
// Who does it. Apache's prefork MPM (without the loop: one connection per process), nginx's
// workers, PostgreSQL (forked at the connection), Unicorn, Gunicorn, PHP-FPM.
//
// The herd. All loops watch the one listener, so one newcomer makes it readable for all: N
// processes wake, one accepts, N - 1 find nothing and sleep again. Three answers, --wake:
//   all        none: the herd thunders
//   lock       watch the listener only while holding a lock the processes share (Apache's Mutex;
//              nginx' accept_mutex, its default until 1.11.3). Who does not have it tries again at
//              the end of its next tick, or after kLockDelay
//   exclusive  EPOLLEXCLUSIVE (Linux 4.5): the kernel wakes one or a few. It wakes the one that was
//              added first or last, not in turn, so an idle server gives nearly all to one process
// docs/models.md has the wake-ups counted.
//
// What it costs. What is shared is shared with care: no pointers, fixed sizes, robust locks. Memory
// for each process's own heap. Descriptors, however they are scheduled, stay where they were
// accepted: spread is by luck.
//
// Where it breaks. On state: sessions, caches, counters, publish and subscribe. The store here
// holds 4,096 short values and forgets; a Redis could not be built like this.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ae/net/connection_table.h"
#include "ae/net/listener.h"
#include "ae/net/socket_options.h"
#include "serve.h"
#include "service.h"
#include "shared_memory.h"

namespace {

constexpr char kHelp[] =
    "prefork: processes share a listener\n"
    "  --port PORT      7100; 0 takes a free one\n"
    "  --processes N    2\n"
    "  --wake WORD      exclusive, lock or all\n";

constexpr long kMostProcesses = 256;
constexpr int kBacklog = 511;
constexpr useconds_t kRespawnDelayUs =
    100'000;  // a child that crashes at once shall not be a fork bomb
// nginx' accept_mutex_delay is 500 ms. Shorter spreads better, and wakes idle processes more often.
constexpr ae::Nanoseconds kLockDelay = ae::Milliseconds(100);

enum class Wake { kAll, kLock, kExclusive };

struct Shared {
  models::SharedMemoryStore store;
  models::ProcessMutex accept_lock;
};

// Watches the listener in those ticks only in which it has the lock.
class AcceptLock {
 public:
  // Made behind the listener: its hook must find that accepting is done.
  AcceptLock(ae::EventLoop& loop, ae::Listener& listener, models::ProcessMutex& mutex)
      : listener_(listener), mutex_(mutex) {
    loop.before_sleep([this] { take(); });
    loop.after_events([this] { give_back(); });
    loop.add_periodic(kLockDelay, [] {});  // a tick, and with it another try
  }

 private:
  void take() {
    held_ = mutex_.try_lock();
    if (held_) return listener_.resume();
    listener_.pause();
  }
  void give_back() {
    if (std::exchange(held_, false)) mutex_.unlock();
  }

  ae::Listener& listener_;
  models::ProcessMutex& mutex_;
  bool held_ = false;
};

[[noreturn]] void serve(int listening, Wake wake, Shared& shared) {
  const auto loop = example::must(ae::EventLoop::create());
  models::TableService service(shared.store);
  ae::ConnectionTable table(*loop);
  ae::Listener listener(*loop,
                        [&](int fd, uint32_t) { static_cast<void>(table.adopt(fd, service)); });
  ae::EndpointOptions options;
  if (wake == Wake::kExclusive) options.sharing = ae::PortSharing::kExclusive;
  example::must(listener.adopt(::dup(listening), options));
  std::optional<AcceptLock> lock;
  if (wake == Wake::kLock) lock.emplace(*loop, listener, shared.accept_lock);
  for (;;) loop->run();
}

// Forks one process that serves; it ends with its parent.
void spawn(int listening, Wake wake, Shared& shared) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return std::perror("fork"), std::exit(1);
  if (child > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) std::exit(0);  // it ended before the line above
  serve(listening, wake, shared);
}

int open_listener(const ae::Address& address) {
  ae::Os& os = ae::real_os();
  const int fd = example::must(os.socket(address.family(), SOCK_STREAM, 0));
  example::must(ae::set_reuse_address(os, fd));
  example::must(os.bind(fd, address));
  example::must(os.listen(fd, kBacklog));
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  example::help(argc, argv, kHelp);
  const long processes = example::number(argc, argv, "--processes", 2);
  const std::string word = example::flag(argc, argv, "--wake", "exclusive");
  const bool known = word == "all" || word == "lock" || word == "exclusive";
  if (processes < 1 || processes > kMostProcesses || !known) return std::fputs(kHelp, stderr), 1;
  const Wake wake = word == "all" ? Wake::kAll : word == "lock" ? Wake::kLock : Wake::kExclusive;
  const int listening = open_listener(models::address_of(argc, argv));
  Shared& shared = models::share<Shared>();
  for (long i = 0; i < processes; ++i) spawn(listening, wake, shared);
  models::announce(*ae::real_os().local_address(listening));
  while (::wait(nullptr) > 0) {
    ::usleep(kRespawnDelayUs);
    spawn(listening, wake, shared);
  }
}
