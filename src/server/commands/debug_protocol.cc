#include "server/commands/debug_protocol.h"

#include <string>

namespace millrace {
namespace {

using proto::ReplyWriter;
using proto::Resp;

constexpr int kElements = 3;

void array(ReplyWriter& reply) {
  reply.array(kElements);
  for (int i = 0; i < kElements; ++i) reply.integer(i);
}

void set(ReplyWriter& reply) {
  reply.set(kElements);
  for (int i = 0; i < kElements; ++i) reply.integer(i);
}

void map(ReplyWriter& reply) {
  reply.map(kElements);
  for (int i = 0; i < kElements; ++i) {
    reply.integer(i);
    reply.boolean(i == 1);
  }
}

void attribute(ReplyWriter& reply) {
  if (reply.resp() == Resp::k3) {
    reply.attribute(1);
    reply.bulk("key-popularity");
    reply.array(2);
    reply.bulk("key:123");
    reply.integer(90);
  }
  reply.bulk("Some real reply following the attribute");
}

void push(ReplyWriter& reply) {
  if (reply.resp() == Resp::k2) return reply.error("ERR RESP2 is not supported by this command");
  reply.push(2);
  reply.bulk("server-cpu-usage");
  reply.integer(42);
  reply.bulk("Some real reply following the push reply");
}

struct Sample {
  std::string_view type;
  void (*write)(ReplyWriter& reply);
};
constexpr Sample kSamples[] = {
    {"string", [](ReplyWriter& reply) { reply.bulk("Hello World"); }},
    {"integer", [](ReplyWriter& reply) { reply.integer(12345); }},
    {"double", [](ReplyWriter& reply) { reply.real(3.141); }},
    {"bignum",
     [](ReplyWriter& reply) { reply.big_number("1234567999999999999999999999999999999"); }},
    {"null", [](ReplyWriter& reply) { reply.null(); }},
    {"array", array},
    {"set", set},
    {"map", map},
    {"attrib", attribute},
    {"push", push},
    {"verbatim", [](ReplyWriter& reply) { reply.verbatim("txt", "This is a verbatim\nstring"); }},
    {"true", [](ReplyWriter& reply) { reply.boolean(true); }},
    {"false", [](ReplyWriter& reply) { reply.boolean(false); }},
};

std::string all_types() {
  std::string names;
  for (const Sample& sample : kSamples) {
    if (!names.empty()) names += '|';
    names += sample.type;
  }
  return names;
}

}  // namespace

void reply_protocol_sample(Context& c, std::string_view type) {
  for (const Sample& sample : kSamples)
    if (equals_ignoring_case(sample.type, type)) return sample.write(c.reply());
  c.fail("ERR Wrong protocol type name. Please use one of the following: " + all_types());
}

}  // namespace millrace
