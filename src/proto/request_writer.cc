#include "proto/request_writer.h"

#include "proto/reply_writer.h"

namespace proto {

// A request is an array of bulks, which a reply can be too.
void write_request(ByteSink& sink, std::span<const std::string_view> args) {
  ReplyWriter writer(sink, Resp::k2);
  writer.array(args.size());
  for (std::string_view arg : args) writer.bulk(arg);
}

std::string encode_request(std::span<const std::string_view> args) {
  StringSink sink;
  write_request(sink, args);
  return sink.take();
}

std::string encode_request(std::initializer_list<std::string_view> args) {
  return encode_request(std::span(args.begin(), args.size()));
}

}  // namespace proto
