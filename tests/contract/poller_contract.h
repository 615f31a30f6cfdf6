// What every ae::Poller promises, as tests. One suite, run over each poller, the simulated
// included.
//
// To run it over a poller of yours, write a PollerWorld and instantiate:
//
//   INSTANTIATE_TEST_SUITE_P(Mine, PollerContract, ::testing::Values(PollerSubject{
//       "mine", [] { return std::make_unique<MyWorld>(); }}), subject_name);
//
// The tests themselves stand in poller_contract_suite_test.cc.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ae/base/clock.h"
#include "ae/core/os.h"
#include "ae/core/poller.h"

namespace ae::contract {

// A poller and the sockets it can watch. Outlives what a test opens in it.
class PollerWorld {
 public:
  virtual ~PollerWorld() = default;
  virtual Poller& poller() = 0;
  virtual Os& os() = 0;
  virtual std::pair<int, int> connected_pair() = 0;  // two ends of a stream, non-blocking
  virtual void reset(int fd) = 0;                    // closes it so that its peer gets ECONNRESET
  virtual TimePoint now() = 0;                       // on the clock that timeouts follow
  // False: errors and half-close show as what was asked for (select).
  virtual bool tells_hang_up() const { return true; }
};

struct PollerSubject {
  const char* name;
  std::unique_ptr<PollerWorld> (*make_world)();
};

inline std::string subject_name(const ::testing::TestParamInfo<PollerSubject>& info) {
  return info.param.name;
}
inline void PrintTo(const PollerSubject& subject, std::ostream* out) {
  *out << subject.name;
}

class PollerContract : public ::testing::TestWithParam<PollerSubject> {
 protected:
  using Fetched = std::map<uint64_t, Events>;

  ~PollerContract() override {
    for (int fd : open_) world_->os().close(fd);
  }

  TimePoint now() { return world_->now(); }
  bool tells_hang_up() const { return world_->tells_hang_up(); }
  Poller& poller() { return world_->poller(); }
  Os& os() { return world_->os(); }

  std::pair<int, int> pair() {
    const std::pair<int, int> ends = world_->connected_pair();
    open_.push_back(ends.first);
    open_.push_back(ends.second);
    return ends;
  }
  void forget(int fd) { open_.erase(std::find(open_.begin(), open_.end(), fd)); }
  void close(int fd) {
    forget(fd);
    os().close(fd);
  }
  void reset(int fd) {
    forget(fd);
    world_->reset(fd);
  }

  void add(int fd, Events interest, uint64_t token, Trigger trigger = Trigger::kLevel) {
    const Status added = poller().add(fd, interest, trigger, token);
    ASSERT_TRUE(added.has_value()) << added.error().message();
  }
  void modify(int fd, Events interest, uint64_t token, Trigger trigger = Trigger::kLevel) {
    const Status modified = poller().modify(fd, interest, trigger, token);
    ASSERT_TRUE(modified.has_value()) << modified.error().message();
  }
  void remove(int fd) {
    const Status removed = poller().remove(fd);
    ASSERT_TRUE(removed.has_value()) << removed.error().message();
  }

  // One wait; no token may come twice in it.
  Fetched wait(std::optional<Nanoseconds> timeout, size_t room = 64) {
    std::vector<ReadyEvent> events(room);
    const Result<size_t> count = poller().wait(events, timeout);
    EXPECT_TRUE(count.has_value());
    Fetched fetched;
    for (size_t i = 0; i < count.value_or(0); ++i) {
      const bool fresh = fetched.emplace(events[i].token, events[i].events).second;
      EXPECT_TRUE(fresh) << "token " << events[i].token << " twice in one wait";
    }
    return fetched;
  }
  Fetched wait_now() { return wait(Nanoseconds::zero()); }
  // For what must come: as long as it takes, at most a generous bound.
  Fetched wait_for_something() { return wait(Seconds(10)); }

  void send(int fd, Bytes bytes) {
    const IoResult sent = os().write(fd, bytes);
    ASSERT_EQ(sent.status, IoStatus::kOk);
    ASSERT_EQ(sent.bytes, bytes.size());
  }
  std::string receive(int fd, size_t at_most = 1024) {
    std::string bytes(at_most, '\0');
    const IoResult got = os().read(fd, bytes);
    bytes.resize(got.status == IoStatus::kOk ? got.bytes : 0);
    return bytes;
  }
  // Writes until the kernel refuses.
  void fill(int fd) {
    const std::string block(64 * 1024, 'x');
    while (os().write(fd, block).status == IoStatus::kOk) {
    }
  }
  void drain(int fd) {
    while (!receive(fd, 64 * 1024).empty()) {
    }
  }

  static bool has(Events set, Events wanted) { return (set & wanted) == wanted; }

  std::unique_ptr<PollerWorld> world_ = GetParam().make_world();

 private:
  std::vector<int> open_;
};

}  // namespace ae::contract
