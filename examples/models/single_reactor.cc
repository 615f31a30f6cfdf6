// One thread, one loop, everything in it: the reactor.
//
//   $ single_reactor --port 7100 --backend epoll     # or poll, select, io_uring
//   $ redis-cli -p 7100 set k v
//
//        clients ... ... ... ...
//            \   \   |   /   /
//          [ wait for any of them ]     epoll_wait | poll | select | io_uring_enter
//                    |
//          read, run, write, in turn
//
// The idea. A thread that waits for all sockets at once never waits for one. What a connection
// needs between two requests is a record of some dozen bytes, not a stack; and since one request
// runs at a time, the store has one owner and no lock: a command is atomic because nothing else
// runs.
//
// Who does it. Redis and Valkey (ae.c), HAProxy with nbthread 1, each worker of nginx, Node.js,
// memcached before 1.2.3, and thttpd, which made the point in 1999 (D. Kegel, "The C10K problem").
//
// What it costs. One core, whatever the machine has: two figures of the plot, CPU per request and
// throughput, are then one the reciprocal of the other.
//
// Where it breaks. A request that takes 300 ms takes them from everybody (docs/load.md shows it):
// no disk, no name service, no loop over a million keys. And at one core's worth of requests.
//
// The flag --backend shows why epoll came. select and poll hand the whole set to the kernel with
// each wait, and search it afterwards: a wait costs what is *watched*. select also has room for
// FD_SETSIZE descriptors, 1024, and no more: connection 1,020 is closed at once. epoll keeps the
// set in the kernel, and a wait costs what is *ready*. io_uring goes on from there: reads are
// standing orders, and one system call hands in a tick's writes and waits.
#include "ae/net/connection_table.h"
#include "serve.h"
#include "service.h"

namespace {

constexpr char kHelp[] =
    "single_reactor: one loop serves all\n"
    "  --port PORT      7100; 0 takes a free one\n"
    "  --backend NAME   epoll, poll, select or io_uring\n";

}  // namespace

int main(int argc, char** argv) {
  example::help(argc, argv, kHelp);
  const auto backend = ae::parse_backend(example::flag(argc, argv, "--backend", "epoll"));
  if (!backend) return std::fputs(kHelp, stderr), 1;
  ae::LoopOptions options;
  options.backend = *backend;
  const auto loop = example::must(ae::EventLoop::create(std::move(options)));

  models::Store store;  // the loop's own
  models::TableService service(store);
  ae::ConnectionTable table(*loop);
  models::serve(*loop, models::address_of(argc, argv), [&](int fd) {
    // The table owns the descriptor from here on, also where it fails: ERANGE of select closes it.
    static_cast<void>(table.adopt(fd, service));
  });
}
