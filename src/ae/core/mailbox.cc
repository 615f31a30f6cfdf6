#include "ae/core/mailbox.h"

#include <bit>
#include <utility>

#include "ae/base/assert.h"

namespace ae {

Mailbox::Mailbox(size_t capacity, WakeGate& gate)
    : mask_(std::bit_ceil(capacity) - 1), cells_(new Cell[mask_ + 1]), gate_(gate) {
  AE_ASSERT(capacity > 0);
  for (size_t i = 0; i <= mask_; ++i) cells_[i].sequence.store(i, std::memory_order_relaxed);
}

bool Mailbox::post(Callback<void()> task) {
  size_t ticket = next_ticket_.load(std::memory_order_relaxed);
  while (true) {
    const size_t sequence = cell(ticket).sequence.load(std::memory_order_acquire);
    if (sequence == ticket) {
      // On failure `ticket` becomes the one that is current now.
      if (next_ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_relaxed)) break;
    } else if (static_cast<ptrdiff_t>(sequence - ticket) < 0) {
      return false;  // still holds the task of one round ago
    } else {
      ticket = next_ticket_.load(std::memory_order_relaxed);  // another producer was faster
    }
  }
  Cell& mine = cell(ticket);
  mine.task = std::move(task);
  mine.sequence.store(ticket + 1, std::memory_order_release);
  gate_.notify();
  return true;
}

size_t Mailbox::run() {
  size_t ran = 0;
  for (; ran <= mask_; ++ran) {
    Cell& next = cell(next_to_run_);
    if (next.sequence.load(std::memory_order_acquire) != next_to_run_ + 1) break;
    Callback<void()> task = std::move(next.task);
    next.sequence.store(next_to_run_ + mask_ + 1, std::memory_order_release);
    ++next_to_run_;
    task();
  }
  return ran;
}

}  // namespace ae
