// Every transcript, in this process: the real server on simulated sockets and a simulated clock.
//
// Ways: a command at a time, each in one piece; all commands up to the next directive at once, cut
// at random places; the same over completions, as io_uring has them; the same with one, two or four
// IO threads, whose loops are ticked here in an order drawn anew each time. However the bytes
// arrive, the replies are the file's. The seed is printed; MILLRACE_SEED repeats it.
//
// And once with a second server that runs only the stream of changes (command/feed.h): whatever the
// file's commands are, it has the same data afterwards, at another time of day.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "server/command/blocking.h"
#include "server/command/command_encoder.h"
#include "server/command/replayer.h"
#include "server/commands/dataset_digest.h"
#include "tests/server/stage.h"
#include "tests/server/transcript.h"

namespace millrace {
namespace {

const std::string kTranscripts = MILLRACE_TOP "/tests/transcripts";

struct Arrival {
  bool cut = false;
  bool completions = false;
  size_t io_threads = 0;
};

std::string request(std::string_view command) {
  const std::vector<std::string> words = transcript_words(command);
  return proto::encode_request(std::vector<std::string_view>(words.begin(), words.end()));
}

// A server that has what another one's stream of changes brings.
class Follower final : public FeedSink {
 public:
  void on_command(uint8_t db, Words words) override {
    replayer_.select(db);
    CommandEncoder::append(stream_, words);
    if (const auto problem = replayer_.run(words)) ADD_FAILURE() << *problem;
  }
  void set(std::string_view directive, const std::string& value) {
    const Setting setting = {directive, value};
    EXPECT_EQ(stage_.server().services().config_store.set({&setting, 1}, ClientPlace::kLocal),
              std::nullopt);
  }
  void expect_equals(const Databases& leader) {
    EXPECT_FALSE(replayer_.in_transaction());
    EXPECT_EQ(digest_of_dataset(stage_.server().services().databases), digest_of_dataset(leader))
        << stream_;
  }

 private:
  Stage stage_{{.settings = {}}};
  Replayer replayer_{stage_.server().services()};
  std::string stream_;
};

class Player {
 public:
  Player(std::string path, Arrival arrival)
      : path_(std::move(path)),
        arrival_(arrival),
        random_(seed()),
        stage_({.completions = arrival.completions,
                .io_threads = arrival.io_threads,
                .settings = {}}) {
    choose("a");
  }

  void play_for(Follower& follower) {
    Services& services = stage_.server().services();
    // What depends on a setting (when a HyperLogLog becomes dense) is the same only with the same.
    services.config_store.on_any_change([&](const Config&, const Config& now) -> Refusal {
      follower.set("hll-sparse-max-bytes", std::to_string(now.hll_sparse_max_bytes));
      return std::nullopt;
    });
    services.feed.attach(follower);
    play();
    services.feed.detach(follower);
    follower.expect_equals(services.databases);
  }

  void play() {
    const std::vector<TranscriptStep> steps = read_transcript(path_);
    for (size_t next = 0; next < steps.size() && !testing::Test::HasFailure();) {
      const size_t end = !arrival_.cut ? next + 1 : end_of_batch(steps, next);
      if (!steps[next].directive.empty()) {
        follow(steps[next].directive);
      } else {
        converse({&steps[next], end - next});
      }
      next = end;
    }
    talkers_.clear();
    stage_.tick();
    for (const std::string& misuse : stage_.misuses()) ADD_FAILURE() << misuse;
  }

 private:
  // Commands that can be sent before the replies to the first of them are there.
  static size_t end_of_batch(const std::vector<TranscriptStep>& steps, size_t first) {
    size_t end = first + 1;
    if (!steps[first].command) return end;
    while (end < steps.size() && steps[end].command) ++end;
    return end;
  }

  void converse(std::span<const TranscriptStep> steps) {
    std::string bytes;
    for (const TranscriptStep& step : steps)
      if (step.command) bytes += request(*step.command);
    send(bytes);
    for (const TranscriptStep& step : steps)
      if (!step.is_silent())
        for (const TranscriptNode& expected : step.replies) expect(step, expected);
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t most = !arrival_.cut ? bytes.size() : random_.between(1, 60);
      const size_t piece = std::min(most, bytes.size());
      talker_->send(bytes.substr(0, piece));
      bytes.remove_prefix(piece);
    }
  }

  void expect(const TranscriptStep& step, const TranscriptNode& expected) {
    const std::optional<proto::ReplyValue> reply = talker_->await();
    const std::string actual = reply ? transcript_node(*reply).text() : "  no reply\n";
    if (reply && matches(expected, transcript_node(*reply))) return;
    ADD_FAILURE_AT(path_.c_str(), step.line) << step.command.value_or("(awaited)") << "\n"
                                             << actual << "instead of\n"
                                             << expected.text();
  }

  void follow(const std::vector<std::string>& words) {
    const std::string& name = words[0];
    if (name == "fresh") {
      talkers_.clear();
      choose("a");
      expect_ok({"FLUSHALL"});
    } else if (name == "client") {
      choose(words.at(1));
    } else if (name == "resp") {
      talker_->send(request("HELLO " + words.at(1)));
      talker_->await();
    } else if (name == "config") {
      expect_ok({"CONFIG", "SET", words.at(1), words.at(2)});
    } else if (name == "advance") {
      stage_.pass(transcript_duration(words.at(1)));
    } else if (name == "blocked") {
      await_blocked(size_t(std::stoul(words.at(1))));
    } else {
      throw std::runtime_error("no such directive: " + name);
    }
  }

  void await_blocked(size_t clients) {
    constexpr int kMostTicks = 10'000;
    for (int i = 0; i < kMostTicks; ++i) {
      const Services& services = stage_.server().services();
      if (services.blocking.client_count() + services.clients.parked_count() == clients) return;
      stage_.tick();
    }
    throw std::runtime_error("so many clients never waited");
  }

  void expect_ok(std::initializer_list<std::string_view> command) {
    control_.send(proto::encode_request(command));
    const auto reply = control_.await();
    if (!reply || reply->text != "OK") throw std::runtime_error("a directive was refused");
  }

  void choose(const std::string& name) {
    auto& talker = talkers_[name];
    if (!talker) talker = std::make_unique<Talker>(stage_);
    talker_ = talker.get();
  }

  std::string path_;
  Arrival arrival_;
  ae::Prng random_;
  Stage stage_;
  Talker control_{stage_};
  std::map<std::string, std::unique_ptr<Talker>> talkers_;
  Talker* talker_ = nullptr;
};

// What is busy is so in real time, which the simulated clock does not know of;
// core/busy_script_test has scripts in this process.
constexpr std::string_view kInRealTime = "busy.txt";

std::vector<std::string> transcript_files() {
  std::vector<std::string> names;
  const std::filesystem::path top = kTranscripts;
  for (const std::filesystem::path& folder : {top, top / "../regress"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      if (entry.path().extension() == ".txt" && entry.path().filename() != kInRealTime)
        names.push_back(entry.path().lexically_relative(top).string());
  std::sort(names.begin(), names.end());
  return names;
}

class Transcript : public testing::TestWithParam<std::string> {
 protected:
  void play(Arrival arrival) { Player(kTranscripts + "/" + GetParam(), arrival).play(); }
};

TEST_P(Transcript, CommandByCommand) {
  play({});
}
TEST_P(Transcript, CutAnywhere) {
  play({.cut = true});
}
TEST_P(Transcript, CutAnywhereOverCompletions) {
  play({.cut = true, .completions = true});
}
TEST_P(Transcript, CutAnywhereOnOneIoThread) {
  play({.cut = true, .io_threads = 1});
}
TEST_P(Transcript, CommandByCommandOnTwoIoThreads) {
  play({.io_threads = 2});
}
TEST_P(Transcript, CutAnywhereOnFourIoThreadsOverCompletions) {
  play({.cut = true, .completions = true, .io_threads = 4});
}

TEST_P(Transcript, IsFollowed) {
  Follower follower;
  Player(kTranscripts + "/" + GetParam(), {}).play_for(follower);
}

// "list/ends.txt" is Files/Transcript.CutAnywhere/list_ends, "../regress/bitmap.txt"
// regress_bitmap.
std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).replace_extension().string();
  if (name.starts_with("../")) name.erase(0, 3);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Files, Transcript, testing::ValuesIn(transcript_files()), test_name);

}  // namespace
}  // namespace millrace
