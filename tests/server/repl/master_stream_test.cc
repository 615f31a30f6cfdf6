#include "server/repl/master_stream.h"

#include <gtest/gtest.h>

#include <vector>

#include "proto/request_writer.h"

namespace millrace {
namespace {

// Knows MULTI and EXEC, and writes down what it sees.
class Recorder final : public MasterStream::Target {
 public:
  std::optional<std::string> run(std::span<const std::string_view> args) override {
    if (args[0] == "BAD") return "bad";
    if (args[0] == "MULTI") in_transaction_ = true;
    if (args[0] == "EXEC") in_transaction_ = false;
    ran.emplace_back(args[0]);
    return std::nullopt;
  }
  bool in_transaction() const override { return in_transaction_; }
  void applied(std::string_view bytes) override {
    EXPECT_FALSE(in_transaction_);
    stream += bytes;
    places.push_back(stream.size());
  }
  void asked_for_ack() override { ++acks; }

  std::vector<std::string> ran;
  std::string stream;
  std::vector<size_t> places;  // where the link may be cut
  int acks = 0;

 private:
  bool in_transaction_ = false;
};

std::string feed_in_pieces(MasterStream& stream, std::string_view bytes, size_t piece) {
  std::string waiting;
  while (!bytes.empty() || !waiting.empty()) {
    waiting += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    const MasterStream::Step step = stream.feed(waiting);
    if (!step.problem.empty()) return step.problem;
    waiting.erase(0, step.consumed);
    if (bytes.empty()) return waiting.empty() ? "" : "left: " + waiting;
  }
  return "";
}

TEST(MasterStream, CountsEveryByteAndStopsOnlyBetweenUnits) {
  const std::string select = proto::encode_request({"SELECT", "3"});
  const std::string set = proto::encode_request({"SET", "k", "v"});
  const std::string multi = proto::encode_request({"MULTI"});
  const std::string exec = proto::encode_request({"EXEC"});
  const std::string getack = proto::encode_request({"REPLCONF", "GETACK", "*"});
  const std::string bytes = select + set + multi + set + set + exec + getack + "\r\n" + set;
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    Recorder target;
    MasterStream stream(target, 1 << 20);
    ASSERT_EQ(feed_in_pieces(stream, bytes, piece), "");
    ASSERT_EQ(target.stream, bytes);
    ASSERT_EQ(target.acks, 1);
    ASSERT_EQ(target.ran,
              (std::vector<std::string>{"SELECT", "SET", "MULTI", "SET", "SET", "EXEC", "SET"}));
    const size_t unit = select.size() + set.size();
    ASSERT_EQ(target.places[1], unit);
    ASSERT_EQ(target.places[2], unit + multi.size() + 2 * set.size() + exec.size());
  }
}

TEST(MasterStream, EndsWhatItCannotRead) {
  for (const std::string& bytes :
       {std::string("*x\r\n"), std::string("*1\r\n:5\r\n"), proto::encode_request({"BAD"})}) {
    Recorder target;
    MasterStream stream(target, 1 << 20);
    EXPECT_NE(feed_in_pieces(stream, bytes, 1), "") << bytes;
  }
}

TEST(MasterStream, BoundsATransaction) {
  Recorder target;
  MasterStream stream(target, 200);
  std::string bytes = proto::encode_request({"MULTI"});
  for (int i = 0; i < 20; ++i) bytes += proto::encode_request({"SET", "k", "v"});
  EXPECT_NE(feed_in_pieces(stream, bytes, 1000), "");
}

}  // namespace
}  // namespace millrace
