#include "server/repl/snapshot_transfer.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using Outcome = SnapshotTransfer::Outcome;
const std::string kMark = "0123456789abcdef0123456789abcdef01234567";

struct Received {
  Outcome outcome = Outcome::kMore;
  std::string snapshot;
  std::string rest;
};

Received receive(SnapshotTransfer& transfer, std::string_view bytes, size_t piece) {
  Received got;
  while (!bytes.empty()) {
    std::string_view now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    if (got.outcome == Outcome::kMore) {
      const auto step = transfer.feed(now, [&](ae::Bytes some) { got.snapshot += some; });
      got.outcome = step.outcome;
      now.remove_prefix(step.consumed);
    }
    got.rest += now;
  }
  return got;
}

// However it is cut, and with the stream right behind it.
void expect_whole(const std::string& framed, const std::string& snapshot) {
  const std::string stream = "*1\r\n$4\r\nPING\r\n";
  for (size_t piece = 1; piece <= framed.size() + stream.size(); ++piece) {
    SnapshotTransfer transfer;
    const Received got = receive(transfer, framed + stream, piece);
    ASSERT_EQ(got.outcome, Outcome::kWhole) << piece << transfer.problem();
    ASSERT_EQ(got.snapshot, snapshot) << piece;
    ASSERT_EQ(got.rest, stream) << piece;
    ASSERT_EQ(transfer.received_bytes(), int64_t(snapshot.size()));
  }
}

TEST(SnapshotTransfer, OfAFile) {
  expect_whole("$5\r\nhello", "hello");
  expect_whole("\n\n\n$5\r\nhello", "hello");
  expect_whole("\n$0\r\n", "");
}

TEST(SnapshotTransfer, AsItIsMade) {
  expect_whole("\n$EOF:" + kMark + "\r\nhello" + kMark, "hello");
  expect_whole("$EOF:" + kMark + "\r\n" + kMark, "");
  // What looks like the mark for a while.
  const std::string nearly = kMark.substr(0, 39) + "x" + kMark.substr(0, 20) + kMark.substr(0, 39);
  expect_whole("$EOF:" + kMark + "\r\n" + nearly + kMark, nearly);
  const std::string large(500, 'z');
  expect_whole("$EOF:" + kMark + "\r\n" + large + kMark, large);
}

TEST(SnapshotTransfer, SaysWhatItKnows) {
  SnapshotTransfer transfer;
  EXPECT_FALSE(transfer.has_begun());
  receive(transfer, "\n$10\r\nabc", 100);
  EXPECT_TRUE(transfer.has_begun());
  EXPECT_FALSE(transfer.is_marked());
  EXPECT_EQ(transfer.total_bytes(), 10);
  EXPECT_EQ(transfer.received_bytes(), 3);
}

TEST(SnapshotTransfer, RefusesWhatIsNone) {
  for (const std::string& bytes :
       {std::string("-ERR no space\r\n"), std::string("+OK\r\n"), std::string("$\r\n"),
        std::string("$-1\r\n"), std::string("$12x\r\n"), std::string("$99999999999999999999\r\n"),
        std::string("$EOF:short\r\n"), std::string(5000, '$')}) {
    for (size_t piece : {1, 3, 5000}) {
      SnapshotTransfer transfer;
      ASSERT_EQ(receive(transfer, bytes, piece).outcome, Outcome::kFailed) << bytes;
      ASSERT_NE(transfer.problem(), "");
    }
  }
}

}  // namespace
}  // namespace millrace
