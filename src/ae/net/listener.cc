#include "ae/net/listener.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "ae/base/assert.h"
#include "ae/base/time_slice.h"
#include "ae/net/socket_options.h"

namespace ae {
namespace {

constexpr Nanoseconds kFirstBackOff = Milliseconds(10);
constexpr Nanoseconds kMostBackOff = Seconds(1);

// Closings that newcomers do not wait for: some ticks' worth, as come of everyday leaving.
constexpr size_t kMaxClosingsAhead = 64;

// Connections turned away on the reserve descriptor per tick. Each is four system calls that serve
// nobody.
constexpr size_t kMaxRefusalsPerTick = 16;

// Of a Unix socket that is in the file system, also by a relative path; else empty.
std::string path_of(const Address& address) {
  if (!address.is_unix()) return {};
  std::string path = address.host();
  return path.starts_with('@') ? std::string() : path;
}

enum class AcceptError { kNothingThere, kThatOneFailed, kNoDescriptor, kOurs };

AcceptError classify(int error) {
  switch (error) {
    case EAGAIN:
      return AcceptError::kNothingThere;
    // accept(2) on Linux passes on the pending error of the connection itself.
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM:  // a firewall rule
    case ECONNRESET:
    case ETIMEDOUT:
      return AcceptError::kThatOneFailed;
    case EMFILE:
    case ENFILE:
      return AcceptError::kNoDescriptor;
    default:
      return AcceptError::kOurs;  // ENOBUFS, ENOMEM and what should not be
  }
}

}  // namespace

Listener::Listener(EventLoop& loop, Accepted accepted, ListenerOptions options)
    : loop_(loop), os_(loop.os()), accepted_(std::move(accepted)), options_(options) {
  AE_ASSERT(options.accepts_per_tick > 0);
  if (const Result<int> reserve = os_.reserve_descriptor()) reserve_ = *reserve;
  loop.after_events([this] {
    if (any_readable_) accept_ready();
  });
}

Listener::~Listener() {
  for (uint32_t i = 0; i < endpoints_.size(); ++i) close(i);
  loop_.cancel(back_off_timer_);
  if (reserve_ != -1) os_.close(reserve_);
}

// --- endpoints

Result<uint32_t> Listener::listen(const Address& address, EndpointOptions options) {
  const Result<int> fd = open(address, options);
  if (!fd) return fail(fd.error());
  Result<uint32_t> endpoint = adopt(*fd, options);
  if (endpoint) endpoints_[*endpoint].path = path_of(address);
  return endpoint;
}

Result<uint32_t> Listener::adopt(int fd, EndpointOptions options) {
  const auto free = std::find_if(endpoints_.begin(), endpoints_.end(),
                                 [](const Endpoint& endpoint) { return endpoint.fd == -1; });
  const auto index = uint32_t(free - endpoints_.begin());
  const bool exclusive = options.sharing == PortSharing::kExclusive;
  const Result<FileId> file =
      loop_.watch(fd, Events::kReadable, this, index,
                  exclusive ? Trigger::kExclusive : Trigger::kLevel, options_.priority);
  if (!file) {
    if (!options.borrowed) os_.close(fd);
    return fail(file.error());
  }
  if (free == endpoints_.end()) endpoints_.emplace_back();
  endpoints_[index] = {fd, *file, "", false, options.borrowed};
  update_interest();
  return index;
}

Result<Address> Listener::address(uint32_t endpoint) const {
  return os_.local_address(endpoints_.at(endpoint).fd);
}

void Listener::accept_backlog(uint32_t index) {
  constexpr int kMostBacklog = 65'535;  // no more wait at a time (somaxconn)
  for (int i = 0; i < kMostBacklog && accept_one(index); ++i) {
  }
}

void Listener::close(uint32_t index) {
  Endpoint& endpoint = endpoints_.at(index);
  if (endpoint.fd == -1) return;
  loop_.unwatch(endpoint.file);
  // Unlinked first: who connects from now on is told so, instead of waiting in a dying backlog.
  if (!endpoint.path.empty()) ::unlink(endpoint.path.c_str());
  if (!endpoint.borrowed) os_.close(endpoint.fd);
  endpoint = {};
}

Result<int> Listener::open(const Address& address, const EndpointOptions& options) {
  const Result<int> fd = os_.socket(address.family(), SOCK_STREAM, 0);
  if (!fd) return fd;
  if (const Status ready = bind_and_listen(*fd, address, options); !ready) {
    os_.close(*fd);
    return fail(ready.error());
  }
  return fd;
}

Status Listener::bind_and_listen(int fd, const Address& address, const EndpointOptions& options) {
  if (address.is_ip()) {
    if (const Status set = set_reuse_address(os_, fd); !set) return set;
  }
  if (address.family() == AF_INET6) {
    if (const Status set = set_ipv6_only(os_, fd); !set) return set;
  }
  if (options.sharing == PortSharing::kReusePort && address.is_ip()) {
    if (const Status set = set_reuse_port(os_, fd); !set) return set;
  }
  if (const Status bound = bind_replacing(fd, address); !bound) return bound;
  const std::string path = path_of(address);
  // Before listen(): nobody gets in with the wrong mode.
  if (options.unix_mode && !path.empty() && ::chmod(path.c_str(), *options.unix_mode) != 0) {
    return fail(errno, "chmod");
  }
  return os_.listen(fd, options.backlog);
}

Status Listener::bind_replacing(int fd, const Address& address) {
  Status bound = os_.bind(fd, address);
  if (bound || bound.error().code != EADDRINUSE || !is_stale_socket(address)) return bound;
  ::unlink(address.host().c_str());
  return os_.bind(fd, address);
}

// A socket file outlives its server; connecting tells whether anybody is there.
bool Listener::is_stale_socket(const Address& address) {
  const std::string path = path_of(address);
  struct stat status {};
  if (path.empty() || ::lstat(path.c_str(), &status) != 0) return false;
  if (!S_ISSOCK(status.st_mode)) return false;
  const Result<int> probe = os_.socket(AF_UNIX, SOCK_STREAM, 0);
  if (!probe) return false;
  const Result<int> connected = os_.connect(*probe, address);
  os_.close(*probe);
  return !connected && connected.error().code == ECONNREFUSED;
}

// --- pausing

void Listener::pause() {
  paused_ = true;
  update_interest();
}

void Listener::resume() {
  paused_ = false;
  update_interest();
}

void Listener::update_interest() {
  const bool accepting = !paused_ && !back_off_timer_.valid();
  for (const Endpoint& endpoint : endpoints_) {
    if (endpoint.fd == -1) continue;
    loop_.set_interest(endpoint.file, accepting ? Events::kReadable : Events::kNone);
  }
}

void Listener::back_off(uint32_t index, const Error& error) {
  ++stats_.pauses;
  back_off_ = std::clamp(back_off_ * 2, kFirstBackOff, kMostBackOff);
  back_off_timer_ = loop_.add_timer(back_off_, [this] {
    back_off_timer_ = {};
    update_interest();
  });
  update_interest();
  if (failed_) failed_(error, index);
}

// --- accepting

void Listener::on_file_event(FileId, uint32_t token, Events) {
  endpoints_[token].readable = true;
  any_readable_ = true;
}

// Who is not accepted now stays noted: this runs again behind the next tick's events.
void Listener::accept_ready() {
  if (newcomers_wait()) return;
  any_readable_ = false;
  refused_this_tick_ = 0;
  size_t budget = options_.accepts_per_tick;
  const TimeSlice slice(loop_.clock(), options_.accept_slice);
  const size_t count = endpoints_.size();  // accepted_ may add some
  const size_t first = next_first_++ % count;
  for (size_t i = 0; i < count; ++i) {
    const auto index = uint32_t((first + i) % count);
    if (!std::exchange(endpoints_[index].readable, false)) continue;
    while (budget > 0 && accept_one(index)) {
      if (--budget > 0 && slice.over()) budget = 0;
    }
  }
}

bool Listener::newcomers_wait() const {
  return options_.priority != Priority::kUrgent && loop_.reaps_pending() > kMaxClosingsAhead;
}

Result<int> Listener::accept_from(int listening) {
  const bool lent = options_.reserve != nullptr && options_.reserve->lend();
  const Result<int> fd = os_.accept(listening);
  if (!fd && lent) options_.reserve->hold(options_.reserve->held() + 1);
  return fd;
}

bool Listener::accept_one(uint32_t index) {
  const int listening = endpoints_[index].fd;
  if (listening == -1 || paused_ || back_off_timer_.valid()) return false;
  const Result<int> fd = accept_from(listening);
  if (!fd) return accept_failed(index, fd.error());
  ++stats_.accepted;
  back_off_ = Nanoseconds::zero();
  accepted_(*fd, index);
  return true;
}

bool Listener::accept_failed(uint32_t index, const Error& error) {
  const AcceptError kind = classify(error.code);
  if (kind == AcceptError::kNothingThere) return false;
  if (kind == AcceptError::kNoDescriptor && refused_this_tick_ < kMaxRefusalsPerTick) {
    ++refused_this_tick_;
    const Refusal refusal = refuse_one(index);
    if (refusal != Refusal::kImpossible) return refusal == Refusal::kRefused;
  }
  ++stats_.failed;
  if (kind == AcceptError::kThatOneFailed) return true;
  back_off(index, error);
  return false;
}

// Accepts with the descriptor held in reserve, and closes. That nobody is waiting shows only here:
// accept(2) looks for a free number first, and says EMFILE over an empty backlog, too.
Listener::Refusal Listener::refuse_one(uint32_t index) {
  if (reserve_ == -1) return Refusal::kImpossible;
  os_.close(std::exchange(reserve_, -1));
  const Result<int> fd = os_.accept(endpoints_[index].fd);
  if (fd) os_.close(*fd);
  if (const Result<int> reserve = os_.reserve_descriptor()) reserve_ = *reserve;
  if (!fd) return fd.error().code == EAGAIN ? Refusal::kNobodyThere : Refusal::kImpossible;
  ++stats_.refused;
  return Refusal::kRefused;
}

}  // namespace ae
