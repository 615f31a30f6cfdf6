// MULTI ... EXEC of one client: the commands that wait, and whether they may still run.
//
// Part of the rare state of a session (SessionExtras). Which keys a client watches is in
// watched_keys.h.
#pragma once

#include <cstddef>
#include <vector>

#include "server/command/kept_request.h"

namespace millrace {

class Transaction {
 public:
  void queue(const Command& command, std::span<const std::string_view> args) {
    requests_.emplace_back(command, args);
    flags_ |= command.spec->flags;
    argument_bytes_ += requests_.back().argument_bytes();
  }
  // A request that could not be queued: EXEC will refuse.
  void spoil() { spoiled_ = true; }

  bool spoiled() const { return spoiled_; }
  const std::vector<KeptRequest>& requests() const { return requests_; }
  CommandFlags flags() const { return flags_; }  // of all of them together
  size_t argument_bytes() const { return argument_bytes_; }
  size_t memory_bytes() const {
    size_t bytes = sizeof(*this) + (requests_.capacity() - requests_.size()) * sizeof(KeptRequest);
    for (const KeptRequest& request : requests_) bytes += request.memory_bytes();
    return bytes;
  }

 private:
  std::vector<KeptRequest> requests_;
  CommandFlags flags_ = 0;
  size_t argument_bytes_ = 0;
  bool spoiled_ = false;
};

}  // namespace millrace
