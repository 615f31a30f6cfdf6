// The kernel's sockets, simulated: an ae::Os whose every call can be made to fail, whose peers are
// driven by the test, and which notices what a kernel would silently forgive.
//
//   ae::sim::SimOs os;
//   auto [fd, peer] = os.stream_pair();           // an established connection and its other end
//   peer.send("PING\r\n");
//   os.faults().nth(CallKind::kRead, 1, Fault::would_block());
//
// Streams are StreamLinks (what they do and what they simplify is said there); connections come
// from SimPeer::dial, go to a SimHost, or run from one descriptor to another. Unix addresses are
// names only, nothing is created in the file system.
//
// Descriptors are the lowest free numbers, as in the kernel, so that reuse of a number happens as
// early as it can. They start at kFirstDescriptor, where no real descriptor is: a call that
// bypasses the seam fails with EBADF instead of hitting an innocent file.
//
// Misuse (a call on a closed descriptor, a close of a descriptor that a poller still watches) is
// answered as the kernel does and written down: misuses() is empty at the end of a correct program.
//
// Thread: one. Ownership: owns the descriptors; a peer outlives it or not as it likes.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ae/core/os.h"
#include "ae/sim/fault_plan.h"
#include "ae/sim/network.h"
#include "ae/sim/sim_peer.h"
#include "ae/sim/sim_socket.h"

namespace ae::sim {

struct SimOsOptions {
  BufferSizes buffers = {};         // of every socket the program makes or accepts
  size_t max_descriptors = 10'000;  // EMFILE beyond
};

class SimOs final : public Os {
 public:
  static constexpr int kFirstDescriptor = 1'000'000;

  explicit SimOs(SimOsOptions options = {}) : options_(options) {}
  ~SimOs() override;

  // --- for the test
  FaultPlan& faults() { return faults_; }
  Network& network() { return network_; }
  // An established connection: its descriptor, as accept or socketpair would return it, and the
  // peer.
  struct Pair {
    int fd;
    SimPeer peer;
  };
  Pair stream_pair(Transport transport = Transport::kTcp) {
    return stream_pair(transport, options_.buffers);
  }
  Pair stream_pair(Transport transport, BufferSizes peer_buffers);

  size_t open_descriptors() const { return open_; }
  void set_max_descriptors(size_t limit) { options_.max_descriptors = limit; }
  const std::vector<std::string>& misuses() const { return misuses_; }
  // close() of a socket whose SO_LINGER is zero: RST instead of FIN.
  void close_with_reset(int fd);
  // The far end of a connected descriptor, to reset it or read what it was sent.
  SimPeer peer_of(int fd);

  // --- for pollers
  class CloseObserver {
   public:
    // True if it watched this descriptor, which is a misuse.
    virtual bool on_close(int fd) = 0;

   protected:
    ~CloseObserver() = default;
  };
  void add_observer(CloseObserver* observer) { observers_.push_back(observer); }
  void remove_observer(CloseObserver* observer) { std::erase(observers_, observer); }
  // Null if closed.
  SimSocket* find(int fd);

  // --- Os
  Result<int> socket(int domain, int type, int protocol) override;
  Status bind(int fd, const Address& address) override;
  Status listen(int fd, int backlog) override;
  Result<int> accept(int listener) override;
  Result<int> connect(int fd, const Address& address) override;
  int pending_error(int fd) override;
  IoResult read(int fd, MutableBytes into) override;
  IoResult write(int fd, Bytes from) override;
  IoResult writev(int fd, std::span<const iovec> from) override;
  Status shutdown_write(int fd) override;
  void close(int fd) override;
  Status set_option(int fd, int level, int name, int value) override;
  Result<int> get_option(int fd, int level, int name) override;
  Result<Address> local_address(int fd) override;
  Result<Address> peer_address(int fd) override;
  Result<int> create_waker() override;
  void wake(int fd) override;
  void drain_waker(int fd) override;
  Result<int> reserve_descriptor() override;

 private:
  // Counts the call, swallows EINTR.
  Fault begin(CallKind kind);
  // The socket, or null and a misuse.
  SimSocket* use(int fd, CallKind kind);
  void misuse(CallKind kind, int fd, const char* what);
  // What an injected fault makes of a read or write, if it is not a mere short count.
  IoResult inject(SimSocket& socket, const Fault& fault);
  Result<int> install(std::unique_ptr<SimSocket> socket, const char* operation);
  Result<int> create(CallKind kind, std::unique_ptr<SimSocket> socket);
  bool table_is_full() const { return open_ >= options_.max_descriptors; }

  SimOsOptions options_;
  FaultPlan faults_;
  Network network_;
  std::vector<std::unique_ptr<SimSocket>> sockets_;  // index: descriptor - kFirstDescriptor
  size_t open_ = 0;
  std::vector<CloseObserver*> observers_;
  std::vector<std::string> misuses_;
};

}  // namespace ae::sim
