#include "server/acl/channel_positions.h"

#include <algorithm>

namespace millrace::acl {
namespace {

struct Row {
  std::string_view command;
  ChannelUse kind;
  bool to_the_end;  // else one
};
// All have their first channel behind the command's name.
constexpr Row kRows[] = {{"publish", ChannelUse::kChannel, false},
                         {"subscribe", ChannelUse::kChannel, true},
                         {"spublish", ChannelUse::kChannel, false},
                         {"ssubscribe", ChannelUse::kChannel, true},
                         {"psubscribe", ChannelUse::kPattern, true}};

}  // namespace

ChannelArguments channels_of(const Command& command, std::span<const std::string_view> args) {
  if (!command.spec->has(kPubSub) || args.size() < 2) return {};
  const Row* row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& known) {
    return known.command == command.full_name;
  });
  if (row == std::end(kRows)) return {};
  return {row->kind, args.subspan(1, row->to_the_end ? args.size() - 1 : 1)};
}

}  // namespace millrace::acl
