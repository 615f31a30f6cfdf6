// One loop per thread, and an acceptor that deals the connections out.
//
//   $ dealt_loops --port 7100 --threads 2
//
//      listener --> [ acceptor's loop ] --post(fd)--> [ loop 0 ] its connections, for life
//                                      `-post(fd)--> [ loop 1 ] its connections, for life
//
// The idea. A connection belongs to one loop from its first byte to its last, so reading, parsing
// and writing need no lock, and the only thing that passes between threads is a new descriptor,
// once per connection. The acceptor sees every newcomer and can spread them evenly; here each in
// turn.
//
// Who does it. memcached (one thread accepts, a queue and an eventfd to each worker), Netty (boss
// and worker groups), muduo, HAProxy since 2.0 where a listener serves several threads.
//
// What it costs. Per request nothing more than the single reactor, but for the lock around what the
// loops share; here the whole store has one mutex. A command over two keys would hold it for both,
// a transaction for all: what was atomic for free is now a protocol. (A store in shards, each with
// an owner, trades the lock for messages. Real servers that keep one owner of the data, as Millrace
// does, trade cores for that.)
//
// Where it breaks. Connections are spread, work is not: two busy clients that were dealt to one
// loop stay there, while the other idles. And a single thread accepts: some 100,000 a second, for
// all.
#include <unistd.h>

#include <memory>
#include <vector>

#include "ae/net/connection_table.h"
#include "ae/threads/loop_pool.h"
#include "serve.h"
#include "service.h"

namespace {

constexpr char kHelp[] =
    "dealt_loops: one loop per thread, an acceptor deals out\n"
    "  --port PORT    7100; 0 takes a free one\n"
    "  --threads N    2\n";

using SharedStore = models::LockedStore;

// What one thread has; made and used there.
struct Worker {
  Worker(ae::EventLoop& loop, SharedStore& store) : table(loop), service(store) {}

  ae::ConnectionTable table;
  models::TableService<SharedStore> service;
};

class Dealer {
 public:
  Dealer(size_t threads, SharedStore& store) : workers_(threads) {
    pool_ = example::must(ae::LoopPool::start(threads, [this, &store](size_t i) {
      ae::LoopThreadOptions options;
      options.name = "loop-" + std::to_string(i);
      options.on_start = [this, &store, i](ae::EventLoop& loop) {
        workers_[i] = std::make_unique<Worker>(loop, store);
      };
      options.on_stop = [this, i](ae::EventLoop&) { workers_[i].reset(); };
      return options;
    }));
  }
  ~Dealer() { pool_->stop(); }

  // On the acceptor's thread; the lambda runs on the worker's. A mailbox that is full belongs to a
  // loop that hangs: better to tell the client at once than to queue it there.
  void deal(int fd) {
    const size_t turn = turn_++ % workers_.size();
    Worker& worker = *workers_[turn];
    const bool posted = pool_->at(turn).loop().post(
        [&worker, fd] { static_cast<void>(worker.table.adopt(fd, worker.service)); });
    if (!posted) ::close(fd);
  }

 private:
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<ae::LoopPool> pool_;
  size_t turn_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  example::help(argc, argv, kHelp);
  const long threads = example::number(argc, argv, "--threads", 2);
  if (threads < 1 || threads > long(ae::LoopPool::kMaxThreads)) {
    return std::fputs(kHelp, stderr), 1;
  }
  const auto loop = example::must(ae::EventLoop::create());
  SharedStore store;
  Dealer dealer(size_t(threads), store);
  models::serve(*loop, models::address_of(argc, argv), [&](int fd) { dealer.deal(fd); });
}
