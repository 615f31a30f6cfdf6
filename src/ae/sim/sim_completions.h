// Sockets by completion, simulated: the face of completions.h on top of SimOs.
//
// Each wait performs the sends that were handed in since the last one and lets every receive take
// up to a few buffers full, in an order that the seed decides; deliver() then hands out what they
// came to, sends first. Reads and writes go through SimOs, so its fault plan applies and counts
// them.
//
// Give it few and small buffers, and running out of them is the ordinary case. A receive that was
// told to stop may, as in the kernel, have taken bytes already: sometimes one more piece comes
// before its end.
//
// Thread: one. Belongs to a SimPoller.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "ae/base/prng.h"
#include "ae/core/completions.h"
#include "ae/sim/sim_os.h"

namespace ae::sim {

struct CompletionBuffers {
  size_t count = 64;
  size_t bytes = 4096;
};

class SimCompletions final : public Completions {
 public:
  SimCompletions(SimOs& os, uint64_t seed, CompletionBuffers buffers);

  // What a wait does. Returns how many completions deliver() has to hand out.
  size_t perform();

  // --- for the checks at the end
  size_t receives() const { return receives_.size(); }
  size_t sends() const { return sends_.size(); }
  size_t buffers_out() const { return buffers_.count - free_.size(); }
  uint64_t delivered() const { return delivered_; }
  bool uses(int fd) const;

  // --- Completions
  void set_sink(CompletionSink* sink) override { sink_ = sink; }
  void start_receive(int fd, uint64_t token) override;
  void stop_receive(uint64_t token) override;
  void send(int fd, uint64_t token, Bytes bytes) override;
  void sendv(int fd, uint64_t token, std::span<const iovec> pieces) override;
  void recycle(uint16_t buffer) override;
  size_t deliver() override;

 private:
  // Per receive and wait; more than one, so that a piece can lie behind another of the same wait.
  static constexpr size_t kMostPiecesPerWait = 3;

  struct Receive {
    int fd;
    bool stopping = false;
  };
  struct Send {
    int fd;
    uint64_t token;
    Bytes bytes;                    // of send
    std::span<const iovec> pieces;  // of sendv
  };
  enum class Kind : uint8_t { kSent, kReceived, kEnded };
  struct Completion {
    Kind kind;
    uint64_t token;
    IoResult result;
    uint16_t buffer = 0;
  };

  void perform_sends();
  void perform_receives();
  // False when the receive has ended.
  bool advance(uint64_t token, const Receive& receive);
  bool take_piece(uint64_t token, int fd);
  void end(uint64_t token, IoResult why);
  bool readable(int fd);
  MutableBytes buffer(uint16_t index);
  void hand_out(const Completion& completion);

  SimOs& os_;
  Prng random_;
  CompletionBuffers buffers_;
  std::vector<char> memory_;
  std::vector<uint16_t> free_;
  CompletionSink* sink_ = nullptr;
  std::map<uint64_t, Receive> receives_;
  std::vector<Send> sends_;
  std::vector<Completion> done_;
  uint64_t delivered_ = 0;
};

}  // namespace ae::sim
