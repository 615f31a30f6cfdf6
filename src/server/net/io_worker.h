// The IO thread's half of the pool: owns the connections of one loop, and knows no key.
//
//   after-sleep    take back batches: send replies, carry out orders
//   file events    on_data: parse, resolve, hash, copy into the batch being filled
//   after-events   hand it over
//   before-sleep   the connection table flushes; who has gone is handed over, counters published
//
// It never waits for the main thread. With kMaxWithMain batches there already it goes on filling
// the third; when that is full too, clients who send more are paused until one comes back.
//
// Thread: its loop's. The main thread may look into it while the loop is held (LoopHost::hold).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ae/base/chunked_array.h"
#include "ae/net/connection_table.h"
#include "proto/request_parser.h"
#include "server/command/table.h"
#include "server/net/endpoints.h"
#include "server/net/half_requests.h"
#include "server/net/io_channel.h"
#include "server/net/loop_memory.h"
#include "server/net/output_limits.h"
#include "server/observe/tick_watch.h"

namespace millrace {

class IoWorker final : private ae::ConnectionHandler {
 public:
  struct Parts {
    const CommandTable& commands;
    IoChannel& channel;
    ae::EventLoop& main;  // only to be woken
    TickLog& long_ticks;  // any thread's
    std::string name;
    ae::ConnectionOptions connections;
  };

  IoWorker(ae::EventLoop& loop, Parts parts, IoSettings settings);
  ~IoWorker();

  // What this loop accepts by itself, where it does.
  Endpoints& endpoints() { return endpoints_; }
  ae::ConnectionTable& table() { return table_; }
  // Nobody is here, not even one whom main has not heard of yet.
  bool is_empty() const { return table_.size() == 0 && notices_.empty(); }
  void add_memory(ClientMemory& sum);
  const HalfRequests& halves() const { return halves_; }

 private:
  void arrived(int fd, Origin origin);

  // --- ae::ConnectionHandler
  size_t on_data(ae::Connection connection, ae::MutableBytes data) override;
  void on_hang_up(ae::Connection connection) override;
  void on_closed(ae::Connection connection, ae::CloseReason reason) override;

  size_t parse(ae::Connection connection, ae::MutableBytes data, IoBatch& batch);
  void add_request(IoBatch& batch, SessionId session, size_t first_arg);
  void take_along(IoBatch& batch, size_t first_arg, ae::Bytes parsed);
  void not_resp(ae::Connection connection, ae::MutableBytes rest, std::string_view text);
  OutputLimits& limits_for(const IoDelivery& delivery) {
    if (!authenticated_.at(delivery.connection.slot)) return limits_.strangers;
    return limits_.of(delivery.limits);
  }
  const proto::RequestLimits& limits_for(ae::ConnectionId id) {
    return authenticated_.at(id.slot) ? settings_.limits : limits_before_auth_;
  }

  IoBatch* filling();
  void hand_over();
  void collect();
  void take_back(std::unique_ptr<IoBatch> batch);
  void set(const IoSettings& settings);
  void deliver(const IoDelivery& delivery);
  void welcome(const IoDelivery& delivery);
  void adopt(const IoDelivery& delivery);
  void recycle();
  void keep_free(std::unique_ptr<IoBatch> batch);
  void report(const ae::TickRecord& tick);
  void publish();

  ae::EventLoop& loop_;
  Parts parts_;
  IoSettings settings_;
  const proto::RequestLimits limits_before_auth_ = proto::RequestLimits::before_auth();
  ae::ConnectionTable table_;
  Endpoints endpoints_;
  ClassLimits limits_;
  HalfRequests halves_;                      // by slot of the connection, as the next
  ae::ChunkedArray<uint8_t> authenticated_;  // else the narrow limits hold
  std::unique_ptr<IoBatch> filling_;
  std::vector<std::unique_ptr<IoBatch>> sending_;  // their bytes are not all with the kernel
  std::vector<std::unique_ptr<IoBatch>> free_;
  std::vector<IoNotice> notices_;            // for the next batch
  std::vector<ae::ConnectionId> held_back_;  // until a batch comes back
  size_t with_main_ = 0;
  uint64_t handed_over_ = 0;
};

}  // namespace millrace
