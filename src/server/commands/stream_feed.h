// What the commands on streams leave in the stream of changes (command/feed.h) where their own
// words would not do: ids that were chosen, trimming that stops at a block's border, and what
// consumers have been given.
#pragma once

#include <string_view>

#include "server/command/context.h"
#include "server/ds/stream.h"

namespace millrace {

// The XADD whose id stands at argument `id_at`, as it was chosen. `trimmed_to`: the stream's length
// where "~" left the choice to its blocks.
void feed_added(Context& c, size_t id_at, ds::StreamId id);
void feed_added_and_trimmed(Context& c, size_t fields_at, ds::StreamId id, uint64_t trimmed_to);
void feed_trimmed(Context& c, std::string_view key, uint64_t trimmed_to);

// One entry that is pending for a consumer now, or, if `pending` is null, no longer for anybody.
void feed_claim(Context& c, std::string_view consumer, const ds::ConsumerGroup& group,
                std::string_view group_name, std::string_view key, ds::StreamId id,
                const ds::Pending* pending);
// How far the group has read.
void feed_position(Context& c, std::string_view key, std::string_view group_name,
                   const ds::ConsumerGroup& group);

}  // namespace millrace
