// Every way in which a reply can leave in pieces: the kernel takes it byte by byte, in any
// composition, with EAGAIN, a fatal error, a reset or a pause anywhere between. And windows of
// every size, where the short writes are not injected but true.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "ae/sim/enumerator.h"
#include "tests/sim/stage.h"

namespace ae::sim {
namespace {

const std::vector<ToyModel::Command> kSetGet = {{"SET", "k", "v"},
                                                {"GET", "k"}};  // 12 bytes of reply

// Between two pieces of the reply.
const std::vector<Gap> kDisturbances = {Gap::kTime, Gap::kInterrupted, Gap::kWriteWouldBlock,
                                        Gap::kFin, Gap::kReset};

// Arms the writes so that they take the pieces of the schedule, one write each.
void arm_writes(FaultPlan& faults, const Schedule& schedule) {
  uint64_t write = faults.calls(CallKind::kWrite);
  for (size_t i = 0; i < schedule.pieces.size(); ++i) {
    if (schedule.gaps[i] == Gap::kWriteWouldBlock) {
      faults.nth(CallKind::kWrite, ++write, Fault::would_block());
    }
    faults.nth(CallKind::kWrite, ++write, Fault::of_short(schedule.pieces[i]));
  }
}

// Plays one gap; false when the client is gone.
bool play_gap(Stage& stage, Gap gap, SimPeer& client) {
  if (gap == Gap::kReset) {
    client.reset();
    return false;
  }
  if (gap == Gap::kFin) client.fin();
  if (gap == Gap::kTime) stage.world().pass(Seconds(1));
  if (gap == Gap::kInterrupted) {
    stage.faults().next_calls(CallKind::kPollWait, 1, Fault::interrupted());
  }
  stage.world().tick();
  return true;
}

std::string run(Stage& stage, const Dialogue& dialogue, const Schedule& schedule) {
  SimPeer client = stage.client();
  arm_writes(stage.faults(), schedule);
  client.send(dialogue.request);
  bool there = true;
  for (size_t i = 0; there && i < schedule.gaps.size(); ++i) {
    there = play_gap(stage, schedule.gaps[i], client);
  }
  stage.world().settle();
  client.read();
  std::string wrong = prefix_violation(client.received(), dialogue.reply);
  if (there && client.received() != dialogue.reply) {
    wrong += "only \"" + client.received() + "\" of the reply came\n";
  }
  client.close();
  stage.world().settle();
  stage.faults().clear();
  return wrong + stage.violations();
}

TEST(ExhaustiveDepartureTest, EveryCompositionOfTheReplyWithADisturbanceAnywhere) {
  const Dialogue dialogue(kSetGet, Dialogue::Form::kMultibulk);
  const Enumerator schedules({.bytes = dialogue.reply.size(),
                              .max_cuts = dialogue.reply.size() - 1,
                              .variations = kDisturbances,
                              .max_variations = 1});
  std::unique_ptr<Stage> stage;
  for (uint64_t number = 0; number < schedules.count(); ++number) {
    if (number % 64 == 0) {
      stage.reset();
      stage = std::make_unique<Stage>(StageOptions{.world = {.seed = number}});
    }
    const Schedule schedule = schedules.at(number);
    ASSERT_EQ(run(*stage, dialogue, schedule), "") << "in schedule " << describe(schedule);
  }
  std::printf("  %zu bytes of reply in all pieces. schedules: %llu\n", dialogue.reply.size(),
              static_cast<unsigned long long>(schedules.count()));
}

// The first write takes `taken` bytes, the second fails.
TEST(ExhaustiveDepartureTest, AFatalErrorBehindEveryByte) {
  const Dialogue dialogue(kSetGet, Dialogue::Form::kMultibulk);
  for (const int error : {ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH}) {
    for (size_t taken = 1; taken < dialogue.reply.size(); ++taken) {
      Stage stage;
      SimPeer client = stage.client();
      stage.faults().nth(CallKind::kWrite, 1, Fault::of_short(taken));
      stage.faults().nth(CallKind::kWrite, 2, Fault::of_errno(error));
      client.send(dialogue.request);
      stage.world().settle();
      client.read();
      EXPECT_EQ(client.received(), dialogue.reply.substr(0, taken));
      EXPECT_EQ(stage.handler().closed(), 1u);
      EXPECT_EQ(stage.violations(), "");
    }
  }
}

// The kernel holds `window` bytes in all, and the client takes `sip` at a time.
TEST(ExhaustiveDepartureTest, EveryWindowAndEverySip) {
  const Dialogue dialogue({{"SET", "k", "value"}, {"GET", "k"}, {"ECHO", "a longer text"}},
                          Dialogue::Form::kMultibulk);
  size_t runs = 0;
  for (size_t window = 1; window <= dialogue.reply.size(); ++window) {
    for (size_t sip = 1; sip <= window; ++sip, ++runs) {
      Stage stage({.world = {.os = {.buffers = {.send = window, .receive = 4096}}}});
      SimPeer client = stage.client({.send = 4096, .receive = 0});
      client.send(dialogue.request);
      for (size_t i = 0; i <= dialogue.reply.size(); ++i) {
        stage.world().settle();
        client.read(sip);
      }
      ASSERT_EQ(client.received(), dialogue.reply) << "window " << window << ", sip " << sip;
      client.close();
      stage.world().settle();
      ASSERT_EQ(stage.violations(), "");
    }
  }
  std::printf("  windows and sips: %zu\n", runs);
}

}  // namespace
}  // namespace ae::sim
