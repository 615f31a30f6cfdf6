#include "ae/sim/fault_plan.h"

#include <cerrno>
#include <cstring>
#include <numeric>

namespace ae::sim {
namespace {

constexpr std::array<std::string_view, kCallKinds> kNames = {
    "socket",        "bind",        "listen",        "accept",       "connect",
    "pending_error", "read",        "write",         "shutdown",     "close",
    "set_option",    "get_option",  "local_address", "peer_address", "waker",
    "wake",          "drain_waker", "reserve",       "poller add",   "poller modify",
    "poller remove", "poller wait",
};

Fault error(int code) {
  return Fault::of_errno(code);
}

// One row per call. The errnos are those of the manual pages that a program can meet without a bug
// of its own: EBADF or EFAULT are no operating errors.
using Faults = std::vector<Fault>;
const std::array<Faults, kCallKinds>& fault_rows() {
  static const std::array<Faults, kCallKinds> rows = [] {
    std::array<Faults, kCallKinds> r;
    const auto row = [&r](CallKind kind) -> Faults& { return r[size_t(kind)]; };
    row(CallKind::kSocket) = {error(EMFILE), error(ENFILE), error(ENOBUFS), error(ENOMEM)};
    row(CallKind::kBind) = {error(EADDRINUSE), error(EACCES), error(EADDRNOTAVAIL)};
    row(CallKind::kListen) = {error(EADDRINUSE)};
    row(CallKind::kAccept) = {Fault::would_block(), Fault::interrupted(), error(ECONNABORTED),
                              error(EMFILE),        error(ENFILE),        error(ENOBUFS),
                              error(ENOMEM),        error(EPROTO),        error(EPERM)};
    row(CallKind::kConnect) = {error(ECONNREFUSED), error(ENETUNREACH),   error(EHOSTUNREACH),
                               error(ETIMEDOUT),    error(EADDRNOTAVAIL), error(EACCES),
                               Fault::would_block()};
    row(CallKind::kPendingError) = {error(ECONNREFUSED), error(ETIMEDOUT), error(EHOSTUNREACH),
                                    error(ECONNRESET)};
    row(CallKind::kRead) = {Fault::would_block(), Fault::interrupted(), Fault::of_short(1),
                            error(ECONNRESET),    error(ETIMEDOUT),     error(EHOSTUNREACH),
                            error(ENOMEM)};
    row(CallKind::kWrite) = {Fault::would_block(), Fault::interrupted(), Fault::of_short(1),
                             error(ECONNRESET),    error(EPIPE),         error(ETIMEDOUT),
                             error(EHOSTUNREACH),  error(ENOBUFS)};
    row(CallKind::kShutdownWrite) = {error(ENOTCONN)};
    row(CallKind::kSetOption) = {error(ENOPROTOOPT), error(EINVAL), error(ENOBUFS)};
    row(CallKind::kGetOption) = {error(ENOPROTOOPT)};
    row(CallKind::kLocalAddress) = {error(ENOBUFS)};
    row(CallKind::kPeerAddress) = {error(ENOTCONN)};
    row(CallKind::kCreateWaker) = {error(EMFILE), error(ENOMEM)};
    row(CallKind::kReserve) = {error(EMFILE), error(ENFILE)};
    row(CallKind::kPollAdd) = {error(ENOMEM), error(ENOSPC)};
    row(CallKind::kPollModify) = {error(ENOMEM)};
    row(CallKind::kPollWait) = {Fault::interrupted()};
    return r;
  }();
  return rows;
}

}  // namespace

std::string_view name(CallKind kind) {
  return kNames[size_t(kind)];
}

std::string describe(const Fault& fault) {
  switch (fault.kind) {
    case Fault::Kind::kNone:
      return "nothing";
    case Fault::Kind::kErrno:
      return strerrorname_np(fault.error);
    case Fault::Kind::kWouldBlock:
      return "would block";
    case Fault::Kind::kShort:
      return "short " + std::to_string(fault.bytes);
    case Fault::Kind::kInterrupted:
      return "interrupted";
  }
  return "";
}

std::span<const Fault> documented_faults(CallKind kind) {
  return fault_rows()[size_t(kind)];
}

FaultPlan& FaultPlan::range(CallKind kind, uint64_t first, uint64_t last, Fault fault) {
  rules_.push_back({kind, first, last, fault});
  return *this;
}

FaultPlan& FaultPlan::at_random(uint64_t seed, unsigned per_mille,
                                const std::vector<CallKind>& kinds) {
  random_ = Prng(seed);
  per_mille_ = per_mille;
  random_kinds_.fill(false);
  for (const CallKind kind : kinds) random_kinds_[size_t(kind)] = true;
  return *this;
}

void FaultPlan::clear() {
  rules_.clear();
  per_mille_ = 0;
}

Fault FaultPlan::next(CallKind kind) {
  const uint64_t call = ++calls_[size_t(kind)];
  for (const Rule& rule : rules_) {
    if (rule.kind != kind || call < rule.first || call > rule.last) continue;
    ++injected_;
    return rule.fault;
  }
  return draw(kind);
}

Fault FaultPlan::draw(CallKind kind) {
  if (per_mille_ == 0 || !random_kinds_[size_t(kind)]) return {};
  const auto choices = documented_faults(kind);
  if (choices.empty() || random_.below(1000) >= per_mille_) return {};
  ++injected_;
  return choices[random_.below(choices.size())];
}

uint64_t FaultPlan::calls() const {
  return std::accumulate(calls_.begin(), calls_.end(), uint64_t{0});
}

}  // namespace ae::sim
