// The stream that a master sends once its replica is in step: commands, applied as they come and
// counted byte by byte. The count is what a cut link is resumed by, so it only moves at places
// where nothing is half done: behind a command, or behind the EXEC of a transaction.
//
//   MasterStream stream(target);
//   auto step = stream.feed(bytes);        // step.consumed; present the rest again with more
//
// Bytes are handed on as they came (applied()), for the backlog and for replicas of our own.
//
// Thread: the one that runs commands.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ae/base/bytes.h"
#include "proto/request_parser.h"

namespace millrace {

class MasterStream {
 public:
  // Who applies it.
  class Target {
   public:
    // A sentence if the command could not be run: the copies differ from here on.
    virtual std::optional<std::string> run(std::span<const std::string_view> args) = 0;
    // Between a MULTI and its EXEC.
    virtual bool in_transaction() const = 0;
    // These bytes of the stream are done with.
    virtual void applied(std::string_view bytes) = 0;
    // The master wants to know how far we are.
    virtual void asked_for_ack() = 0;

   protected:
    ~Target() = default;
  };

  struct Step {
    size_t consumed = 0;
    size_t wanted = 1;         // further bytes without which nothing can come of the rest
    std::string problem = {};  // the stream cannot be read, or not be applied
  };

  // A transaction is kept until its EXEC, and no longer than a request may be.
  MasterStream(Target& target, size_t max_transaction_bytes)
      : target_(target), max_transaction_bytes_(max_transaction_bytes) {}

  Step feed(ae::MutableBytes bytes);

 private:
  std::optional<std::string> apply(std::string_view raw);
  std::optional<std::string> run();

  Target& target_;
  size_t max_transaction_bytes_;
  proto::PartialRequest partial_;
  proto::ArgVector args_;
  std::string transaction_;  // bytes since the MULTI
};

}  // namespace millrace
