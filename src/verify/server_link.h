// A connection of the verifier to a server: pipelines of commands, and their replies. It blocks,
// because the verifier has nothing else to do.
//
//   ServerLink link;
//   if (auto problem = link.open({.host = "127.0.0.1", .port = 6379})) ...
//   link.add({"TYPE", key});
//   link.add({"PTTL", key});
//   if (auto problem = link.exchange(replies)) ...   // two replies
//
// RESP2, which every server speaks. Problems are sentences that name the server.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/reply_parser.h"

namespace verify {

using Problem = std::optional<std::string>;
using Replies = std::vector<proto::ReplyValue>;

struct ServerAddress {
  std::string host;
  uint16_t port = 6379;
  std::string user = {};
  std::string password = {};

  std::string text() const { return host + ":" + std::to_string(port); }
};

class ServerLink {
 public:
  ServerLink() = default;
  ~ServerLink();
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;

  Problem open(const ServerAddress& address);
  const ServerAddress& address() const { return address_; }

  void add(std::initializer_list<std::string_view> words) {
    add(std::span(words.begin(), words.size()));
  }
  void add(std::span<const std::string_view> words);
  // Sends what was added and reads as many replies. An error among them is a reply as others.
  Problem exchange(Replies& replies);
  // One command whose error is a problem.
  Problem ask(std::initializer_list<std::string_view> words, proto::ReplyValue& reply);

 private:
  Problem log_in();
  Problem send_all();
  Problem read_reply(proto::ReplyValue& reply);
  Problem failed(std::string_view what) const;

  ServerAddress address_;
  int fd_ = -1;
  std::string out_;
  size_t awaited_ = 0;
  std::string in_;
  size_t in_used_ = 0;
  proto::ReplyParser parser_;
};

}  // namespace verify
