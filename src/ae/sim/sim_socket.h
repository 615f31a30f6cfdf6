// One descriptor of the simulated kernel: a stream socket in any stage of its life, a listener, a
// waker (eventfd) or a reserve (/dev/null).
//
//   kFresh --connect--> kStream          socket(), not yet connected
//   kFresh --listen---> kListener
//
// Belongs to SimOs; nobody else needs this header.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "ae/core/os.h"
#include "ae/sim/network.h"
#include "ae/sim/stream_link.h"

namespace ae::sim {

enum class SocketKind : uint8_t { kFresh, kStream, kListener, kWaker, kReserve };

class SimSocket final : public Service {
 public:
  static constexpr size_t kUnlimited = ~size_t{0};

  SimSocket(SocketKind kind, sa_family_t family, BufferSizes buffers)
      : kind_(kind), family_(family), buffers_(buffers) {}
  explicit SimSocket(LinkEnd end);

  SocketKind kind() const { return kind_; }
  sa_family_t family() const { return family_; }

  // --- socket calls
  void set_bound(const Address& address) { bound_ = address; }
  const std::optional<Address>& bound() const { return bound_; }
  Status listen(int backlog);
  Result<LinkEnd> accept();
  void attach_link(LinkEnd end);
  IoResult read(MutableBytes into);
  // At most `most` bytes of the pieces together.
  IoResult write(std::span<const iovec> pieces, size_t most);
  Status shutdown_write();
  void close();
  int take_error() { return end_ ? end_.link->take_error(end_.side) : 0; }
  Result<Address> local_address() const;
  Result<Address> peer_address() const;
  void set_option(int level, int name, int value);
  std::optional<int> option(int level, int name) const;

  // --- waker
  void signal();
  void drain() { signals_ = 0; }

  // --- polling
  Readiness readiness() const;
  uint64_t wakes() const { return end_ ? end_.link->wakes(end_.side) : wakes_; }
  void wake() { end_ ? end_.link->wake(end_.side) : void(++wakes_); }

  // EPOLLEXCLUSIVE: the first poller that looks after a wake-up gets it, and keeps it until the
  // next.
  bool claim(const void* poller);
  void release_claim(const void* poller);

  const LinkEnd& end() const { return end_; }
  size_t queued_connections() const { return accepted_.size(); }

  // --- Service
  Status on_dial(LinkEnd acceptor) override;
  BufferSizes accepted_buffers() const override { return buffers_; }

 private:
  bool is_unix() const { return family_ == AF_UNIX; }
  bool queue_is_full() const { return accepted_.size() > size_t(backlog_); }
  void enqueue(LinkEnd acceptor);
  void admit_waiting();
  void resize_buffers(BufferSizes sizes);

  SocketKind kind_;
  sa_family_t family_;
  BufferSizes buffers_;
  std::optional<Address> bound_;
  LinkEnd end_;                       // kStream
  int backlog_ = 0;                   // kListener: one more is queued, as in Linux
  std::deque<LinkEnd> accepted_;      // established, not yet accepted
  std::deque<LinkEnd> handshaking_;   // TCP: the queue was full, the dialler repeats its SYN
  uint64_t signals_ = 0;              // kWaker
  uint64_t wakes_ = 1;                // all but kStream, whose link counts
  const void* claimed_by_ = nullptr;  // compared, never followed
  uint64_t claimed_wakes_ = 0;
  std::map<std::pair<int, int>, int> options_;
};

}  // namespace ae::sim
