// The whole tester in a simulated world, where a reply takes no time and a stall exactly as long as
// it is told to: what is reported can be said beforehand.
#include "load/tester.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/load/load_rig.h"

namespace load {
namespace {

using ae::Milliseconds;
using ae::Seconds;

TEST(TesterTest, EverybodyComesInAndIsAskedOnce) {
  LoadRig rig;
  const PhaseResult& connected = rig.connect();
  ASSERT_TRUE(rig.over());
  EXPECT_EQ(connected.connected, 10u);
  EXPECT_EQ(connected.present, 10u);
  const PhaseResult& swept = rig.run(ScenarioKind::kSweep, {}, 100);
  ASSERT_TRUE(rig.over());
  EXPECT_EQ(swept.asked, 10u);
  EXPECT_EQ(swept.answered, 10u);
  EXPECT_TRUE(swept.clean());
  for (const auto& guest : rig.server().guests()) EXPECT_EQ(guest.requests, 1u);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, HoldAsksNothingAndSeesWhoIsThrownOut) {
  LoadRig rig;
  rig.connect();
  rig.world().agenda().after(Milliseconds(300), [&] { rig.server().guests()[3].peer.reset(); });
  rig.world().agenda().after(Milliseconds(400), [&] { rig.server().guests()[4].peer.fin(); });
  const PhaseResult& held = rig.run(ScenarioKind::kHold, Seconds(2));
  ASSERT_TRUE(rig.over());
  EXPECT_EQ(held.asked, 0u);
  EXPECT_EQ(held.broken, 2u);
  EXPECT_EQ(held.present, 8u);
  EXPECT_FALSE(held.clean());
  EXPECT_EQ(rig.run(ScenarioKind::kSweep).unasked, 2u);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, ARateIsKeptToTheRequest) {
  LoadRig rig;
  rig.connect();
  const PhaseResult& result = rig.run(ScenarioKind::kRandom, Seconds(3), 777);
  EXPECT_EQ(result.asked, 3 * 777u);
  EXPECT_EQ(result.answered, 3 * 777u);
  EXPECT_LE(result.latency.max(), ae::Microseconds(1));
  EXPECT_TRUE(result.clean());
  for (const auto& guest : rig.server().guests()) EXPECT_GT(guest.requests, 100u);
  EXPECT_EQ(rig.end(), "");
}

// The reason for all this. The requests of the 300 ms wait 300, 299, 298 ... ms, and all are seen;
// the closed loop sees one.
TEST(TesterTest, AStallIsReportedInFull) {
  LoadRig rig([](Options& options) { options.closed = 1; });
  rig.connect();
  rig.server().stall(Milliseconds(500), Milliseconds(300));
  const PhaseResult& result = rig.run(ScenarioKind::kRandom, Seconds(2), 1000);
  ASSERT_TRUE(rig.over());
  EXPECT_EQ(result.answered, 2000u);
  EXPECT_NEAR(double(result.late), 100, 2) << "those that waited more than 200 of the 300 ms";
  EXPECT_NEAR(double(result.latency.max().count()), 300e6, 2e6);
  // 300 of 2000 requests are above nothing: the 92.5th percentile is the middle of the stall.
  EXPECT_NEAR(double(result.latency.percentile(92.5).count()), 150e6, 3e6);
  EXPECT_EQ(result.latency.percentile(84).count(), 0);

  EXPECT_NEAR(double(result.closed.total()), 1700, 5) << "what it did not send it cannot miss";
  EXPECT_NEAR(double(result.closed.max().count()), 300e6, 2e6);
  EXPECT_EQ(result.closed.percentile(99.9).count(), 0) << "one of 1700";
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, OnlyTheActiveAreAsked) {
  LoadRig rig([](Options& options) { options.active_percent = 20; });
  rig.connect();
  const PhaseResult& result = rig.run(ScenarioKind::kRandom, Seconds(1), 1000);
  EXPECT_EQ(result.answered, 1000u);
  const auto was_asked = [](const auto& guest) { return guest.requests > 0; };
  EXPECT_EQ(std::ranges::count_if(rig.server().guests(), was_asked), 2);
  // A share too small for anybody is one.
  LoadRig single([](Options& options) { options.active_percent = 0.1; });
  single.connect();
  EXPECT_EQ(single.run(ScenarioKind::kRandom, Seconds(1), 100).answered, 100u);
  EXPECT_EQ(std::ranges::count_if(single.server().guests(), was_asked), 1);
  EXPECT_EQ(rig.end() + single.end(), "");
}

TEST(TesterTest, TheClosedLoopsClientsComeBackToTheOpenOne) {
  LoadRig rig([](Options& options) { options.closed = 5; });
  rig.connect();
  // The phase ends within the stall: the closed loop's last replies come after its end.
  rig.server().stall(Milliseconds(900), Milliseconds(300));
  const PhaseResult& random = rig.run(ScenarioKind::kRandom, Seconds(1), 1000);
  EXPECT_EQ(random.latency.total(), 1000u);
  EXPECT_GE(random.closed.max(), Milliseconds(200));
  const PhaseResult& swept = rig.run(ScenarioKind::kSweep);
  EXPECT_EQ(swept.latency.total(), 10u);
  EXPECT_EQ(swept.closed.total(), 0u);
  EXPECT_TRUE(swept.clean());
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, AClosedLoopGoesOnAfterTheDeadline) {
  LoadRig rig([](Options& options) {
    options.closed = 1;
    options.deadline = Milliseconds(100);
  });
  rig.connect();
  rig.server().stall(Milliseconds(200), Milliseconds(300));
  const PhaseResult& result = rig.run(ScenarioKind::kRandom, Seconds(1), 1000);
  EXPECT_NEAR(double(result.closed.total()), 700, 5);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, AClosedLoopsConnectionIsALossLikeAnyOther) {
  LoadRig rig([](Options& options) { options.closed = 9; });
  rig.connect();
  rig.world().agenda().after(Milliseconds(500), [&] {
    for (auto& guest : rig.server().guests()) guest.peer.reset();
  });
  const PhaseResult& result = rig.run(ScenarioKind::kRandom, Seconds(1), 1000);
  EXPECT_EQ(result.broken, 10u);
  EXPECT_EQ(result.peers_closed, 0u);
  EXPECT_EQ(rig.end(), "");
}

// As many at a time as there are connections in it, as often as the server answers; the others are
// idle, and nobody asks in the phase behind it.
TEST(TesterTest, SaturationAsksAgainAtEachReply) {
  LoadRig rig;
  rig.connect();
  rig.server().serve_every(Milliseconds(1));
  const PhaseResult& result = rig.run(ScenarioKind::kSaturate, Seconds(1), 4);
  ASSERT_TRUE(rig.over());
  EXPECT_NEAR(double(result.asked), 4 * 1000, 8);
  EXPECT_EQ(result.answered, result.asked);
  EXPECT_TRUE(result.clean());
  size_t asked = 0;
  for (const auto& guest : rig.server().guests()) asked += guest.requests > 0;
  EXPECT_EQ(asked, 4u);
  EXPECT_EQ(rig.run(ScenarioKind::kHold).asked, 0u);
  EXPECT_EQ(rig.end(), "");
}

// A server that leaves requests unanswered is asked again when the late reply comes after all.
TEST(TesterTest, SaturationOutlivesTheDeadline) {
  LoadRig rig([](Options& options) { options.deadline = Milliseconds(100); });
  rig.connect();
  rig.server().serve_every(Milliseconds(200));
  const PhaseResult& result = rig.run(ScenarioKind::kSaturate, Seconds(1), 10);
  EXPECT_EQ(result.answered, 0u);
  EXPECT_GE(result.unanswered, 40u);
  EXPECT_EQ(rig.end(), "");
}

// This process gets no processor for 100 ms. Whose requests were due meanwhile waited all the same,
// and whose fault it was is said beside it.
TEST(TesterTest, ItsOwnLatenessIsLatencyAndIsShown) {
  LoadRig rig;
  rig.connect();
  rig.world().agenda().after(Milliseconds(500), [&] {
    rig.world().clock().advance_to(rig.world().clock().now() + Milliseconds(100));
  });
  const PhaseResult& result = rig.run(ScenarioKind::kRandom, Seconds(1), 1000);
  EXPECT_EQ(result.answered, 1000u);
  EXPECT_NEAR(double(result.latency.max().count()), 100e6, 2e6);
  EXPECT_NEAR(double(result.latency.percentile(95).count()), 50e6, 3e6);
  EXPECT_NEAR(double(result.lag.max().count()), 100e6, 2e6);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, TheDeadlineAndTheReplyAfterIt) {
  LoadRig rig([](Options& options) {
    options.connections = 1;
    options.deadline = Milliseconds(200);
  });
  rig.connect();
  rig.server().stall(Milliseconds(500), Milliseconds(300));
  const PhaseResult& result = rig.run(ScenarioKind::kRandom, Seconds(1), 1000);
  ASSERT_TRUE(rig.over());
  EXPECT_NEAR(double(result.unanswered), 100, 2);
  EXPECT_EQ(result.answered + result.unanswered, 1000u);
  // Replies that came too late were not taken for those of later requests.
  EXPECT_LE(result.latency.max(), Milliseconds(200));
  EXPECT_EQ(result.latency.percentile(70).count(), 0);
  EXPECT_EQ(result.wrong, 0u);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, NoReplyEver) {
  LoadRig rig;
  rig.connect();
  rig.server().answer_instead(5, "");
  const PhaseResult& result = rig.run(ScenarioKind::kSweep, {}, 100);
  ASSERT_TRUE(rig.over()) << "it ends by itself";
  EXPECT_EQ(result.unanswered, 1u);
  EXPECT_EQ(result.answered, 9u);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, WhatIsWrongIsCountedAndTheFirstIsQuoted) {
  LoadRig rig;
  rig.connect();
  rig.server().answer_instead(1, "-ERR no\r\n");
  const PhaseResult& error = rig.run(ScenarioKind::kSweep);
  EXPECT_EQ(error.wrong, 1u);
  EXPECT_STREQ(error.first_wrong, "(error) ERR no");
  rig.server().answer_instead(11, "+PANG\r\n");
  EXPECT_EQ(rig.run(ScenarioKind::kSweep).wrong, 1u);
  rig.server().answer_instead(21, "+PONG\r\n+PONG\r\n");
  const PhaseResult& twice = rig.run(ScenarioKind::kSweep);
  EXPECT_EQ(twice.wrong, 1u);
  EXPECT_NE(std::string(twice.first_wrong).find("nobody asked"), std::string::npos);
  EXPECT_EQ(twice.answered, 10u);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, WhatIsNoReplyAtAllEndsTheConnection) {
  LoadRig rig;
  rig.connect();
  rig.server().answer_instead(1, "HTTP/1.1 400 Bad Request\r\n");
  const PhaseResult& result = rig.run(ScenarioKind::kSweep, {}, 100);
  ASSERT_TRUE(rig.over());
  EXPECT_EQ(result.wrong, 1u);
  EXPECT_EQ(result.lost, 1u);
  EXPECT_EQ(result.broken, 1u);
  EXPECT_EQ(result.present, 9u);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, RepliesInPiecesOnManyConnectionsAtOnce) {
  LoadRig rig([](Options& options) { options.pipeline = 7; });
  rig.connect();
  rig.server().set_piecewise();
  const PhaseResult& result = rig.run(ScenarioKind::kSticky, Seconds(1), 7000);
  EXPECT_EQ(result.answered, 7000u);
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, AConnectionThatDiesTakesItsRequestsAlong) {
  LoadRig rig;
  rig.connect();
  rig.server().stall(Milliseconds(100), Milliseconds(100));
  rig.world().agenda().after(Milliseconds(150), [&] {
    for (auto& guest : rig.server().guests()) guest.peer.reset();
  });
  const PhaseResult& result = rig.run(ScenarioKind::kRandom, Seconds(1), 1000);
  ASSERT_TRUE(rig.over());
  EXPECT_EQ(result.broken, 10u);
  EXPECT_NEAR(double(result.lost), 50, 2);
  EXPECT_NEAR(double(result.unasked), 850, 2);
  EXPECT_EQ(result.answered + result.lost + result.unasked, 1000u);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, HandshakesAreBounded) {
  LoadRig rig([](Options& options) {
    options.connections = 50;
    options.handshakes = 8;
  });
  rig.server().host().answer_with(ae::sim::Answer::kSilence);
  rig.run(ScenarioKind::kConnect, {}, 1, Milliseconds(100));
  EXPECT_FALSE(rig.over());
  EXPECT_EQ(rig.server().host().waiting(), 8u);
  EXPECT_EQ(rig.server().host().dials(), 8u);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, TheConnectRateIsKept) {
  LoadRig rig([](Options& options) {
    options.connections = 50;
    options.connect_rate = 100;
  });
  const PhaseResult& result = rig.connect();
  EXPECT_EQ(result.connected, 50u);
  EXPECT_NEAR(double(result.wall.count()), 490e6, 15e6);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, NobodyThere) {
  LoadRig rig([](Options& options) {
    options.connections = 5000;
    options.handshakes = 100;
  });
  rig.server().host().answer_with(ae::sim::Answer::kRefuse);
  const PhaseResult& result = rig.connect();
  ASSERT_TRUE(rig.over());
  EXPECT_EQ(result.connect_failed, 5000u);
  EXPECT_EQ(result.connect_error, ECONNREFUSED);
  EXPECT_EQ(result.present, 0u);
  EXPECT_LT(rig.server().host().dials(), 4000u) << "it sees that it is hopeless";
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, AStormBringsAllBackWhileTheOthersWork) {
  LoadRig rig([](Options& options) { options.storm_percent = 70; });
  rig.connect();
  const PhaseResult& result = rig.run(ScenarioKind::kStorm, Seconds(1), 500);
  ASSERT_TRUE(rig.over());
  EXPECT_EQ(result.connected, 7u);
  EXPECT_EQ(result.present, 10u);
  EXPECT_EQ(result.answered, 500u);
  EXPECT_GT(result.reconnect.count(), -1);
  EXPECT_TRUE(result.clean()) << "who leaves of his own accord loses nothing";
  EXPECT_EQ(rig.server().guests().size(), 17u);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, DribbledBytesMakeWholeRequests) {
  LoadRig rig([](Options& options) {
    options.peers = 3;
    options.byte_interval = Milliseconds(10);
  });
  rig.connect();
  const PhaseResult& result = rig.run(ScenarioKind::kDribble, Seconds(1), 100);
  ASSERT_TRUE(rig.over());
  // PING is 14 bytes on the wire: seven whole requests in the 100 bytes of a second.
  EXPECT_NEAR(double(result.answered), 100 + 3 * 7, 3);
  EXPECT_EQ(result.answered, result.asked);
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(result.present, 10u) << "the peers come back as new connections";
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, HalfOpenPeersHangAndTheOthersWork) {
  LoadRig rig([](Options& options) { options.peers = 4; });
  rig.connect();
  bool half_requests_seen = false;
  rig.world().agenda().after(Milliseconds(500), [&] {
    const auto halves = std::ranges::count_if(
        rig.server().guests(), [](const auto& guest) { return guest.unparsed == "*1\r\n$4\r"; });
    half_requests_seen = halves == 4;
  });
  const PhaseResult& result = rig.run(ScenarioKind::kHalfOpen, Seconds(1), 100);
  EXPECT_TRUE(half_requests_seen);
  EXPECT_EQ(result.answered, 100u);
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(result.present, 10u);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, PeersThatAreThrownOutAreNoLoss) {
  LoadRig rig([](Options& options) { options.peers = 4; });
  rig.connect();
  rig.world().agenda().after(Milliseconds(500), [&] {
    for (auto& guest : rig.server().guests()) {
      if (guest.requests == 33) guest.peer.fin();
    }
  });
  const PhaseResult& result = rig.run(ScenarioKind::kSlow, Seconds(4), 100);
  EXPECT_EQ(result.answered, 400u);
  EXPECT_EQ(result.peers_closed, 4u);
  EXPECT_GT(result.peer_bytes, 0u);
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(result.present, 10u);
  EXPECT_EQ(rig.end(), "");
}

TEST(TesterTest, SharesOfTheWholeAreTheWhole) {
  for (const uint32_t of : {1u, 3u, 7u}) {
    uint32_t sum = 0;
    for (uint32_t index = 0; index < of; ++index) {
      EXPECT_EQ((Share{index, of}.before(100)), sum);
      sum += Share{index, of}.part(100);
    }
    EXPECT_EQ(sum, 100u);
  }
}

}  // namespace
}  // namespace load
