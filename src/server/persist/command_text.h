// Commands as RESP arrays, gathered into pieces that a file takes well.
//
//   CommandText text(sink);
//   text.add({"SET", "k", "v"});
//   return text.finish();
//
// An error of the sink is kept; what follows it is dropped.
//
// Thread: one owner.
#pragma once

#include <initializer_list>
#include <string_view>

#include "ae/base/result.h"
#include "proto/reply_writer.h"
#include "server/persist/byte_stream.h"

namespace millrace {

class CommandText {
 public:
  // Written to the sink when so much has come together.
  static constexpr size_t kPieceBytes = 64 * 1024;

  explicit CommandText(ByteSink& sink) : sink_(sink) {}

  void add(std::initializer_list<std::string_view> args);
  // The same, argument by argument: `count` of them must follow.
  void begin(size_t count);
  void argument(std::string_view arg) { writer_.bulk(arg); }

  const ae::Status& status() const { return status_; }
  ae::Status finish();

 private:
  void write_piece();

  ByteSink& sink_;
  proto::StringSink gathered_;
  // A request is an array of bulks, which a reply can be too.
  proto::ReplyWriter writer_{gathered_, proto::Resp::k2};
  ae::Status status_;
};

// A collection of `total` elements as commands of kElementsPerCommand elements at most. An element
// is one or more arguments, as many each time.
class CollectionCommands {
 public:
  CollectionCommands(CommandText& text, std::string_view command, std::string_view key,
                     size_t total)
      : text_(text), command_(command), key_(key), left_(total) {}

  void element(std::initializer_list<std::string_view> args);

 private:
  CommandText& text_;
  std::string_view command_, key_;
  size_t left_;               // elements
  size_t left_in_piece_ = 0;  // elements of the command that is being written
};

}  // namespace millrace
