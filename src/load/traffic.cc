#include "load/traffic.h"

#include <utility>

namespace load {
namespace {

// So that making up for a pause does not keep the replies that are there from being read.
constexpr int kMostCallsPerTurn = 256;

}  // namespace

Traffic::Traffic(ae::EventLoop& loop, Pace pace, uint64_t count,
                 ae::Callback<void(ae::TimePoint)> call)
    : loop_(loop), pace_(pace), count_(count), call_(std::move(call)) {
  if (!over()) timer_ = loop_.add_timer_at(pace_.at(0), [this] { turn(); });
}

void Traffic::stop() {
  count_ = next_;
  loop_.cancel(std::exchange(timer_, {}));
}

void Traffic::turn() {
  timer_ = {};
  for (int calls = 0; calls < kMostCallsPerTurn && !over(); ++calls) {
    const ae::TimePoint due = pace_.at(next_);
    if (due > loop_.now()) break;
    ++next_;
    call_(due);
  }
  if (!over()) timer_ = loop_.add_timer_at(pace_.at(next_), [this] { turn(); });
}

}  // namespace load
