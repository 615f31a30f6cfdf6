#include "ae/sim/sim_completions.h"

#include <algorithm>
#include <utility>

#include "ae/base/assert.h"

namespace ae::sim {

SimCompletions::SimCompletions(SimOs& os, uint64_t seed, CompletionBuffers buffers)
    : os_(os), random_(seed), buffers_(buffers), memory_(buffers.count * buffers.bytes) {
  for (size_t i = 0; i < buffers.count; ++i) free_.push_back(uint16_t(i));
}

bool SimCompletions::uses(int fd) const {
  const auto same = [fd](const auto& work) { return work.fd == fd; };
  return std::ranges::any_of(sends_, same) ||
         std::ranges::any_of(receives_, [&](const auto& entry) { return same(entry.second); });
}

// --- handing in

void SimCompletions::start_receive(int fd, uint64_t token) {
  const bool fresh = receives_.try_emplace(token, Receive{fd}).second;
  AE_ASSERT(fresh);
}

void SimCompletions::stop_receive(uint64_t token) {
  const auto found = receives_.find(token);
  if (found != receives_.end()) found->second.stopping = true;
}

void SimCompletions::send(int fd, uint64_t token, Bytes bytes) {
  sends_.push_back({fd, token, bytes, {}});
}

void SimCompletions::sendv(int fd, uint64_t token, std::span<const iovec> pieces) {
  sends_.push_back({fd, token, {}, pieces});
}

void SimCompletions::recycle(uint16_t buffer) {
  AE_ASSERT(std::ranges::find(free_, buffer) == free_.end());
  // What is given back may be filled anew at any time: nobody may look at it any more.
  std::ranges::fill(this->buffer(buffer), '#');
  free_.push_back(buffer);
}

MutableBytes SimCompletions::buffer(uint16_t index) {
  return MutableBytes(memory_).subspan(index * buffers_.bytes, buffers_.bytes);
}

// --- the wait

size_t SimCompletions::perform() {
  perform_sends();
  perform_receives();
  return done_.size();
}

void SimCompletions::perform_sends() {
  for (const Send& send : std::exchange(sends_, {})) {
    const IoResult result =
        send.pieces.empty() ? os_.write(send.fd, send.bytes) : os_.writev(send.fd, send.pieces);
    done_.push_back({Kind::kSent, send.token, result});
  }
}

void SimCompletions::perform_receives() {
  std::vector<uint64_t> order;
  for (const auto& [token, receive] : receives_) order.push_back(token);
  std::shuffle(order.begin(), order.end(), random_);
  for (const uint64_t token : order) {
    if (!advance(token, receives_.at(token))) receives_.erase(token);
  }
}

bool SimCompletions::advance(uint64_t token, const Receive& receive) {
  if (receive.stopping) {
    if (random_.one_in(2) && readable(receive.fd) && !take_piece(token, receive.fd)) return false;
    end(token, {IoStatus::kOk, 0, 0});
    return false;
  }
  for (size_t pieces = 1 + random_.below(kMostPiecesPerWait); pieces > 0; --pieces) {
    if (!readable(receive.fd)) return true;
    if (!take_piece(token, receive.fd)) return false;
  }
  return true;
}

bool SimCompletions::readable(int fd) {
  SimSocket* socket = os_.find(fd);
  AE_ASSERT(socket != nullptr);
  return any(socket->readiness().events & Events::kReadable);
}

// False when that was the end of the receive. Without a free buffer it stays as it is: it is armed
// again by the next wait behind a recycle().
bool SimCompletions::take_piece(uint64_t token, int fd) {
  if (free_.empty()) return true;
  const uint16_t index = free_.back();
  const IoResult result = os_.read(fd, buffer(index));
  if (result.status == IoStatus::kWouldBlock) return true;
  if (result.status != IoStatus::kOk) {
    end(token, result);
    return false;
  }
  free_.pop_back();
  done_.push_back({Kind::kReceived, token, result, index});
  return true;
}

void SimCompletions::end(uint64_t token, IoResult why) {
  done_.push_back({Kind::kEnded, token, why});
}

// --- handing out

size_t SimCompletions::deliver() {
  const std::vector<Completion> batch = std::exchange(done_, {});
  for (const Completion& completion : batch) hand_out(completion);
  delivered_ += batch.size();
  return batch.size();
}

void SimCompletions::hand_out(const Completion& completion) {
  if (sink_ == nullptr) return;
  switch (completion.kind) {
    case Kind::kSent:
      return sink_->on_sent(completion.token, completion.result);
    case Kind::kReceived:
      return sink_->on_received(completion.token,
                                buffer(completion.buffer).first(completion.result.bytes),
                                completion.buffer);
    case Kind::kEnded:
      return sink_->on_receive_ended(completion.token, completion.result);
  }
}

}  // namespace ae::sim
