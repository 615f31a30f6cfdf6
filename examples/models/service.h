// The service that every program of this folder offers, so that they differ in nothing but their
// model: PING, SET key value and GET key, in RESP, over `proto`'s parser and encoder.
//
//   models::Store store;                             // or LockedStore, or SharedMemoryStore
//   models::TableService service(store);             // a ConnectionHandler
//   table.adopt(fd, service);
//
// Who may touch the store is the question that the models answer differently, so the store is a
// template parameter, and its type in a program says what is shared:
//
//   Store              one thread owns it; no lock exists
//   LockedStore        threads of one process share it; one mutex around each call
//   SharedMemoryStore  processes share it (shared_memory.h)
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ae/net/connection_table.h"
#include "proto/byte_sink.h"
#include "proto/reply_writer.h"
#include "proto/request_parser.h"

namespace models {

// More is refused: an example must not eat the machine it is tried on. (One read of GETs of the
// longest value is answered with some fifty megabytes.)
constexpr size_t kMostKeys = 1'000'000;
constexpr size_t kLongestBulkBytes = 16 * 1024;

// Five arguments are more than any of the commands has.
constexpr proto::RequestLimits kLimits{5, kLongestBulkBytes, proto::kMaxLineBytes,
                                       kLongestBulkBytes};

class Store {
 public:
  // False where there is no room.
  bool set(ae::Bytes key, ae::Bytes value) {
    if (values_.size() >= kMostKeys && !values_.contains(std::string(key))) return false;
    values_.insert_or_assign(std::string(key), std::string(value));
    return true;
  }
  // A copy, because of the two stores below: a view would be read after the lock is gone.
  std::optional<std::string> get(ae::Bytes key) const {
    const auto found = values_.find(std::string(key));
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::unordered_map<std::string, std::string> values_;
};

class LockedStore {
 public:
  bool set(ae::Bytes key, ae::Bytes value) {
    const std::lock_guard lock(mutex_);
    return store_.set(key, value);
  }
  std::optional<std::string> get(ae::Bytes key) const {
    const std::lock_guard lock(mutex_);
    return store_.get(key);
  }

 private:
  mutable std::mutex mutex_;
  Store store_;
};

// Requests in, replies out; knows no connection. One for each thread that runs requests.
template <typename AnyStore>
class Service {
 public:
  struct Taken {
    size_t bytes = 0;     // of whole requests; what is behind them comes again with more behind it
    size_t wanted = 1;    // so many more bytes before another call makes sense
    bool broken = false;  // not the protocol: send the replies, then close
  };

  explicit Service(AnyStore& store) : store_(store) {}

  // Runs every whole request at the front of `input`; the replies wait in replies(). Nothing is
  // remembered of a half packet but that its bytes stay where they are: its next byte reads it
  // again from its first.
  Taken take(ae::MutableBytes input) {
    Taken taken;
    for (;;) {
      args_.clear();
      proto::PartialRequest partial;
      const auto parsed = proto::parse_request(input.subspan(taken.bytes), partial, kLimits, args_);
      if (parsed.status == proto::ParseStatus::kIncomplete) {
        taken.wanted = parsed.wanted;
        return taken;
      }
      if (parsed.status == proto::ParseStatus::kError) {
        writer_.error("ERR Protocol error: " + std::string(parsed.error));
        taken.broken = true;
        return taken;
      }
      taken.bytes += parsed.consumed;
      if (!args_.empty()) run();
    }
  }

  ae::Bytes replies() const { return replies_.view(); }
  void clear_replies() { replies_.clear(); }

 private:
  bool is(std::string_view name, size_t args) const {
    return args_.size() == args && args_[0].size() == name.size() &&
           std::equal(name.begin(), name.end(), args_[0].begin(),
                      [](char ours, char theirs) { return ours == (theirs & ~0x20); });
  }

  void run() {
    if (is("PING", 1)) return writer_.pong();
    if (is("PING", 2)) return writer_.bulk(args_[1]);
    if (is("SET", 3)) {
      return store_.set(args_[1], args_[2]) ? writer_.ok() : writer_.error("OOM no room for it");
    }
    if (is("GET", 2)) {
      const std::optional<std::string> value = store_.get(args_[1]);
      return value ? writer_.bulk(*value) : writer_.null();
    }
    writer_.error("ERR only PING, SET key value and GET key are known here");
  }

  AnyStore& store_;
  proto::ArgVector args_;
  proto::StringSink replies_;
  proto::ReplyWriter writer_{replies_, proto::Resp::k2};
};

// The service on a ConnectionTable: what is read in a tick is answered by its one gathered write.
template <typename AnyStore>
class TableService : public ae::ConnectionHandler {
 public:
  explicit TableService(AnyStore& store) : service_(store) {}

  size_t on_data(ae::Connection connection, ae::MutableBytes data) override {
    const auto taken = service_.take(data);
    connection.send(service_.replies());
    service_.clear_replies();
    if (taken.broken) {
      connection.close_after_flush(ae::CloseReason::kProtocolError);
    } else if (taken.bytes < data.size()) {
      connection.table().keep_at_least(connection.id(), data.size() - taken.bytes + taken.wanted);
    }
    return taken.bytes;
  }
  void on_closed(ae::Connection, ae::CloseReason) override {}

 private:
  Service<AnyStore> service_;
};

}  // namespace models
