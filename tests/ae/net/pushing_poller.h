// A poller with the completion face, made of plain system calls: what the io_uring poller promises
// (completions.h), where there is no io_uring, and with the test's Os below it. Sends are carried
// out in wait(), receives are tried there; both are delivered by deliver(), sends first.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "ae/core/completions.h"
#include "ae/core/pollers.h"

namespace ae::test {

class PushingPoller final : public Poller, private Completions {
 public:
  static constexpr size_t kBuffers = 8;
  static constexpr size_t kBufferBytes = 1024;

  explicit PushingPoller(Os& os) : os_(os), below_(std::move(*create_epoll_poller())) {
    buffers_.resize(kBuffers, std::string(kBufferBytes, '\0'));
    for (uint16_t i = 0; i < kBuffers; ++i) free_.push_back(i);
  }

  std::string_view name() const override { return "pushing"; }
  bool supports(Trigger trigger) const override { return below_->supports(trigger); }
  Status add(int fd, Events interest, Trigger trigger, uint64_t token) override {
    return below_->add(fd, interest, trigger, token);
  }
  Status modify(int fd, Events interest, Trigger trigger, uint64_t token) override {
    return below_->modify(fd, interest, trigger, token);
  }
  Status remove(int fd) override { return below_->remove(fd); }
  Completions* completions() override { return this; }

  Result<size_t> wait(std::span<ReadyEvent> out,
                      std::optional<std::chrono::nanoseconds> timeout) override {
    carry_out_sends();
    receive();
    if (!done_.empty()) timeout = std::chrono::nanoseconds::zero();
    // Receives cannot be waited for here; look again soon.
    if (!timeout || *timeout > std::chrono::milliseconds(1)) timeout = std::chrono::milliseconds(1);
    return below_->wait(out, timeout);
  }

  size_t receives_under_way() const { return receives_.size(); }
  size_t buffers_out() const { return kBuffers - free_.size(); }

 private:
  struct Send {
    int fd;
    uint64_t token;
    std::vector<iovec> pieces;
    std::span<const iovec> theirs;  // read again when the send is carried out: it must have stayed
  };
  struct Done {
    enum { kSent, kReceived, kEnded } what;
    uint64_t token;
    IoResult result;
    uint16_t buffer = 0;
  };

  void set_sink(CompletionSink* sink) override { sink_ = sink; }
  void start_receive(int fd, uint64_t token) override { receives_[token] = fd; }
  void stop_receive(uint64_t token) override {
    if (receives_.erase(token) > 0) done_.push_back({Done::kEnded, token, {}});
  }
  void send(int fd, uint64_t token, Bytes bytes) override {
    sends_.push_back({fd, token, {{const_cast<char*>(bytes.data()), bytes.size()}}, {}});
  }
  void sendv(int fd, uint64_t token, std::span<const iovec> pieces) override {
    sends_.push_back({fd, token, {}, pieces});
  }
  void recycle(uint16_t buffer) override { free_.push_back(buffer); }

  void carry_out_sends() {
    for (Send& send : sends_) {
      const std::span<const iovec> pieces = send.theirs.empty() ? send.pieces : send.theirs;
      done_.push_back({Done::kSent, send.token, os_.writev(send.fd, pieces)});
    }
    sends_.clear();
  }

  void receive() {
    std::vector<uint64_t> ended;
    for (const auto& [token, fd] : receives_) {
      if (free_.empty()) break;
      const uint16_t buffer = free_.front();
      const IoResult got = os_.read(fd, buffers_[buffer]);
      if (got.status == IoStatus::kWouldBlock) continue;
      if (got.status == IoStatus::kOk) {
        free_.pop_front();
        done_.push_back({Done::kReceived, token, got, buffer});
        continue;
      }
      done_.push_back({Done::kEnded, token, got});
      ended.push_back(token);
    }
    for (const uint64_t token : ended) receives_.erase(token);
  }

  size_t deliver() override {
    std::deque<Done> now;
    now.swap(done_);
    for (const Done& done : now) {
      if (done.what == Done::kSent) sink_->on_sent(done.token, done.result);
    }
    for (const Done& done : now) {
      if (done.what == Done::kEnded) sink_->on_receive_ended(done.token, done.result);
      if (done.what != Done::kReceived) continue;
      const MutableBytes data(buffers_[done.buffer].data(), done.result.bytes);
      sink_->on_received(done.token, data, done.buffer);
    }
    return now.size();
  }

  Os& os_;
  std::unique_ptr<Poller> below_;
  CompletionSink* sink_ = nullptr;
  std::map<uint64_t, int> receives_;
  std::vector<Send> sends_;
  std::deque<Done> done_;
  std::vector<std::string> buffers_;
  std::deque<uint16_t> free_;
};

}  // namespace ae::test
