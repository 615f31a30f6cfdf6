// What a master may send: handshake, snapshot frame and stream, cut as the input says. Whatever it
// is, the machines consume it or end with a sentence, and the cuts make no difference.
#include <cstdint>
#include <string>

#include "ae/base/assert.h"
#include "server/repl/follower_handshake.h"
#include "server/repl/master_stream.h"
#include "server/repl/snapshot_seal.h"
#include "server/repl/snapshot_transfer.h"

namespace {

using namespace millrace;

class Ignore final : public MasterStream::Target {
 public:
  std::optional<std::string> run(std::span<const std::string_view>) override {
    return std::nullopt;
  }
  bool in_transaction() const override { return false; }
  void applied(std::string_view bytes) override { bytes_ += bytes.size(); }
  void asked_for_ack() override {}

 private:
  size_t bytes_ = 0;
};

std::string handshake(std::string_view bytes, size_t piece) {
  FollowerHandshake machine({.password = "x", .resume = ResumePoint{std::string(40, 'a'), 1}});
  std::string said = machine.begin();
  while (!bytes.empty()) {
    const auto step = machine.feed(bytes.substr(0, piece));
    AE_ASSERT(step.consumed > 0);
    bytes.remove_prefix(step.consumed);
    said += step.send;
    if (step.outcome != FollowerHandshake::Outcome::kPending)
      return said + char('0' + int(step.outcome));
  }
  return said;
}

std::string snapshot(std::string_view bytes, size_t piece) {
  SnapshotTransfer transfer;
  SnapshotSeal seal;
  std::string got;
  while (!bytes.empty()) {
    const auto step = transfer.feed(bytes.substr(0, piece), [&](ae::Bytes some) {
      got += some;
      seal.add(some);
    });
    bytes.remove_prefix(step.consumed);
    if (step.outcome == SnapshotTransfer::Outcome::kMore) continue;
    // The sentence may name what a cut left of a line that is too long.
    if (step.outcome == SnapshotTransfer::Outcome::kFailed) return "failed";
    return got + (seal.problem() ? "-" : "+") + std::string(bytes);
  }
  return "more";
}

void stream(std::string bytes) {
  Ignore target;
  MasterStream machine(target, 1 << 20);
  machine.feed(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const size_t piece = data[0] % 64 + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  AE_ASSERT(handshake(bytes, piece) == handshake(bytes, bytes.size() + 1));
  AE_ASSERT(snapshot(bytes, piece) == snapshot(bytes, bytes.size() + 1));
  stream(std::string(bytes));
  return 0;
}
