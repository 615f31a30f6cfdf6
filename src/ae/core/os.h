// The seam to the kernel's sockets. Everything the reactor asks of the kernel about descriptors
// goes through an Os, so that ae_sim can be the kernel: every errno at every call, every short
// count.
//
// Rules that hold for every implementation:
//  - errno is read once, beside the system call, and travels as a value;
//  - EINTR is handled here and nowhere else: a caller never sees it;
//  - descriptors are created non-blocking and close-on-exec, in the same system call;
//  - SIGPIPE is never raised (MSG_NOSIGNAL): a vanished reader is EPIPE.
//
// Thread: an Os is stateless (the real one) and may be shared by loops; the simulated one belongs
// to one thread.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>

#include "ae/base/bytes.h"
#include "ae/base/result.h"
#include "ae/net/address.h"

namespace ae {

enum class IoStatus : uint8_t {
  kOk,          // `bytes` were transferred; for a read at least one
  kWouldBlock,  // EAGAIN: ask the poller
  kEnd,         // a read of 0: the peer sent FIN
  kError,       // `error` holds the errno
};

struct IoResult {
  IoStatus status = IoStatus::kOk;
  int error = 0;
  size_t bytes = 0;
};

class Os {
 public:
  virtual ~Os() = default;

  virtual Result<int> socket(int domain, int type, int protocol) = 0;
  virtual Status bind(int fd, const Address& address) = 0;
  virtual Status listen(int fd, int backlog) = 0;
  // The accepted descriptor is non-blocking and close-on-exec (accept4). EAGAIN and the errors of a
  // connection that died in the backlog (ECONNABORTED) are returned like any other.
  virtual Result<int> accept(int listener) = 0;
  // 0 for connected at once, EINPROGRESS for under way; both are success here.
  virtual Result<int> connect(int fd, const Address& address) = 0;
  // SO_ERROR, read and cleared: 0 where nothing is pending.
  virtual int pending_error(int fd) = 0;

  virtual IoResult read(int fd, MutableBytes into) = 0;
  virtual IoResult write(int fd, Bytes from) = 0;
  virtual IoResult writev(int fd, std::span<const iovec> from) = 0;
  virtual Status shutdown_write(int fd) = 0;
  virtual void close(int fd) = 0;

  virtual Status set_option(int fd, int level, int name, int value) = 0;
  virtual Result<int> get_option(int fd, int level, int name) = 0;
  virtual Result<Address> local_address(int fd) = 0;
  virtual Result<Address> peer_address(int fd) = 0;

  // A descriptor that becomes readable when another thread calls wake() on it (an eventfd).
  virtual Result<int> create_waker() = 0;
  virtual void wake(int fd) = 0;
  virtual void drain_waker(int fd) = 0;
  // A descriptor to hold in reserve against EMFILE (an open of /dev/null).
  virtual Result<int> reserve_descriptor() = 0;
};

// The kernel itself. One instance for the process.
Os& real_os();

}  // namespace ae
