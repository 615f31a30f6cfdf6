// A server of one page on the real reactor and the real protocol library: PING, ECHO, SET, GET,
// DEL, QUIT over a map. What the simulated runs are made with.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ae/net/connection.h"
#include "ae/net/connection_table.h"
#include "proto/byte_sink.h"
#include "proto/reply_writer.h"
#include "proto/request_parser.h"

namespace ae::sim {

class ToyServer final : public ConnectionHandler {
 public:
  // Direct: each request is run where it is parsed and its reply copied to the queue. Batched, as
  // the real server does: requests stay in the held input until all events of the tick are
  // delivered, and replies are views of an arena.
  enum class Mode : uint8_t { kDirect, kBatched };

  explicit ToyServer(Mode mode) : mode_(mode) {}

  // Batched mode; behind the table's construction, so that resumed input joins the batch.
  void attach(ConnectionTable& table) {
    if (mode_ == Mode::kDirect) return;
    table.set_on_input_full([this, &table] { run_batch(table); });
    table.set_on_flushed([this] { replies_.clear(); });
    table.loop().after_events([this, &table] { run_batch(table); });
  }

  size_t on_data(Connection connection, MutableBytes data) override {
    proto::PartialRequest& partial = partials_[connection.id().packed()];
    size_t consumed = 0;
    while (consumed < data.size()) {
      proto::ArgVector args;
      const auto parsed = proto::parse_request(data.subspan(consumed), partial,
                                               proto::RequestLimits::normal(), args);
      if (parsed.status == proto::ParseStatus::kError)
        return refuse(connection, parsed.error, data);
      if (parsed.status == proto::ParseStatus::kIncomplete) {
        connection.table().keep_at_least(connection.id(), data.size() - consumed + parsed.wanted);
        break;
      }
      consumed += parsed.consumed;
      if (!args.empty()) submit(connection, std::move(args));
      if (connection.state() != ConnectionState::kOpen) return data.size();
    }
    return consumed;
  }
  void on_closed(Connection connection, CloseReason) override {
    partials_.erase(connection.id().packed());
  }

  // Half packets remembered; none once every connection has been closed.
  size_t partials() const { return partials_.size(); }
  // Replies whose bytes the table may still look at; none once it has come to rest.
  size_t replies_held() const { return replies_.size(); }

 private:
  struct Request {
    Connection connection;
    proto::ArgVector args;
  };

  size_t refuse(Connection connection, std::string_view why, MutableBytes data) {
    connection.send("-ERR Protocol error: " + std::string(why) + "\r\n");
    connection.close_after_flush(CloseReason::kProtocolError);
    return data.size();
  }

  void submit(Connection connection, proto::ArgVector args) {
    if (mode_ == Mode::kDirect) {
      connection.send(answer(args));
      return end_if_asked(connection, args);
    }
    connection.table().hold_input();
    batch_.push_back({connection, std::move(args)});
  }

  void run_batch(ConnectionTable& table) {
    for (const Request& request : std::exchange(batch_, {})) {
      replies_.push_back(answer(request.args));
      table.send_view(request.connection.id(), replies_.back());
      end_if_asked(request.connection, request.args);
    }
    table.release_input();
  }

  static void end_if_asked(Connection connection, const proto::ArgVector& args) {
    if (args[0] == "QUIT") connection.close_after_flush(CloseReason::kRequested);
  }

  std::string answer(const proto::ArgVector& args) {
    proto::ReplyWriter reply(sink_, proto::Resp::k2);
    const std::string_view command = args[0];
    if (command == "PING" && args.size() == 1) {
      reply.status("PONG");
    } else if (command == "ECHO" && args.size() == 2) {
      reply.bulk(args[1]);
    } else if (command == "SET" && args.size() == 3) {
      values_[std::string(args[1])] = args[2];
      reply.ok();
    } else if (command == "GET" && args.size() == 2) {
      const auto found = values_.find(std::string(args[1]));
      found == values_.end() ? reply.null() : reply.bulk(found->second);
    } else if (command == "DEL" && args.size() == 2) {
      reply.integer(int64_t(values_.erase(std::string(args[1]))));
    } else if (command == "QUIT") {
      reply.ok();
    } else {
      reply.error("ERR unknown command");
    }
    return sink_.take();
  }

  const Mode mode_;
  std::map<uint64_t, proto::PartialRequest> partials_;
  std::map<std::string, std::string> values_;
  proto::StringSink sink_;
  std::vector<Request> batch_;
  std::deque<std::string> replies_;  // stable: the table holds views
};

// What ToyServer has to answer, found without its code: the reference stream.
class ToyModel {
 public:
  using Command = std::vector<std::string>;

  std::string answer(const Command& command) {
    if (command[0] == "PING") return "+PONG\r\n";
    if (command[0] == "ECHO") return bulk(command[1]);
    if (command[0] == "QUIT") return "+OK\r\n";
    if (command[0] == "DEL") return values_.erase(command[1]) > 0 ? ":1\r\n" : ":0\r\n";
    if (command[0] == "SET") {
      values_[command[1]] = command[2];
      return "+OK\r\n";
    }
    const auto found = values_.find(command[1]);
    return found == values_.end() ? "$-1\r\n" : bulk(found->second);
  }

  static std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }
  static std::string multibulk(const Command& command) {
    std::string text = "*" + std::to_string(command.size()) + "\r\n";
    for (const std::string& argument : command) text += bulk(argument);
    return text;
  }
  static std::string inline_request(const Command& command) {
    std::string text = command[0];
    for (size_t i = 1; i < command.size(); ++i) text += " " + command[i];
    return text + "\r\n";
  }

 private:
  std::map<std::string, std::string> values_;
};

// Requests and the replies they must get, command by command.
struct Dialogue {
  enum class Form : uint8_t { kInline, kMultibulk };

  Dialogue(const std::vector<ToyModel::Command>& commands, Form form) {
    ToyModel model;
    for (const ToyModel::Command& command : commands) {
      request +=
          form == Form::kInline ? ToyModel::inline_request(command) : ToyModel::multibulk(command);
      reply += model.answer(command);
      ends.push_back({request.size(), reply.size()});
    }
  }

  // The replies to what is complete in the first `sent` bytes.
  std::string reply_to(size_t sent) const {
    size_t size = 0;
    for (const auto& [request_end, reply_end] : ends) {
      if (request_end <= sent) size = reply_end;
    }
    return reply.substr(0, size);
  }

  std::string request, reply;
  std::vector<std::pair<size_t, size_t>> ends;  // of each command, in request and reply
};

}  // namespace ae::sim
