#include "server/net/io_thread.h"

#include <utility>

#include "ae/base/assert.h"

namespace millrace {

ae::Result<std::unique_ptr<IoThread>> IoThread::start(ae::LoopStarter& starter, Setup setup) {
  std::unique_ptr<IoThread> thread(new IoThread);
  IoThread* self = thread.get();
  const IoWorker::Parts parts{.commands = setup.commands,
                              .channel = self->channel_,
                              .main = setup.main,
                              .long_ticks = setup.long_ticks,
                              .name = setup.host.name,
                              .connections = setup.connections};
  setup.host.on_start = [self, &parts, &setup](ae::EventLoop& loop) {
    self->worker_ = std::make_unique<IoWorker>(loop, parts, setup.settings);
  };
  setup.host.on_stop = [self](ae::EventLoop&) { self->worker_.reset(); };
  auto host = starter(std::move(setup.host));
  if (!host) return ae::fail(host.error());
  self->host_ = std::move(*host);
  return thread;
}

IoBatch& IoThread::outbox() {
  if (running_) return *running_;
  if (!own_) own_ = std::make_unique<IoBatch>();
  return *own_;
}

bool IoThread::send_orders() {
  if (!own_) return true;
  // What the thread waits for has its place in any case.
  if (channel_.to_thread.room() <= IoChannel::kMaxWithMain) return false;
  channel_.to_thread.push(std::move(own_));
  host_->loop().wake();
  return true;
}

IoBatch* IoThread::begin_batch() {
  AE_ASSERT(!running_);
  std::unique_ptr<IoBatch>* front = channel_.to_main.front();
  if (!front || !send_orders()) return nullptr;
  running_ = std::move(*front);
  channel_.to_main.pop();
  return running_.get();
}

void IoThread::call(ae::Callback<void(IoWorker&)> task) {
  host_->call([this, &task] { task(*worker_); });
}

void IoThread::return_batch() {
  const bool pushed = channel_.to_thread.push(std::move(running_));
  AE_ASSERT(pushed);  // send_orders() leaves room for it
  host_->loop().wake();
}

}  // namespace millrace
