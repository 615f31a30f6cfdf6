// Closing from everywhere: each callback x each way to close x each pending resource x the state it
// happens in, over real sockets. After each combination nothing may be left: no descriptor, no
// registration, no record, no buffer, no timer; and on_closed came exactly once, last.
#include <gtest/gtest.h>

#include <bit>
#include <cstdio>

#include "ae/net/connection_state.h"
#include "net_support.h"

namespace ae::test {
namespace {

enum class From {
  kOutside,
  kData,
  kOpen,
  kHalfClosed,
  kHangUp,
  kDrained,
  kHigh,
  kClosed,
  kTimer,
  kBeforeSleep,
  kAfterEvents,
  kOtherConnection
};
enum class How {
  kClose,
  kCloseTwice,
  kAfterFlush,
  kAfterFlushThenClose,
  kCloseThenAfterFlush,
  kAfterFlushTwice,
  kPeerReset,
  kPeerFin
};
enum Resource : unsigned {
  kNothing = 0,
  kKeptInput = 1,
  kQueuedOutput = 2,
  kPaused = 4,
  kHeldInput = 8,
  kPendingView = 16,
  kKernelFull = 32,
  kWish = 64,
  kAllResources = 128,
};

constexpr From kFroms[] = {From::kOutside,     From::kData,        From::kOpen,
                           From::kHalfClosed,  From::kHangUp,      From::kDrained,
                           From::kHigh,        From::kClosed,      From::kTimer,
                           From::kBeforeSleep, From::kAfterEvents, From::kOtherConnection};
constexpr How kHows[] = {How::kClose,
                         How::kCloseTwice,
                         How::kAfterFlush,
                         How::kAfterFlushThenClose,
                         How::kCloseThenAfterFlush,
                         How::kAfterFlushTwice,
                         How::kPeerReset,
                         How::kPeerFin};

class Scenario {
 public:
  Scenario(Face face, From from, How how, unsigned resources)
      : wheel_(options(), face), from_(from), how_(how), resources_(resources) {}

  // False where the combination cannot come about (nothing drained without queued output).
  bool run() {
    install();
    start();
    wheel_.spin(2);
    provoke();
    // The deadline of a drain is virtual for nobody here: one that waits for a full kernel is let
    // go.
    for (int tick = 0; tick < 6; ++tick) wheel_.spin(1);
    wheel_.os.writes_until_full = SIZE_MAX;
    for (int tick = 0; tick < 6; ++tick) wheel_.spin(1);
    const bool fired = fired_;
    if (wheel_.handler.closed_calls == 0) connection_.close(CloseReason::kShutdown);
    other_.close(CloseReason::kShutdown);
    wheel_.spin(3);
    check();
    return fired;
  }

 private:
  static ConnectionOptions options() {
    ConnectionOptions options;
    options.high_watermark = 1000;
    options.low_watermark = 100;
    options.scratch_bytes = 4096;
    return options;
  }
  bool has(Resource resource) const { return (resources_ & resource) != 0; }

  void install() {
    Recorder& handler = wheel_.handler;
    handler.data = [this](Connection c, MutableBytes data) {
      if (c.id() != connection_.id()) return data.size();
      if (has(kHeldInput)) wheel_.table->hold_input();
      if (has(kWish)) wheel_.table->keep_at_least(c.id(), 1000);
      const size_t consumed = has(kKeptInput) ? data.size() / 2 : data.size();
      if (from_ == From::kData) end();
      if (from_ == From::kOtherConnection) end();
      return consumed;
    };
    handler.open = [this](Connection) { end_from(From::kOpen); };
    handler.half_closed = [this](Connection c) {
      if (from_ == From::kHalfClosed) return end();
      c.close_after_flush(CloseReason::kPeerClosed);
    };
    handler.hang_up = [this](Connection) { end_from(From::kHangUp); };
    handler.drained = [this](Connection) { end_from(From::kDrained); };
    handler.high = [this](Connection) { end_from(From::kHigh); };
    handler.closed = [this](Connection c, CloseReason) {
      if (c.id() != connection_.id()) return;
      EXPECT_EQ(c.state(), ConnectionState::kClosed);
      EXPECT_FALSE(c.alive());
      EXPECT_EQ(c.user(), 7u);  // still readable
      end_from(From::kClosed);
      c.send("too late");
      c.close(CloseReason::kRequested);
    };
    wheel_.loop->before_sleep([this] {
      if (armed_) end_from(From::kBeforeSleep);
    });
    wheel_.loop->after_events([this] {
      if (armed_) end_from(From::kAfterEvents);
      if (wheel_.table) wheel_.table->release_input();
    });
  }

  // Brings the connection into being, connecting where on_open is wanted.
  void start() {
    const auto [ours, theirs] = how_ == How::kPeerReset ? tcp_pair() : unix_pair();
    peer_.emplace(theirs);
    const auto adopted = from_ == From::kOpen
                             ? wheel_.table->adopt_connecting(ours, wheel_.handler, 7)
                             : wheel_.table->adopt(ours, wheel_.handler, 7);
    connection_ = *adopted;
    const auto [other_ours, other_theirs] = unix_pair();
    other_peer_.emplace(other_theirs);
    other_ = *wheel_.table->adopt(other_ours, other_handler_, 8);
    other_handler_.data = [this](Connection, MutableBytes data) {
      end_from(From::kOtherConnection);
      return data.size();
    };
  }

  // Puts the resources in place and makes the callback come.
  void provoke() {
    if (from_ == From::kHangUp) connection_.pause(PauseReason::kBlocked);
    if (from_ != From::kData) {
      peer_->send_some("half a packet");
      wheel_.spin(1);
    }
    if (has(kPaused) && from_ != From::kData) connection_.pause(PauseReason::kBusy);
    if (has(kKernelFull) || from_ == From::kDrained || from_ == From::kHigh) {
      wheel_.os.writes_until_full = 0;
    }
    if (has(kQueuedOutput) || from_ == From::kDrained) connection_.send("queued output");
    if (from_ == From::kHigh) connection_.send(std::string(2000, 'h'));
    if (has(kPendingView)) wheel_.table->send_view(connection_.id(), "a view");
    armed_ = true;
    switch (from_) {
      case From::kOutside:
      case From::kClosed:
        if (from_ == From::kClosed) connection_.close(CloseReason::kRequested);
        if (from_ == From::kOutside) end();
        break;
      case From::kData:
        peer_->send_some("data");
        break;
      case From::kHalfClosed:
      case From::kHangUp:
        peer_->finish();
        break;
      case From::kDrained:
        wheel_.spin(1);
        wheel_.os.writes_until_full = SIZE_MAX;
        break;
      case From::kTimer:
        wheel_.loop->add_timer(Nanoseconds::zero(), [this] { end(); });
        break;
      case From::kOtherConnection:
        peer_->send_some("data");  // both are in the same batch of events
        other_peer_->send_some("data");
        break;
      default:
        break;
    }
  }

  void end_from(From from) {
    if (from == from_) end();
  }
  void end() {
    if (std::exchange(fired_, true)) return;
    constexpr auto kWhy = CloseReason::kRequested;
    switch (how_) {
      case How::kClose:
        connection_.close(kWhy);
        break;
      case How::kCloseTwice:
        connection_.close(kWhy);
        connection_.close(CloseReason::kShutdown);
        break;
      case How::kAfterFlush:
        connection_.close_after_flush(kWhy);
        break;
      case How::kAfterFlushThenClose:
        connection_.close_after_flush(kWhy);
        connection_.close(kWhy);
        break;
      case How::kCloseThenAfterFlush:
        connection_.close(kWhy);
        connection_.close_after_flush(kWhy);
        break;
      case How::kAfterFlushTwice:
        connection_.close_after_flush(kWhy);
        connection_.close_after_flush(CloseReason::kShutdown);
        break;
      case How::kPeerReset:
        peer_->reset();
        break;
      case How::kPeerFin:
        peer_->finish();
        break;
    }
    // Whatever is called on a connection that ends changes nothing.
    if (how_ != How::kPeerReset && how_ != How::kPeerFin) {
      connection_.send("after the end");
      connection_.unread("after the end");
      connection_.pause(PauseReason::kUser);
      connection_.resume(PauseReason::kUser);
    }
  }

  void check() {
    EXPECT_EQ(wheel_.handler.closed_calls, 1u);
    EXPECT_EQ(wheel_.handler.calls.back(), "closed");
    EXPECT_EQ(other_handler_.closed_calls, 1u);
    EXPECT_EQ(wheel_.table->size(), 0u);
    EXPECT_EQ(wheel_.loop->watched(), 0u);
    const TableStats& stats = wheel_.table->stats();
    EXPECT_EQ(stats.kept_input_bytes, 0u);
    EXPECT_EQ(stats.queued_output_bytes, 0u);
    EXPECT_EQ(stats.extensions, 0u);
    EXPECT_EQ(stats.closed, 2u);
    const uint64_t reaped = wheel_.loop->stats().reaped;
    wheel_.spin(2);
    EXPECT_EQ(wheel_.loop->stats().reaped, reaped);
    EXPECT_EQ(wheel_.handler.closed_calls, 1u);
  }

  Wheel wheel_;
  const From from_;
  const How how_;
  const unsigned resources_;
  Recorder other_handler_;
  Connection connection_, other_;
  std::optional<Peer> peer_, other_peer_;
  bool armed_ = false, fired_ = false;
};

// None, one alone, or all of them.
bool few(unsigned resources) {
  return std::popcount(resources) <= 1 || resources == kAllResources - 1;
}

class ClosingMatrix : public ::testing::TestWithParam<Face> {};

TEST_P(ClosingMatrix, NothingIsLeft) {
  size_t combinations = 0, fired = 0;
  const size_t descriptors = open_descriptors();
  for (From from : kFroms) {
    size_t fired_from_here = 0;
    for (How how : kHows) {
      for (unsigned resources = 0; resources < kAllResources; ++resources) {
        if (GetParam() == Face::kIoUring && !few(resources)) continue;  // a ring each is dear
        SCOPED_TRACE("from " + std::to_string(int(from)) + " how " + std::to_string(int(how)) +
                     " resources " + std::to_string(resources));
        ++combinations;
        fired_from_here += Scenario(GetParam(), from, how, resources).run();
        ASSERT_EQ(open_descriptors(), descriptors);
        ASSERT_FALSE(HasFailure());
      }
    }
    const bool needs_full_kernel = from == From::kDrained || from == From::kHigh;
    if (!needs_full_kernel || writes_through_os(GetParam())) {
      EXPECT_GT(fired_from_here, 0u) << "from " << int(from);
    }
    fired += fired_from_here;
  }
  std::printf("closing matrix: %zu combinations, the callback came in %zu\n", combinations, fired);
}

INSTANTIATE_TEST_SUITE_P(Faces, ClosingMatrix, ::testing::ValuesIn(faces()),
                         [](const auto& info) { return face_name(info.param); });

}  // namespace
}  // namespace ae::test
