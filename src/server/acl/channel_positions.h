// Which arguments of a request are channels that an access rule speaks about: those published to
// and those subscribed. Leaving a channel needs no right.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "server/command/table.h"

namespace millrace::acl {

enum class ChannelUse : uint8_t {
  kNone,     // the command names no channels
  kChannel,  // SUBSCRIBE, PUBLISH and their kin
  kPattern,  // PSUBSCRIBE
};

struct ChannelArguments {
  ChannelUse kind = ChannelUse::kNone;
  std::span<const std::string_view> channels;  // of the request
};

ChannelArguments channels_of(const Command& command, std::span<const std::string_view> args);

}  // namespace millrace::acl
