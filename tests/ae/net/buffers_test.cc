// OutQueue, ChunkPool and KeptInput against a string that does the same.
#include <gtest/gtest.h>

#include <string>

#include "ae/base/prng.h"
#include "ae/net/in_buffer.h"
#include "ae/net/out_queue.h"

namespace ae::test {
namespace {

std::string gathered(const OutQueue& queue, size_t pieces) {
  std::vector<iovec> iov(pieces);
  iov.resize(queue.gather(iov.data(), pieces));
  std::string all;
  for (const iovec& piece : iov) all.append(static_cast<char*>(piece.iov_base), piece.iov_len);
  return all;
}

TEST(OutQueueTest, BehavesLikeAString) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng prng(seed);
    ChunkPool pool;
    OutQueue queue;
    std::string model;
    for (int step = 0; step < 200; ++step) {
      const size_t size = prng.next() % (prng.next() % 40 == 0 ? 1'200'000 : 3000);
      const std::string bytes(size, char('a' + step % 26));
      switch (prng.next() % 4) {
        case 0: {
          OutQueue front;
          front.append(pool, bytes);
          front.splice(queue);
          EXPECT_TRUE(queue.empty());
          std::swap(queue, front);
          model = bytes + model;
          break;
        }
        case 1:
          queue.append(pool, bytes);
          model += bytes;
          break;
        default: {
          const size_t count = model.size() - prng.next() % (model.size() / 2 + 1);
          queue.consume(pool, count);
          model.erase(0, count);
        }
      }
      ASSERT_EQ(queue.bytes(), model.size());
      ASSERT_EQ(queue.empty(), model.empty());
      ASSERT_TRUE(gathered(queue, 20000) == model);
      const std::string some = gathered(queue, 3);
      ASSERT_TRUE(model.starts_with(some));
      ASSERT_LE(pool.pooled_bytes(), ChunkPool::kMaxPooledBytes);
    }
    queue.clear(pool);
    EXPECT_EQ(gathered(queue, 10), "");
  }
}

TEST(OutQueueTest, FirstChunkIsSmallAndComesFromThePool) {
  ChunkPool pool;
  OutQueue queue;
  queue.append(pool, "a message");
  queue.clear(pool);
  EXPECT_EQ(pool.pooled_bytes(), ChunkPool::kClassBytes[0]);
  queue.append(pool, "another");
  EXPECT_EQ(pool.pooled_bytes(), 0u);
  queue.clear(pool);
}

TEST(KeptInputTest, BehavesLikeAStringAndLeavesHeldBytesAlone) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng prng(seed);
    HeldInput held;
    KeptInput block;
    std::string model;
    std::vector<std::pair<Bytes, std::string>> views;  // held, and what they must say
    for (int step = 0; step < 500; ++step) {
      const std::string bytes(prng.next() % 300, char('a' + step % 26));
      switch (prng.next() % 5) {
        case 0:
          block.append(bytes, held);
          model += bytes;
          break;
        case 1: {
          const size_t wanted = prng.next() % 2 ? prng.next() % 100'000 : 0;
          const MutableBytes room = block.room(1 + prng.next() % 5000, wanted, held);
          ASSERT_FALSE(room.empty());
          const size_t count = std::min(room.size(), bytes.size());
          std::copy_n(bytes.begin(), count, room.begin());
          block.commit(count);
          model.append(bytes, 0, count);
          if (wanted > model.size()) {
            ASSERT_LE(block.capacity(), std::max<size_t>(wanted + 5000, 40'000));
          }
          break;
        }
        case 2: {
          const size_t count = prng.next() % (model.size() + 1);
          const MutableBytes all = block.bytes();
          views.push_back({{all.data(), count}, model.substr(0, count)});
          held.hold(block);
          block.consume(count);
          model.erase(0, count);
          break;
        }
        case 3: {
          KeptInput old = std::move(block);
          block = KeptInput();
          block.append({old.bytes().data(), old.size()}, held);
          held.retire(std::move(old));
          break;
        }
        default:
          for (const auto& [view, text] : views) ASSERT_TRUE(view == text);
          if (prng.next() % 4 != 0) break;
          views.clear();
          held.release();
      }
      ASSERT_TRUE(Bytes(block.bytes().data(), block.size()) == model);
    }
  }
}

// 100 MB arrive in reads of 64 KiB: the bytes copied by growth stay within a factor.
TEST(KeptInputTest, GrowthIsGeometricAndStopsAtTheWish) {
  HeldInput held;
  KeptInput block;
  constexpr size_t kWanted = 100 << 20;
  block.append(std::string(100, 'x'), held);
  size_t grown = 0, capacity = 0, reads = 0;
  while (block.size() < kWanted) {
    const MutableBytes room = block.room(64 << 10, kWanted, held);
    if (block.capacity() != capacity) ++grown;
    capacity = block.capacity();
    block.commit(room.size());
    ++reads;
  }
  EXPECT_EQ(block.size(), kWanted);
  EXPECT_EQ(block.capacity(), kWanted);
  EXPECT_LE(grown, 16u);
  EXPECT_LE(reads, (kWanted >> 16) + 16);
}

// A request of a hundred thousand short arguments: each time the parser misses a few bytes of the
// next one, and the read must not be for these alone.
TEST(KeptInputTest, ASmallWishIsNoLimit) {
  HeldInput held;
  KeptInput block;
  constexpr size_t kWhole = 2 << 20;
  block.append(std::string(20'000, 'x'), held);
  size_t reads = 0;
  while (block.size() < kWhole) {
    block.commit(block.room(64 << 10, block.size() + 5, held).size());
    ++reads;
  }
  EXPECT_LE(reads, kWhole / (16 << 10));
}

}  // namespace
}  // namespace ae::test
