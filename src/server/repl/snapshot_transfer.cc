#include "server/repl/snapshot_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "ae/base/assert.h"

namespace millrace {

SnapshotTransfer::Step SnapshotTransfer::feed(ae::Bytes bytes, Payload payload) {
  AE_ASSERT(state_ != State::kOver);
  Step sum;
  while (sum.consumed < bytes.size() && sum.outcome == Outcome::kMore) {
    const ae::Bytes rest = bytes.substr(sum.consumed);
    const Step step = state_ == State::kHeader    ? feed_header(rest)
                      : state_ == State::kCounted ? feed_counted(rest, payload)
                                                  : feed_marked(rest, payload);
    sum = {sum.consumed + step.consumed, step.outcome};
  }
  return sum;
}

SnapshotTransfer::Step SnapshotTransfer::feed_header(ae::Bytes bytes) {
  const size_t end = bytes.find('\n');
  const size_t consumed = end == ae::Bytes::npos ? bytes.size() : end + 1;
  if (header_.size() + consumed > kMaxHeaderBytes)
    return {consumed, fail("the line before the snapshot does not end")};
  header_.append(bytes.substr(0, consumed));
  if (end == ae::Bytes::npos) return {consumed, Outcome::kMore};
  while (!header_.empty() && (header_.back() == '\n' || header_.back() == '\r')) header_.pop_back();
  const std::string line = std::exchange(header_, {});
  return {consumed, line.empty() ? Outcome::kMore : read_header(line)};
}

SnapshotTransfer::Outcome SnapshotTransfer::read_header(std::string_view line) {
  constexpr std::string_view kMarked = "$EOF:";
  if (line.starts_with('-'))
    return fail(fmt::format("MASTER aborted replication with an error: {}", line.substr(1)));
  if (line.starts_with(kMarked) && line.size() == kMarked.size() + kMarkBytes) {
    mark_ = line.substr(kMarked.size());
    state_ = State::kMarked;
    return Outcome::kMore;
  }
  const char* const end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data() + 1, end, total_bytes_);
  if (!line.starts_with('$') || parsed.ec != std::errc() || parsed.ptr != end || total_bytes_ < 0)
    return fail(fmt::format(
        "Bad protocol from MASTER, the first byte is not '$' (we received '{}'), are you sure the "
        "host and port are right?",
        line));
  state_ = total_bytes_ == 0 ? State::kOver : State::kCounted;
  return total_bytes_ == 0 ? Outcome::kWhole : Outcome::kMore;
}

SnapshotTransfer::Step SnapshotTransfer::feed_counted(ae::Bytes bytes, Payload payload) {
  const auto left = uint64_t(total_bytes_ - received_bytes_);
  const ae::Bytes piece = bytes.substr(0, std::min<uint64_t>(left, bytes.size()));
  deliver(piece, payload);
  if (received_bytes_ < total_bytes_) return {piece.size(), Outcome::kMore};
  state_ = State::kOver;
  return {piece.size(), Outcome::kWhole};
}

// One copy of what came, so that a mark in two pieces is one that is found.
SnapshotTransfer::Step SnapshotTransfer::feed_marked(ae::Bytes bytes, Payload payload) {
  const size_t before = held_.size();
  held_.append(bytes);
  const std::string_view held = held_;
  if (const size_t at = held.find(mark_); at != std::string_view::npos) {
    deliver(held.substr(0, at), payload);
    state_ = State::kOver;
    return {at + kMarkBytes - before, Outcome::kWhole};
  }
  const size_t surely = held.size() - std::min(held.size(), kMarkBytes - 1);
  deliver(held.substr(0, surely), payload);
  held_.erase(0, surely);
  return {bytes.size(), Outcome::kMore};
}

SnapshotTransfer::Outcome SnapshotTransfer::fail(std::string problem) {
  problem_ = std::move(problem);
  state_ = State::kOver;
  return Outcome::kFailed;
}

void SnapshotTransfer::deliver(ae::Bytes bytes, Payload payload) {
  if (bytes.empty()) return;
  received_bytes_ += int64_t(bytes.size());
  payload(bytes);
}

}  // namespace millrace
