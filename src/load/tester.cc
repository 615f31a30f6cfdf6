#include "load/tester.h"

#include <sys/resource.h>

#include <algorithm>

namespace load {
namespace {

constexpr ae::DialOptions kDialOptions = {.attempt_timeout = ae::Seconds(10), .rounds = 3};

ae::Nanoseconds of(const timeval& time) {
  return ae::Seconds(time.tv_sec) + ae::Microseconds(time.tv_usec);
}

ae::Nanoseconds cpu_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return of(usage.ru_utime) + of(usage.ru_stime);
}

// Where to connect from: as told; else from as many addresses as it takes, where any will do.
std::optional<ae::Address> first_source(const ae::Address& target, const Options& options) {
  if (!options.source.empty()) return *ae::Address::parse(options.source, 0);
  const bool any_will_do = target.family() == AF_INET && target.is_loopback();
  if (!any_will_do || options.connections <= options.per_source) return std::nullopt;
  return *ae::Address::parse("127.0.1.1", 0);
}

// At least one for each, or the process would never connect.
uint32_t part_of_handshakes(const Options& options, Share share) {
  return std::max(1u, share.part(options.handshakes));
}

CrowdOptions crowd_options(const ae::Address& target, const Options& options, Share share) {
  return {.target = target,
          .first_source = first_source(target, options),
          .per_source = options.per_source,
          .first_client = share.before(options.connections),
          .size = share.part(options.connections),
          .handshakes = part_of_handshakes(options, share),
          .connect_rate = options.connect_rate / share.of,
          .active_percent = options.active_percent,
          .dial = kDialOptions,
          .seed = options.seed + share.index};
}

ExchangeOptions exchange_options(const Options& options) {
  return {options.deadline, options.late, options.expected.value_or("")};
}

}  // namespace

Tester::Tester(ae::EventLoop& loop, const ae::Address& target, const Options& options, Share share)
    : loop_(loop),
      options_(options),
      share_(share),
      exchange_(loop, exchange_options(options), share.part(options.connections), *result_),
      crowd_(loop, crowd_options(target, options, share), exchange_, *result_),
      request_(options.command, options.keyspace, options.data_bytes),
      random_(options.seed * 1'000'003 + share.index) {}

Tester::~Tester() {
  loop_.cancel(start_timer_);
}

void Tester::begin(const Phase& phase, ae::TimePoint start) {
  *result_ = {};
  start_ = start;
  step_ = Step::kBefore;
  cpu_before_ = cpu_so_far();
  scenario_ = make_scenario(
      {loop_, crowd_, exchange_, *result_, request_, random_, options_, share_, phase, start});
  start_timer_ = loop_.add_timer_at(start, [this] {
    scenario_->start();
    step_ = Step::kIssuing;
  });
}

bool Tester::over() {
  if (step_ == Step::kBefore) return false;
  if (step_ == Step::kIssuing) {
    if (!scenario_->issued()) return false;
    result_->wall = loop_.clock().now() - start_;
    scenario_->finish();
    step_ = Step::kEnding;
  }
  if (!exchange_.idle() || !crowd_.settled()) return false;
  scenario_.reset();
  result_->cpu = cpu_so_far() - cpu_before_;
  result_->present = crowd_.connected();
  return true;
}

}  // namespace load
