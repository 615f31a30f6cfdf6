#include "ae/sim/sim_os.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "ae/base/assert.h"

namespace ae::sim {
namespace {

IoResult failed(int error) {
  return {IoStatus::kError, error, 0};
}

// EINTR again and again is no kernel's behaviour; a plan that says "every" is heard this many
// times.
constexpr int kMaxInterrupts = 3;
// A broken program repeats itself; its first misuses tell enough.
constexpr size_t kMaxMisuses = 20;

// Errnos of accept that are about this process or machine. The others are the pending error of the
// connection itself, which is taken from the queue with it.
bool leaves_the_queue(int accept_error) {
  constexpr std::array kStays = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
  return std::ranges::find(kStays, accept_error) == kStays.end();
}

// Errnos after which the connection is over. The others (ENOBUFS, ENOMEM) are of the moment.
bool is_fatal(int error) {
  constexpr std::array kFatal = {ECONNRESET,  EPIPE,        ETIMEDOUT,   EHOSTUNREACH,
                                 ENETUNREACH, ECONNREFUSED, ECONNABORTED};
  return std::ranges::find(kFatal, error) != kFatal.end();
}

}  // namespace

SimOs::~SimOs() {
  for (const auto& socket : sockets_) {
    if (socket != nullptr) network_.detach(socket.get());
  }
}

// --- the machinery of a call

Fault SimOs::begin(CallKind kind) {
  Fault fault = faults_.next(kind);
  for (int i = 0; fault.kind == Fault::Kind::kInterrupted; ++i) {
    if (i == kMaxInterrupts) return {};
    fault = faults_.next(kind);
  }
  return fault;
}

SimSocket* SimOs::find(int fd) {
  const auto index = size_t(int64_t(fd) - kFirstDescriptor);
  return fd >= kFirstDescriptor && index < sockets_.size() ? sockets_[index].get() : nullptr;
}

SimSocket* SimOs::use(int fd, CallKind kind) {
  SimSocket* socket = find(fd);
  if (socket == nullptr) misuse(kind, fd, "the descriptor is not open");
  return socket;
}

void SimOs::misuse(CallKind kind, int fd, const char* what) {
  if (misuses_.size() >= kMaxMisuses) return;
  misuses_.push_back(std::string(name(kind)) + " of descriptor " + std::to_string(fd) + ": " +
                     what);
}

Result<int> SimOs::install(std::unique_ptr<SimSocket> socket, const char* operation) {
  if (table_is_full()) return ae::fail(EMFILE, operation);
  auto place = std::find(sockets_.begin(), sockets_.end(), nullptr);
  if (place == sockets_.end()) place = sockets_.insert(place, nullptr);
  *place = std::move(socket);
  ++open_;
  return kFirstDescriptor + int(place - sockets_.begin());
}

Result<int> SimOs::create(CallKind kind, std::unique_ptr<SimSocket> socket) {
  const Fault fault = begin(kind);
  if (fault.kind == Fault::Kind::kErrno) return ae::fail(fault.error, name(kind).data());
  return install(std::move(socket), name(kind).data());
}

IoResult SimOs::inject(SimSocket& socket, const Fault& fault) {
  if (fault.kind == Fault::Kind::kWouldBlock) {
    socket.wake();
    return {IoStatus::kWouldBlock, 0, 0};
  }
  const LinkEnd& end = socket.end();
  if (end && is_fatal(fault.error)) {
    end.link->fail(end.side, fault.error);
    (void)end.link->take_error(end.side);  // this call is the one that reports it
  }
  return failed(fault.error);
}

// --- for the test

SimOs::Pair SimOs::stream_pair(Transport transport, BufferSizes peer_buffers) {
  const sa_family_t family = transport == Transport::kUnix ? AF_UNIX : AF_INET;
  const Address near = network_.ephemeral(family);
  const Address far = network_.ephemeral(family);
  auto link = std::make_shared<StreamLink>(transport, far, near, peer_buffers, options_.buffers);
  link->establish();
  const auto fd = install(std::make_unique<SimSocket>(LinkEnd{link, Side::kAcceptor}), "pair");
  AE_ASSERT(fd.has_value());
  return {*fd, SimPeer(LinkEnd{link, Side::kDialer})};
}

void SimOs::close_with_reset(int fd) {
  SimSocket* socket = use(fd, CallKind::kClose);
  if (socket == nullptr) return;
  if (const LinkEnd& end = socket->end()) end.link->reset(end.side, Received::kKept);
  close(fd);
}

SimPeer SimOs::peer_of(int fd) {
  const SimSocket* socket = find(fd);
  return socket != nullptr && socket->end() ? SimPeer(socket->end().peer()) : SimPeer();
}

// --- sockets

Result<int> SimOs::socket(int domain, int, int) {
  return create(CallKind::kSocket, std::make_unique<SimSocket>(
                                       SocketKind::kFresh, sa_family_t(domain), options_.buffers));
}

Status SimOs::bind(int fd, const Address& address) {
  const Fault fault = begin(CallKind::kBind);
  SimSocket* socket = use(fd, CallKind::kBind);
  if (socket == nullptr) return ae::fail(EBADF, "bind");
  if (fault.kind == Fault::Kind::kErrno) return ae::fail(fault.error, "bind");
  if (socket->bound() || socket->kind() != SocketKind::kFresh) return ae::fail(EINVAL, "bind");
  if (address.family() != socket->family()) return ae::fail(EINVAL, "bind");
  const bool shared = socket->option(SOL_SOCKET, SO_REUSEPORT).value_or(0) != 0;
  const auto bound =
      network_.attach(address, shared ? Sharing::kReusePort : Sharing::kAlone, socket);
  if (!bound) return ae::fail(bound.error());
  socket->set_bound(*bound);
  return {};
}

Status SimOs::listen(int fd, int backlog) {
  const Fault fault = begin(CallKind::kListen);
  SimSocket* socket = use(fd, CallKind::kListen);
  if (socket == nullptr) return ae::fail(EBADF, "listen");
  if (fault.kind == Fault::Kind::kErrno) return ae::fail(fault.error, "listen");
  return socket->listen(backlog);
}

Result<int> SimOs::accept(int listener) {
  const Fault fault = begin(CallKind::kAccept);
  SimSocket* socket = use(listener, CallKind::kAccept);
  if (socket == nullptr) return ae::fail(EBADF, "accept");
  if (fault.kind == Fault::Kind::kWouldBlock) {
    socket->wake();
    return ae::fail(EAGAIN, "accept");
  }
  const bool injected = fault.kind == Fault::Kind::kErrno;
  if (injected && !leaves_the_queue(fault.error)) return ae::fail(fault.error, "accept");
  // The kernel asks for a descriptor before it looks at the queue.
  if (table_is_full()) return ae::fail(EMFILE, "accept");
  auto accepted = socket->accept();
  if (!accepted) return ae::fail(accepted.error());
  if (injected) {
    accepted->link->reset(accepted->side, Received::kLost);
    return ae::fail(fault.error, "accept");
  }
  return install(std::make_unique<SimSocket>(std::move(*accepted)), "accept");
}

Result<int> SimOs::connect(int fd, const Address& address) {
  const Fault fault = begin(CallKind::kConnect);
  SimSocket* socket = use(fd, CallKind::kConnect);
  if (socket == nullptr) return ae::fail(EBADF, "connect");
  if (fault.kind == Fault::Kind::kErrno) return ae::fail(fault.error, "connect");
  if (fault.kind == Fault::Kind::kWouldBlock) return ae::fail(EAGAIN, "connect");
  if (socket->kind() == SocketKind::kStream) return ae::fail(EISCONN, "connect");
  const Address from = socket->bound() ? *socket->bound() : network_.ephemeral(address.family());
  auto end = network_.dial(from, address, socket->accepted_buffers());
  if (!end) return ae::fail(end.error());
  const bool at_once = end->link->connected_immediately();
  socket->attach_link(std::move(*end));
  return at_once ? 0 : EINPROGRESS;
}

int SimOs::pending_error(int fd) {
  const Fault fault = begin(CallKind::kPendingError);
  SimSocket* socket = use(fd, CallKind::kPendingError);
  if (socket == nullptr) return EBADF;
  if (fault.kind == Fault::Kind::kErrno) return inject(*socket, fault).error;
  return socket->take_error();
}

// --- bytes

IoResult SimOs::read(int fd, MutableBytes into) {
  const Fault fault = begin(CallKind::kRead);
  SimSocket* socket = use(fd, CallKind::kRead);
  if (socket == nullptr) return failed(EBADF);
  if (fault.none()) return socket->read(into);
  if (fault.kind != Fault::Kind::kShort) return inject(*socket, fault);
  const IoResult result = socket->read(into.first(std::clamp<size_t>(fault.bytes, 1, into.size())));
  socket->wake();
  return result;
}

IoResult SimOs::write(int fd, Bytes from) {
  const iovec piece{const_cast<char*>(from.data()), from.size()};
  return writev(fd, std::span(&piece, 1));
}

IoResult SimOs::writev(int fd, std::span<const iovec> from) {
  const Fault fault = begin(CallKind::kWrite);
  SimSocket* socket = use(fd, CallKind::kWrite);
  if (socket == nullptr) return failed(EBADF);
  if (fault.none()) return socket->write(from, SimSocket::kUnlimited);
  if (fault.kind != Fault::Kind::kShort) return inject(*socket, fault);
  const IoResult result = socket->write(from, std::max<size_t>(fault.bytes, 1));
  socket->wake();
  return result;
}

Status SimOs::shutdown_write(int fd) {
  const Fault fault = begin(CallKind::kShutdownWrite);
  SimSocket* socket = use(fd, CallKind::kShutdownWrite);
  if (socket == nullptr) return ae::fail(EBADF, "shutdown");
  if (fault.kind == Fault::Kind::kErrno) return ae::fail(fault.error, "shutdown");
  return socket->shutdown_write();
}

void SimOs::close(int fd) {
  (void)begin(CallKind::kClose);
  SimSocket* socket = use(fd, CallKind::kClose);
  if (socket == nullptr) return;
  for (CloseObserver* observer : observers_) {
    if (observer->on_close(fd)) misuse(CallKind::kClose, fd, "a poller still watches it");
  }
  network_.detach(socket);
  socket->close();
  sockets_[size_t(fd - kFirstDescriptor)].reset();
  --open_;
}

// --- options and names

Status SimOs::set_option(int fd, int level, int name, int value) {
  const Fault fault = begin(CallKind::kSetOption);
  SimSocket* socket = use(fd, CallKind::kSetOption);
  if (socket == nullptr) return ae::fail(EBADF, "setsockopt");
  if (fault.kind == Fault::Kind::kErrno) return ae::fail(fault.error, "setsockopt");
  socket->set_option(level, name, value);
  return {};
}

Result<int> SimOs::get_option(int fd, int level, int name) {
  const Fault fault = begin(CallKind::kGetOption);
  SimSocket* socket = use(fd, CallKind::kGetOption);
  if (socket == nullptr) return ae::fail(EBADF, "getsockopt");
  if (fault.kind == Fault::Kind::kErrno) return ae::fail(fault.error, "getsockopt");
  if (level == SOL_SOCKET && name == SO_ERROR) return socket->take_error();
  return socket->option(level, name).value_or(0);
}

Result<Address> SimOs::local_address(int fd) {
  const Fault fault = begin(CallKind::kLocalAddress);
  SimSocket* socket = use(fd, CallKind::kLocalAddress);
  if (socket == nullptr) return ae::fail(EBADF, "getsockname");
  if (fault.kind == Fault::Kind::kErrno) return ae::fail(fault.error, "getsockname");
  return socket->local_address();
}

Result<Address> SimOs::peer_address(int fd) {
  const Fault fault = begin(CallKind::kPeerAddress);
  SimSocket* socket = use(fd, CallKind::kPeerAddress);
  if (socket == nullptr) return ae::fail(EBADF, "getpeername");
  if (fault.kind == Fault::Kind::kErrno) return ae::fail(fault.error, "getpeername");
  return socket->peer_address();
}

// --- wakers and the reserve

Result<int> SimOs::create_waker() {
  return create(CallKind::kCreateWaker,
                std::make_unique<SimSocket>(SocketKind::kWaker, AF_UNSPEC, BufferSizes{}));
}

void SimOs::wake(int fd) {
  (void)begin(CallKind::kWake);
  if (SimSocket* socket = use(fd, CallKind::kWake)) socket->signal();
}

void SimOs::drain_waker(int fd) {
  (void)begin(CallKind::kDrainWaker);
  if (SimSocket* socket = use(fd, CallKind::kDrainWaker)) socket->drain();
}

Result<int> SimOs::reserve_descriptor() {
  return create(CallKind::kReserve,
                std::make_unique<SimSocket>(SocketKind::kReserve, AF_UNSPEC, BufferSizes{}));
}

}  // namespace ae::sim
