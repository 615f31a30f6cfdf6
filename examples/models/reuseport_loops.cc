// One loop per thread, each with a listener of its own on the same port: SO_REUSEPORT.
//
//   $ reuseport_loops --port 7100 --threads 2
//
//                    .--> socket 0, backlog 0 --> [ loop 0 ] accepts and serves
//      SYN --hash--> |
//                    `--> socket 1, backlog 1 --> [ loop 1 ] accepts and serves
//
// The idea. Nobody deals and nothing is shared on the way in: the kernel hashes each connection's
// addresses and ports to one of the sockets, with a backlog each. The threads never meet, but for
// the store.
//
// Who does it. nginx (`listen ... reuseport`), Envoy, HAProxy (`shards by-thread`), DNS servers for
// UDP; since Linux 3.9 (T. Herbert, 2013).
//
// What it costs. Nothing per connection: of all the ways to accept on several cores it is the
// cheapest.
//
// Where it breaks. A hash is not a balance: ten connections over two loops are five and five in one
// of four cases; long-lived connections stay as they fell. A loop that hangs, hangs all that is
// hashed to it, also those still in its backlog, whereas from a shared backlog the others would
// take them. And when the number of sockets changes (a reload), connections in the handshake are
// reset.
#include <unistd.h>

#include <memory>
#include <vector>

#include "ae/net/connection_table.h"
#include "ae/net/listener.h"
#include "ae/threads/loop_pool.h"
#include "serve.h"
#include "service.h"

namespace {

constexpr char kHelp[] =
    "reuseport_loops: one loop and one listener per thread\n"
    "  --port PORT    7100; 0 takes a free one\n"
    "  --threads N    2\n";

using SharedStore = models::LockedStore;

// A whole server; each thread has one. They share the store, and the kernel shares the port.
class Server {
 public:
  Server(ae::EventLoop& loop, SharedStore& store)
      : service_(store), table_(loop), listener_(loop, [this](int fd, uint32_t) {
          static_cast<void>(table_.adopt(fd, service_));
        }) {}

  ae::Address listen(const ae::Address& address) {
    ae::EndpointOptions options;
    options.sharing = ae::PortSharing::kReusePort;
    const uint32_t endpoint = example::must(listener_.listen(address, options));
    return *listener_.address(endpoint);
  }

 private:
  models::TableService<SharedStore> service_;
  ae::ConnectionTable table_;
  ae::Listener listener_;
};

}  // namespace

int main(int argc, char** argv) {
  example::help(argc, argv, kHelp);
  const long threads = example::number(argc, argv, "--threads", 2);
  if (threads < 1 || threads > long(ae::LoopPool::kMaxThreads)) {
    return std::fputs(kHelp, stderr), 1;
  }
  ae::Address address = models::address_of(argc, argv);
  SharedStore store;
  std::vector<std::unique_ptr<Server>> servers(static_cast<size_t>(threads));
  const auto pool = example::must(ae::LoopPool::start(servers.size(), [&](size_t i) {
    ae::LoopThreadOptions options;
    options.name = "loop-" + std::to_string(i);
    // start() waits for each thread's on_start before it makes the next: where port 0 was asked
    // for, the first takes a free one and the others find it in `address`.
    options.on_start = [&, i](ae::EventLoop& loop) {
      servers[i] = std::make_unique<Server>(loop, store);
      address = servers[i]->listen(address);
    };
    options.on_stop = [&, i](ae::EventLoop&) { servers[i].reset(); };
    return options;
  }));
  models::announce(address);
  for (;;) ::pause();  // until a signal ends the process
}
