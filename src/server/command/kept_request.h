// A request that outlives its batch: queued behind MULTI, or waiting for a key. The arguments of a
// batch are views into the bytes that were read; here they have bytes of their own, one allocation
// for all of them, since a client in MULTI is charged for each.
//
//   block:  | view | view | view | bytes of the arguments ...
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "server/command/table.h"

namespace millrace {

class KeptRequest {
 public:
  KeptRequest(const Command& command, std::span<const std::string_view> args);

  const Command& command() const { return *command_; }
  std::span<const std::string_view> args() const {
    return {reinterpret_cast<const std::string_view*>(block_.get()), count_};
  }
  // Of the arguments, as Redis counts them for a client's query buffer.
  size_t argument_bytes() const { return argument_bytes_; }
  size_t memory_bytes() const {
    return sizeof(*this) + count_ * sizeof(std::string_view) + argument_bytes_;
  }

 private:
  const Command* command_;
  size_t count_;
  size_t argument_bytes_;
  std::unique_ptr<std::byte[]> block_;
};

}  // namespace millrace
