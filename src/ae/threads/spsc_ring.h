// A bounded queue from exactly one thread to exactly one other.
//
//   ae::SpscRing<Batch*> to_main(1024);
//   if (!to_main.push(batch)) hold_back();      // producer's thread
//   main_loop.wake();                           // once after any number of pushes
//   ...
//   while (Batch** batch = to_main.front()) { take(*batch); to_main.pop(); }   // consumer's thread
//
// Lamport's ring (1983): the producer alone writes the tail, the consumer alone the head, and no
// lock or compare-and-swap is needed. Each index only grows; its low bits are the position.
//
//      head_            tail_
//        v                v
//   [ ][x][x][x][x][x][x][ ][ ]        head_ == tail_ is empty, tail_ - head_ == capacity is full
//
// The other side's index lies on the other side's cache line, and reading it makes that line travel
// between the cores. So each side keeps the copy it last saw, and looks again only when the copy
// says that it cannot go on (as in MCRingBuffer, P. Lee et al., IPDPS 2010): the line travels once
// in a ring, not once an element.
//
// Waking: EventLoop::wake() writes the eventfd only if that loop sleeps (core/wake_gate.h); push
// before it, and look into the ring after the loop's wait (after_sleep hook), and no element is
// ever left.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <utility>

#include "ae/base/assert.h"
#include "ae/base/limits.h"

namespace ae {

template <typename T>
class SpscRing {
 public:
  // `capacity` is rounded up to a power of two. All elements exist from the start, as T{}.
  explicit SpscRing(size_t capacity)
      : mask_(std::bit_ceil(capacity) - 1), elements_(std::make_unique<T[]>(mask_ + 1)) {
    AE_ASSERT(capacity > 0);
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  size_t capacity() const { return mask_ + 1; }

  // --- the producer's side
  // False when it is full; `element` is then as it was.
  bool push(T&& element) {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ > mask_) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ > mask_) return false;
    }
    elements_[tail & mask_] = std::move(element);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  bool push(const T& element) { return push(T(element)); }
  // How many more it takes, at least.
  size_t room() {
    head_seen_ = head_.load(std::memory_order_acquire);
    return capacity() - (tail_.load(std::memory_order_relaxed) - head_seen_);
  }

  // --- the consumer's side
  // The oldest element, in place; null when it is empty.
  T* front() {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) return nullptr;
    }
    return &elements_[head & mask_];
  }
  // Gives the place of front() back to the producer. What T owns is let go at once.
  void pop() {
    const size_t head = head_.load(std::memory_order_relaxed);
    AE_DCHECK(head != tail_seen_);
    elements_[head & mask_] = T{};
    head_.store(head + 1, std::memory_order_release);
  }

 private:
  const size_t mask_;
  const std::unique_ptr<T[]> elements_;

  alignas(kCacheLineBytes) std::atomic<size_t> tail_{0};  // written by the producer
  size_t head_seen_ = 0;                                  // the producer's copy of head_
  alignas(kCacheLineBytes) std::atomic<size_t> head_{0};  // written by the consumer
  size_t tail_seen_ = 0;                                  // the consumer's copy of tail_
};

}  // namespace ae
