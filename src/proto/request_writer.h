// Requests, the sending side: what we say to an upstream, to a replica, to a server under test.
//
//   socket.write(proto::encode_request({"SET", "k", "v"}));   // "*3\r\n$3\r\nSET\r\n…"
//
// Always a multibulk, so arguments may hold any byte. The command log is written in this form too.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "proto/byte_sink.h"

namespace proto {

// Appends one request to `sink`.
void write_request(ByteSink& sink, std::span<const std::string_view> args);

// One request as a string of its own.
std::string encode_request(std::span<const std::string_view> args);
std::string encode_request(std::initializer_list<std::string_view> args);

}  // namespace proto
