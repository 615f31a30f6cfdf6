#include "proto/byte_sink.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace proto {
namespace {

// A sink made of chunks that are as small as the contract allows: what the output queue of a
// connection does, at its most awkward. Every growth moves what is held to a new address.
class ChunkSink final : public ByteSink {
 public:
  ChunkSink() { start_chunk(1); }

  std::string text() const {
    return done_ + std::string(chunk_.get(), static_cast<size_t>(cursor_ - chunk_.get()));
  }
  size_t growths() const { return growths_; }

 private:
  void grow(size_t size) override {
    ++growths_;
    char* const kept_from = hold_ == nullptr ? cursor_ : hold_;
    done_.append(chunk_.get(), static_cast<size_t>(kept_from - chunk_.get()));
    const std::string kept(kept_from, static_cast<size_t>(cursor_ - kept_from));
    const bool held = hold_ != nullptr;
    start_chunk(kept.size() + size);
    std::copy(kept.begin(), kept.end(), chunk_.get());
    cursor_ += kept.size();
    if (held) hold_ = chunk_.get();
  }

  void start_chunk(size_t size) {
    chunk_ = std::make_unique<char[]>(size);
    cursor_ = chunk_.get();
    limit_ = cursor_ + size;
  }

  std::string done_;
  std::unique_ptr<char[]> chunk_;
  size_t growths_ = 0;
};

TEST(ByteSink, AppendsAcrossWindows) {
  ChunkSink sink;
  sink.append("a");
  sink.append("bcd");
  sink.append("");
  sink.append({});
  EXPECT_EQ(sink.text(), "abcd");
}

TEST(ByteSink, AWindowIsUsedUpBeforeItIsChanged) {
  ChunkSink sink;
  sink.append("ab");  // "a" fills the first window
  EXPECT_EQ(sink.growths(), 1u);
  EXPECT_EQ(sink.text(), "ab");
}

TEST(ByteSink, AHeaderIsPutBeforeItsBody) {
  ChunkSink sink;
  sink.append("before ");
  const ByteSink::Hold hold = sink.open_hold();
  sink.append("body");
  sink.close_hold(hold, "header ");
  sink.append(" after");
  EXPECT_EQ(sink.text(), "before header body after");
}

// Brackets nested at random; the model is a tree printed by recursion.
class Nesting {
 public:
  explicit Nesting(uint64_t seed) : random_(seed) {}

  std::string write(ByteSink& sink, int depth) {
    const ByteSink::Hold hold = sink.open_hold();
    std::string body;
    for (size_t n = random_() % 4; n > 0; --n) {
      const std::string text(random_() % 40, static_cast<char>('a' + random_() % 26));
      sink.append(text);
      body += text;
      if (depth > 0) body += write(sink, depth - 1);
    }
    const std::string header(random_() % 9, static_cast<char>('A' + random_() % 26));
    sink.close_hold(hold, header);
    return header + body;
  }

 private:
  std::mt19937_64 random_;
};

TEST(ByteSink, RandomNestingAgreesWithRecursion) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Nesting nesting(seed);
  for (int i = 0; i < 300; ++i) {
    ChunkSink chunks;
    const std::string expected_in_chunks = nesting.write(chunks, 4);
    ASSERT_EQ(chunks.text(), expected_in_chunks);
    StringSink string;
    const std::string expected_in_string = nesting.write(string, 4);
    ASSERT_EQ(string.view(), expected_in_string);
  }
}

TEST(StringSink, TakeStartsAnew) {
  StringSink sink;
  EXPECT_EQ(sink.take(), "");
  sink.append(std::string(1000, 'x'));
  EXPECT_EQ(sink.take(), std::string(1000, 'x'));
  EXPECT_EQ(sink.view(), "");
  sink.append("y");
  EXPECT_EQ(sink.take(), "y");
}

}  // namespace
// Found by the differential run: SDIFF of nothing as the first command of a server.
TEST(ByteSink, AHoldIsTheFirstThingOfAll) {
  StringSink sink;
  const ByteSink::Hold hold = sink.open_hold();
  sink.close_hold(hold, "*0\r\n");
  EXPECT_EQ(sink.view(), "*0\r\n");
}

}  // namespace proto
