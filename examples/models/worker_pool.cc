// A reactor for the sockets, and a pool of threads for the work: hand-over per request.
//
//   $ worker_pool --port 7100 --threads 2
//
//      clients --> [ reactor ] ==== ring of jobs ===> [ a worker ] --> LockedStore
//              <--             <=== ring of jobs ====
//
// The idea. The reactor must never wait, but work may: a disk, a database, a long computation. So
// the loop reads, hands the bytes over and goes on; a worker parses and runs them, and the reply
// comes back to be sent. A connection has one job under way, which keeps its replies in order.
//
// Who does it. D. Lea's "worker thread pools" for reactors, most Java servers, Apache's event MPM,
// MariaDB's thread pool; nginx and libuv for what may block (files, names).
//
// What it costs. Per request two hand-overs: the bytes to another core and a wake, the reply back
// and a wake. A wake is a write to an eventfd here, and a sleep and a run there: microseconds,
// where PING takes a tenth of one. The more is under way, the more jobs travel per wake.
//
// Where it breaks. On work that is shorter than its hand-over; on a pool that is full of slow work:
// everybody waits, behind a queue instead of a loop. And what workers share needs its lock again.
#include <unistd.h>

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
  std::unique_ptr<Job>* const front = ring.front();
  if (front == nullptr) return nullptr;
  std::unique_ptr<Job> job = std::move(*front);
  ring.pop();
  return job;
}

// A thread that sleeps until there are jobs in its ring.
class Worker {
 public:
  Worker(ae::EventLoop& reactor, SharedStore& store) : reactor_(reactor), service_(store) {
    ae::LoopThreadOptions options;
    options.on_start = [this](ae::EventLoop& loop) { loop.after_sleep([this] { work(); }); };
    thread_ = example::must(ae::LoopThread::start(std::move(options)));
  }

  // The reactor's side. Waking costs a system call only if the thread sleeps.
  void give(std::unique_ptr<Job> job) {
    AE_ASSERT(to_worker_.push(std::move(job)));
    thread_->loop().wake();
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
  std::unique_ptr<ae::LoopThread> thread_;  // last: it uses the others
};

class Reactor : public ae::ConnectionHandler {
 public:
  Reactor(ae::EventLoop& loop, size_t threads, SharedStore& store) : table_(loop) {
    while (workers_.size() < threads) workers_.push_back(std::make_unique<Worker>(loop, store));
    loop.after_sleep([this] { send_replies(); });
  }

  void adopt(int fd) {
    // A connection has one job at most, and jobs of connections that are gone are still under way.
    if (table_.size() + jobs_ >= kMostJobs) return void(::close(fd));
    static_cast<void>(table_.adopt(fd, *this));
  }

 private:
  size_t on_data(ae::Connection from, ae::MutableBytes data) override {
    from.pause(ae::PauseReason::kBusy);
    auto job = std::make_unique<Job>(from.id(), std::string(data.data(), data.size()));
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

  // The connection may be gone by now: then these calls do nothing.
  void finish(const Job& job) {
    ae::Connection to = table_.find(job.connection);
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
