// Every way in which a few small requests can arrive, on the real loop, connection table and
// parser.
//
// Limits, chosen so that all of it runs in seconds under the sanitizers: requests of up to 16 bytes
// in all their 2^(n-1) compositions; one disturbance anywhere in these for the short ones, and for
// longer requests up to three cuts.
//
// A failure names its schedule by number; MILLRACE_SCHEDULE=<number> with the printed
// --gtest_filter replays it. One world serves a block of consecutive schedules, since setting one
// up costs more than playing in it; a replay plays the block up to the schedule.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "ae/sim/enumerator.h"
#include "tests/sim/stage.h"

namespace ae::sim {
namespace {

using Form = Dialogue::Form;
using Commands = std::vector<ToyModel::Command>;

const Commands kPing = {{"PING"}};
const Commands kSetGet = {{"SET", "k", "v"}, {"GET", "k"}};

// Everything that may happen in a gap besides a tick.
const std::vector<Gap> kDisturbances = {
    Gap::kNothing,         Gap::kTime,       Gap::kInterrupted, Gap::kReadWouldBlock,
    Gap::kWriteWouldBlock, Gap::kShortWrite, Gap::kFin,         Gap::kReset};

std::optional<uint64_t> schedule_to_replay() {
  const char* number = std::getenv("MILLRACE_SCHEDULE");
  if (number == nullptr) return std::nullopt;
  return std::strtoull(number, nullptr, 10);
}

size_t bytes_sent(const Schedule& schedule) {
  size_t sent = 0;
  for (size_t i = 0; i < schedule.gaps.size(); ++i) {
    if (schedule.gaps[i] == Gap::kFin || schedule.gaps[i] == Gap::kReset) return sent;
    if (i < schedule.pieces.size()) sent += schedule.pieces[i];
  }
  return sent;
}

// The first way in which a run of this schedule goes wrong, or nothing.
std::string run(Stage& stage, const Dialogue& dialogue, const Schedule& schedule) {
  SimPeer client = stage.client();
  const bool complete = stage.world().play(schedule, dialogue.request, client);
  stage.world().settle();
  client.read();
  const std::string expected = dialogue.reply_to(bytes_sent(schedule));
  std::string wrong = prefix_violation(client.received(), expected);
  const bool vanished = !complete && client.end().link->closed(client.end().side);
  if (!vanished && client.received().size() < expected.size()) {
    wrong += "only \"" + client.received() + "\" of the reply came\n";
  }
  client.close();
  stage.world().settle();
  stage.faults().clear();
  return wrong + stage.violations();
}

constexpr uint64_t kSchedulesPerWorld = 64;

// Pulled by readiness, each request run at once; or pushed by completions, through buffers so small
// that a request needs several, and run in a batch.
enum class Carrier : uint8_t { kReadiness, kCompletions };

StageOptions stage_options(Carrier carrier, uint64_t seed) {
  StageOptions options{.world = {.seed = seed}};
  if (carrier == Carrier::kReadiness) return options;
  options.world.completions = {.count = 3, .bytes = 5};
  options.mode = ToyServer::Mode::kBatched;
  return options;
}

class ExhaustiveArrivalTest : public ::testing::TestWithParam<Carrier> {
 protected:
  void run_all(const Commands& commands, Form form, size_t max_cuts,
               const std::vector<Gap>& variations = {}, size_t max_variations = 0) {
    const Dialogue dialogue(commands, form);
    const Enumerator schedules({.bytes = dialogue.request.size(),
                                .max_cuts = max_cuts,
                                .variations = variations,
                                .max_variations = max_variations});
    const auto only = schedule_to_replay();
    const uint64_t first = only ? *only - *only % kSchedulesPerWorld : 0;
    const uint64_t end = only ? *only + 1 : schedules.count();
    std::optional<Stage> stage;
    for (uint64_t number = first; number < end; ++number) {
      if (number % kSchedulesPerWorld == 0) {
        stage.reset();
        stage.emplace(stage_options(GetParam(), number));
      }
      const Schedule schedule = schedules.at(number);
      const std::string wrong = run(*stage, dialogue, schedule);
      if (!wrong.empty()) return report(schedule, wrong);
    }
    std::printf("  %zu bytes, up to %zu cuts, %zu disturbances of %zu. schedules: %llu\n",
                dialogue.request.size(), std::min(max_cuts, dialogue.request.size() - 1),
                max_variations, variations.size(), static_cast<unsigned long long>(end - first));
  }

  static void report(const Schedule& schedule, const std::string& wrong) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    ADD_FAILURE() << wrong << "\nin schedule " << describe(schedule)
                  << "\nreplay: MILLRACE_SCHEDULE=" << schedule.number
                  << " ae_tests --gtest_filter=" << test->test_suite_name() << "." << test->name();
  }

  static constexpr size_t kEverywhere = ScheduleSpace::kMaxBytes;
};

TEST_P(ExhaustiveArrivalTest, InlinePingInAllPieces) {
  run_all(kPing, Form::kInline, kEverywhere);
}

TEST_P(ExhaustiveArrivalTest, InlinePingInAllPiecesWithTwoDisturbances) {
  run_all(kPing, Form::kInline, kEverywhere, kDisturbances, 2);
}

TEST_P(ExhaustiveArrivalTest, MultibulkPingInAllPieces) {
  run_all(kPing, Form::kMultibulk, kEverywhere);
}

TEST_P(ExhaustiveArrivalTest, MultibulkPingWithADisturbance) {
  run_all(kPing, Form::kMultibulk, 4, kDisturbances, 1);
}

TEST_P(ExhaustiveArrivalTest, InlineSetGetInAllPieces) {
  run_all(kSetGet, Form::kInline, kEverywhere);
}

TEST_P(ExhaustiveArrivalTest, InlineSetGetWithADisturbance) {
  run_all(kSetGet, Form::kInline, 3, kDisturbances, 1);
}

TEST_P(ExhaustiveArrivalTest, MultibulkSetGetInUpToFourPieces) {
  run_all(kSetGet, Form::kMultibulk, 3);
}

TEST_P(ExhaustiveArrivalTest, MultibulkSetGetWithADisturbance) {
  run_all(kSetGet, Form::kMultibulk, 2, kDisturbances, 1);
}

TEST_P(ExhaustiveArrivalTest, MultibulkSetGetWithTwoDisturbances) {
  run_all(kSetGet, Form::kMultibulk, 1, kDisturbances, 2);
}

INSTANTIATE_TEST_SUITE_P(Carriers, ExhaustiveArrivalTest,
                         ::testing::Values(Carrier::kReadiness, Carrier::kCompletions),
                         [](const auto& info) {
                           return info.param == Carrier::kReadiness ? "Readiness" : "Completions";
                         });

}  // namespace
}  // namespace ae::sim
