// A reactor for the sockets, and a pool of threads for the work: hand-over per request.
//
//   $ worker_pool --port 7100 --threads 2
//
//      clients --> [ reactor ] ==== ring of jobs ===> [ a worker ] --> LockedStore
//              <--             <=== ring of jobs ====
//
// The idea. The reactor must never wait, but work may: a disk, a database, a long computation. So
// the loop reads and hands the bytes over; a worker parses and runs them, and the reply comes back
// to be sent. A connection has one job under way, which keeps its replies in order.
//
// Who does it. Most Java servers, Apache's event MPM, MariaDB's pool; nginx and libuv for files.
//
// What it costs. Two hand-overs per request, bytes there and reply back, and a wake for each: a
// write to an eventfd here, a sleep and a run there, microseconds where PING takes a tenth of one.
// Hence one wake for all jobs of a tick: a wake for each job cost half as much again.
//
// Where it breaks. On work shorter than its hand-over; on a pool that is full of slow work, where
// everybody waits behind a queue instead of a loop. And what workers share needs its lock again.
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "ae/net/connection_table.h"
#include "ae/threads/loop_thread.h"
#include "ae/threads/spsc_ring.h"
#include "serve.h"
#include "service.h"

namespace {

constexpr char kHelp[] =
    "worker_pool: a reactor, and threads for the work\n"
    "  --port PORT    7100; 0 takes a free one\n"
    "  --threads N    2\n";

using SharedStore = models::LockedStore;
constexpr size_t kMostJobs = 16'384;  // under way, so rings of this many are never full
constexpr long kMostThreads = 64;

struct Job {  // owns its bytes: it travels, and the reactor's scratch does not
  ae::ConnectionId connection;
  std::string request, reply;
  models::Service<SharedStore>::Taken taken;
};
using JobRing = ae::SpscRing<std::unique_ptr<Job>>;

std::unique_ptr<Job> take(JobRing& ring) {
  std::unique_ptr<Job> job = ring.front() == nullptr ? nullptr : std::move(*ring.front());
  if (job != nullptr) ring.pop();
  return job;
}

class Worker {  // a thread that sleeps until there are jobs in its ring
 public:
  Worker(ae::EventLoop& reactor, SharedStore& store) : reactor_(reactor), service_(store) {
    ae::LoopThreadOptions options;
    options.on_start = [this](ae::EventLoop& loop) { loop.after_sleep([this] { work(); }); };
    thread_ = example::must(ae::LoopThread::start(std::move(options)));
  }

  // The reactor's side: any number of give(), then one tell().
  void give(std::unique_ptr<Job> job) {
    AE_ASSERT(to_worker_.push(std::move(job)));
    told_ = false;
  }
  void tell() {
    if (!std::exchange(told_, true)) thread_->loop().wake();
  }
  std::unique_ptr<Job> take_done() { return take(to_reactor_); }

 private:
  void work() {
    size_t done = 0;
    for (; std::unique_ptr<Job> job = take(to_worker_); ++done) {
      job->taken = service_.take(job->request);
      job->reply = service_.replies();
      service_.clear_replies();
      AE_ASSERT(to_reactor_.push(std::move(job)));
    }
    if (done > 0) reactor_.wake();
  }

  ae::EventLoop& reactor_;
  models::Service<SharedStore> service_;
  JobRing to_worker_{kMostJobs}, to_reactor_{kMostJobs};
  bool told_ = true;
  std::unique_ptr<ae::LoopThread> thread_;  // last: it uses the others
};

class Reactor : public ae::ConnectionHandler {
 public:
  Reactor(ae::EventLoop& loop, size_t threads, SharedStore& store) : table_(loop) {
    while (workers_.size() < threads) workers_.push_back(std::make_unique<Worker>(loop, store));
    loop.after_sleep([this] { send_replies(); });
    loop.before_sleep([this] { std::ranges::for_each(workers_, [](auto& w) { w->tell(); }); });
  }

  void adopt(int fd) {
    // A connection has one job at most, and jobs of connections that are gone are still under way.
    if (table_.size() + jobs_ >= kMostJobs) return void(::close(fd));
    static_cast<void>(table_.adopt(fd, *this));
  }

 private:
  size_t on_data(ae::Connection from, ae::MutableBytes data) override {
    from.pause(ae::PauseReason::kBusy);
    auto job = std::make_unique<Job>(Job{from.id(), {data.data(), data.size()}, "", {}});
    workers_[turn_++ % workers_.size()]->give(std::move(job));
    ++jobs_;
    return data.size();
  }
  void on_closed(ae::Connection, ae::CloseReason) override {}

  void send_replies() {
    for (auto& worker : workers_) {
      for (; const std::unique_ptr<Job> job = worker->take_done(); --jobs_) finish(*job);
    }
  }

  void finish(const Job& job) {
    ae::Connection to = table_.find(job.connection);  // gone by now? Then the calls do nothing
    to.send(job.reply);
    if (job.taken.broken) return to.close_after_flush(ae::CloseReason::kProtocolError);
    const ae::Bytes rest = ae::Bytes(job.request).substr(job.taken.bytes);
    to.unread(rest);  // a half packet: presented again with what it lacks
    if (!rest.empty()) table_.keep_at_least(to.id(), rest.size() + job.taken.wanted);
    to.resume(ae::PauseReason::kBusy);
  }

  std::vector<std::unique_ptr<Worker>> workers_;
  size_t turn_ = 0, jobs_ = 0;
  ae::ConnectionTable table_;
};

}  // namespace

int main(int argc, char** argv) {
  example::help(argc, argv, kHelp);
  const long threads = example::number(argc, argv, "--threads", 2);
  if (threads < 1 || threads > kMostThreads) return std::fputs(kHelp, stderr), 1;
  const auto loop = example::must(ae::EventLoop::create());
  SharedStore store;
  Reactor reactor(*loop, size_t(threads), store);
  models::serve(*loop, models::address_of(argc, argv), [&](int fd) { reactor.adopt(fd); });
}
