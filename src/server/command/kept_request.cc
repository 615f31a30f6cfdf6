#include "server/command/kept_request.h"

#include <cstring>
#include <new>
#include <numeric>

namespace millrace {

KeptRequest::KeptRequest(const Command& command, std::span<const std::string_view> args)
    : command_(&command),
      count_(args.size()),
      argument_bytes_(
          std::accumulate(args.begin(), args.end(), size_t{0},
                          [](size_t sum, std::string_view arg) { return sum + arg.size(); })),
      block_(new std::byte[count_ * sizeof(std::string_view) + argument_bytes_]) {
  char* bytes = reinterpret_cast<char*>(block_.get() + count_ * sizeof(std::string_view));
  for (size_t i = 0; i < count_; ++i) {
    if (!args[i].empty()) std::memcpy(bytes, args[i].data(), args[i].size());
    new (block_.get() + i * sizeof(std::string_view)) std::string_view(bytes, args[i].size());
    bytes += args[i].size();
  }
}

}  // namespace millrace
