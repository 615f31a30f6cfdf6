// Measures what one client sees of a server while another fills it.
//
//   latency_probe PORT PID --keys KEYS [--fill [--expire-at-ms T --expire-over-ms W]]
//                          [--until-empty SECONDS] [--seconds S] [--threshold-us 1000]
//
// A prober sends one GET at a time, every 200 us, of any of KEYS keys, and times each. Beside it,
// until it is done, a loader (--fill) sets those keys (16-byte keys, 32-byte values), 64 to a
// write: a pipeline is served whole, so a longer one would have the probe measure the queue and not
// the table. The keys expire evenly over the window that begins at T, if one is given. With
// --until-empty the probing goes on until no key is left; without a loader it lasts S seconds.
//
// A shared machine delays both ends. So two bounds from around each probe stand beside what is
// `seen`:
//   own    the latency less the time that server (PID) and prober stood runnable without a
//          processor, by the scheduler (/proc/.../schedstat). Interrupts and what the hypervisor
//          takes are still in it; a run against an idle server shows how much that is.
//   work   the smaller of `own` and of what the server's threads consumed meanwhile, by its process
//          clock: the most that the server's own work can have delayed this probe.
//
// Prints one line of JSON. tests/bench/growth_latency.py starts servers, calls this and prints a
// table.
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "ae/base/prng.h"

namespace {

constexpr int kWindow = 64;  // commands to a write
constexpr auto kProbeEvery = std::chrono::microseconds(200);
constexpr size_t kMostProbes = 2'000'000;
using SteadyClock = std::chrono::steady_clock;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Options {
  uint16_t port = 0;
  int pid = 0;
  double seconds = 0;
  uint64_t keys = 1;
  bool fill = false;
  int64_t expire_at_ms = 0, expire_over_ms = 0;
  double until_empty_seconds = 0;
  int64_t threshold_us = 1000;
};

// A blocking connection.
class Link {
 public:
  explicit Link(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      give_up("connect");
    }
  }
  ~Link() { ::close(fd_); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) give_up("send");
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  // Reads until `lines` line ends have come; returns the last read. An error reply ends the run.
  std::string_view receive_lines(int lines) {
    for (;;) {
      const ssize_t got = ::recv(fd_, buffer_, sizeof buffer_, 0);
      if (got <= 0) give_up("recv");
      const std::string_view bytes(buffer_, static_cast<size_t>(got));
      if (bytes.front() == '-') {
        std::fprintf(stderr, "the server said: %.*s", static_cast<int>(got), buffer_);
        std::exit(1);
      }
      lines -= static_cast<int>(std::count(bytes.begin(), bytes.end(), '\n'));
      if (lines <= 0) return bytes;
    }
  }
  // The reply to GET: "$-1", or a length and a line of value. The server writes it at once, and a
  // segment holds it, so its second line is there with the first.
  void receive_value() { receive_lines(1); }

 private:
  int fd_;
  char buffer_[1 << 16];
};

// How long a thread has stood in the run queue, by the scheduler's account.
class RunDelay {
 public:
  explicit RunDelay(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY)) {
    if (fd_ < 0) give_up(path.c_str());
  }
  ~RunDelay() { ::close(fd_); }
  RunDelay(const RunDelay&) = delete;
  RunDelay& operator=(const RunDelay&) = delete;

  uint64_t ns() const {
    char text[128] = "";
    const ssize_t got = ::pread(fd_, text, sizeof text - 1, 0);
    uint64_t ran = 0, waited = 0;
    if (got <= 0 || std::sscanf(text, "%" SCNu64 " %" SCNu64, &ran, &waited) != 2) {
      give_up("schedstat");
    }
    return waited;
  }

 private:
  int fd_;
};

// What a process has consumed, exact to the nanosecond also while it runs.
class CpuClock {
 public:
  explicit CpuClock(int pid) {
    if (::clock_getcpuclockid(pid, &clock_) != 0) give_up("clock_getcpuclockid");
  }
  uint64_t ns() const {
    timespec now{};
    ::clock_gettime(clock_, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
  }

 private:
  clockid_t clock_{};
};

struct Probes {
  std::vector<uint32_t> seen_ns, own_ns, work_ns;
};

uint32_t clamped(uint64_t ns) {
  return static_cast<uint32_t>(std::min<uint64_t>(ns, UINT32_MAX));
}

std::string get_request(uint64_t key) {
  char text[64];
  std::snprintf(text, sizeof text, "*2\r\n$3\r\nGET\r\n$16\r\nkey:%012" PRIu64 "\r\n", key);
  return text;
}

void append_set(std::string& to, uint64_t key, const Options& options) {
  char text[192];
  const bool expires = options.expire_at_ms != 0;
  int length =
      std::snprintf(text, sizeof text,
                    "*%d\r\n$3\r\nSET\r\n$16\r\nkey:%012" PRIu64 "\r\n$32\r\n%032" PRIu64 "\r\n",
                    expires ? 5 : 3, key, key);
  to.append(text, static_cast<size_t>(length));
  if (!expires) return;
  const int64_t when = options.expire_at_ms +
                       static_cast<int64_t>(key) % std::max<int64_t>(options.expire_over_ms, 1);
  length = std::snprintf(text, sizeof text, "$4\r\nPXAT\r\n$13\r\n%013" PRId64 "\r\n", when);
  to.append(text, static_cast<size_t>(length));
}

void fill(const Options& options) {
  Link link(options.port);
  std::string batch;
  for (uint64_t key = 0; key < options.keys;) {
    batch.clear();
    int count = 0;
    for (; count < kWindow && key < options.keys; ++count) append_set(batch, key++, options);
    link.send(batch);
    link.receive_lines(count);
  }
}

// Every now and then, so that the question itself is no load.
void wait_until_empty(const Options& options) {
  Link link(options.port);
  const auto end = SteadyClock::now() + std::chrono::duration<double>(options.until_empty_seconds);
  for (;;) {
    link.send("*1\r\n$6\r\nDBSIZE\r\n");
    if (link.receive_lines(1) == ":0\r\n" || SteadyClock::now() > end) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void work(const Options& options) {
  if (options.fill) fill(options);
  if (options.until_empty_seconds > 0) wait_until_empty(options);
  std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds));
}

// Before the loader, where the machine lets us: both share a processor, and the probe must not
// wait for the loader to be preempted.
void take_precedence() {
  const sched_param high{.sched_priority = 10};
  if (::sched_setscheduler(0, SCHED_FIFO, &high) != 0) {
    std::fprintf(stderr, "no real-time priority: the prober shares its processor fairly\n");
  }
}

Probes probe(const Options& options, const std::atomic<bool>& done) {
  take_precedence();
  Link link(options.port);
  const RunDelay server("/proc/" + std::to_string(options.pid) + "/schedstat");
  const RunDelay prober("/proc/thread-self/schedstat");
  const CpuClock cpu(options.pid);
  Probes probes;
  for (auto* account : {&probes.seen_ns, &probes.own_ns, &probes.work_ns}) {
    account->reserve(kMostProbes);
  }
  ae::Prng prng(1);
  while (!done.load() && probes.seen_ns.size() < kMostProbes) {
    const std::string request = get_request(prng.below(options.keys));
    const uint64_t waited_before = server.ns() + prober.ns();
    const uint64_t cpu_before = cpu.ns();
    const auto start = SteadyClock::now();
    link.send(request);
    link.receive_value();
    const auto took = static_cast<uint64_t>((SteadyClock::now() - start).count());
    const uint64_t consumed = cpu.ns() - cpu_before;
    const uint64_t waited = server.ns() + prober.ns() - waited_before;
    probes.seen_ns.push_back(clamped(took));
    const uint64_t own = took - std::min(took, waited);
    probes.own_ns.push_back(clamped(own));
    probes.work_ns.push_back(clamped(std::min(own, consumed)));
    std::this_thread::sleep_for(kProbeEvery);
  }
  return probes;
}

void print_account(const char* name, std::vector<uint32_t>& ns, int64_t threshold_us) {
  std::sort(ns.begin(), ns.end());
  const auto at = [&](double share) {
    return ns[static_cast<size_t>(share * static_cast<double>(ns.size() - 1))] / 1000.0;
  };
  const auto above = ns.end() - std::upper_bound(ns.begin(), ns.end(), threshold_us * 1000);
  std::printf(
      "\"%s\": {\"median\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"p9999\": %.1f, "
      "\"worst\": %.1f, \"above\": %td}",
      name, at(0.5), at(0.99), at(0.999), at(0.9999), at(1), above);
}

Options parse(int argc, char** argv) {
  Options options;
  const option known[] = {{"seconds", 1, nullptr, 's'},        {"keys", 1, nullptr, 'k'},
                          {"fill", 0, nullptr, 'f'},           {"expire-at-ms", 1, nullptr, 'a'},
                          {"expire-over-ms", 1, nullptr, 'o'}, {"until-empty", 1, nullptr, 'u'},
                          {"threshold-us", 1, nullptr, 't'},   {nullptr, 0, nullptr, 0}};
  for (int letter; (letter = ::getopt_long(argc, argv, "", known, nullptr)) != -1;) {
    switch (letter) {
      case 's':
        options.seconds = std::atof(optarg);
        break;
      case 'k':
        options.keys = std::strtoull(optarg, nullptr, 10);
        break;
      case 'f':
        options.fill = true;
        break;
      case 'a':
        options.expire_at_ms = std::atoll(optarg);
        break;
      case 'o':
        options.expire_over_ms = std::atoll(optarg);
        break;
      case 'u':
        options.until_empty_seconds = std::atof(optarg);
        break;
      case 't':
        options.threshold_us = std::atoll(optarg);
        break;
      default:
        std::exit(2);
    }
  }
  if (argc - optind != 2) {
    std::fprintf(stderr, "usage: latency_probe PORT PID [options]; see the head of the source\n");
    std::exit(2);
  }
  options.port = static_cast<uint16_t>(std::atoi(argv[optind]));
  options.pid = std::atoi(argv[optind + 1]);
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  std::atomic<bool> done = false;
  Probes probes;
  std::thread prober([&] { probes = probe(options, done); });
  const auto start = SteadyClock::now();
  work(options);
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  done = true;
  prober.join();
  std::printf("{\"seconds\": %.2f, \"probes\": %zu, ", seconds, probes.seen_ns.size());
  print_account("seen", probes.seen_ns, options.threshold_us);
  std::printf(", ");
  print_account("own", probes.own_ns, options.threshold_us);
  std::printf(", ");
  print_account("work", probes.work_ns, options.threshold_us);
  std::printf("}\n");
}
