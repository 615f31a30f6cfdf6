// Timers: once, periodic, cancelled; and a task from another thread. No socket.
//
//   $ timer --ticks 3 --interval-ms 100
//   tick 1 ... tick 3, and what the other timers had to say
//
// What to look at: a callback runs on the loop's thread, so none of this needs a lock. post() is
// the one call that another thread may make.
#include <thread>

#include "ae/core/event_loop.h"
#include "flags.h"

namespace {

constexpr char kHelp[] =
    "timer: once, periodic, cancelled\n"
    "  --ticks N         5\n"
    "  --interval-ms MS  200\n";

}  // namespace

int main(int argc, char** argv) {
  example::help(argc, argv, kHelp);
  const long ticks = example::number(argc, argv, "--ticks", 5);
  const ae::Milliseconds interval(example::number(argc, argv, "--interval-ms", 200));
  const auto loop = example::must(ae::EventLoop::create());
  const ae::TimePoint start = loop->now();

  // Periodic: the first time after one interval. A late tick does not make up for missed ones.
  long count = 0;
  loop->add_periodic(interval, [&] {
    // now() was read once, after the wait: every callback of a tick sees the same time.
    const auto elapsed = std::chrono::duration_cast<ae::Milliseconds>(loop->now() - start);
    std::printf("tick %ld after about %lld ms\n", ++count,
                static_cast<long long>(elapsed / interval * interval / ae::Milliseconds(1)));
    if (count == ticks) loop->stop();
  });

  // Once.
  loop->add_timer(interval / 2, [] { std::puts("once"); });

  // Cancelled before it ran. The id is a slot and a generation: cancelling twice, or a timer that
  // has run, is answered with false and hits nobody else.
  const ae::TimerId never = loop->add_timer(interval / 2, [] { std::puts("never"); });
  std::printf("cancelled: %s\n", loop->cancel(never) ? "yes" : "no");
  std::printf("cancelled twice: %s\n", loop->cancel(never) ? "yes" : "no");

  // From another thread: posted closures run in order, in a phase of their own, and wake the loop.
  std::thread other([&loop] { loop->post([] { std::puts("posted by another thread"); }); });

  loop->run();
  other.join();
}
