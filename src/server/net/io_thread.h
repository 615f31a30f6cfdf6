// One IO thread as the main thread sees it: its host, its rings, and the batch that orders for it
// go into.
//
// Thread: the main one.
#pragma once

#include <memory>
#include <string_view>

#include "ae/threads/loop_host.h"
#include "server/net/io_worker.h"

namespace millrace {

class IoThread {
 public:
  struct Setup {
    ae::LoopHostOptions host;
    IoSettings settings;
    const CommandTable& commands;
    ae::EventLoop& main;
    TickLog& long_ticks;
    ae::ConnectionOptions connections;
  };
  static ae::Result<std::unique_ptr<IoThread>> start(ae::LoopStarter& starter, Setup setup);

  // --- orders
  // The copy lives until the delivery has been carried out.
  std::string_view copy(std::string_view bytes) { return outbox().bytes.copy(bytes); }
  // It leaves with the batch that is being run for this thread, else with send_orders().
  void order(const IoDelivery& delivery) { outbox().deliveries.push_back(delivery); }
  // False when the ring has no room now: call again later, the orders keep their place.
  bool send_orders();

  // --- batches
  // The next one that the thread has handed over, or null. Orders given so far leave before it.
  IoBatch* begin_batch();
  bool has_batch() const { return running_ != nullptr; }
  void return_batch();
  bool is_idle() const { return !running_ && !own_ && sessions == 0; }

  // Runs on the thread, and returns when it is done.
  void call(ae::Callback<void(IoWorker&)> task);
  // The loop has ended when this returns.
  void end() { host_.reset(); }

  void set(const IoSettings& settings) { outbox().settings = settings; }
  void hold() { host_->hold(); }
  void release() { host_->release(); }
  // While it is held.
  IoWorker& worker() { return *worker_; }
  // Read by any thread.
  const ae::TickAccount& account() const { return host_->loop().account(); }
  const IoCounters& counters() const { return channel_.counters; }

  size_t sessions = 0;  // of clients here, or on their way here
  bool listening = false;
  bool retiring = false;  // takes no new clients, and ends with its last

 private:
  IoThread() = default;
  IoBatch& outbox();
  void push(std::unique_ptr<IoBatch> batch);

  IoChannel channel_;
  std::unique_ptr<IoWorker> worker_;    // made and destroyed on its thread
  std::unique_ptr<IoBatch> running_;    // of the thread, being run
  std::unique_ptr<IoBatch> own_;        // orders that belong to no batch of the thread
  std::unique_ptr<ae::LoopHost> host_;  // last: its loop uses what is above
};

}  // namespace millrace
