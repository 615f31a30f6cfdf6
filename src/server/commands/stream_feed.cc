#include "server/commands/stream_feed.h"

#include <vector>

#include "server/command/number_text.h"

namespace millrace {

using ds::StreamId;

void feed_added(Context& c, size_t id_at, StreamId id) {
  if (!c.feeds()) return;
  std::vector<std::string_view> words(c.args().begin(), c.args().end());
  StreamId::TextBuffer text;
  words[id_at] = id.text(text);
  c.feed_instead(words);
}

void feed_added_and_trimmed(Context& c, size_t fields_at, StreamId id, uint64_t trimmed_to) {
  if (!c.feeds()) return;
  StreamId::TextBuffer text;
  std::vector<std::string_view> words = {"XADD", c.arg(1), id.text(text)};
  const auto fields = c.args().subspan(fields_at);
  words.insert(words.end(), fields.begin(), fields.end());
  c.feed_instead(words);
  feed_trimmed(c, c.arg(1), trimmed_to);
}

void feed_trimmed(Context& c, std::string_view key, uint64_t trimmed_to) {
  c.feed_instead({"XTRIM", key, "MAXLEN", "=", NumberText(trimmed_to)});
}

// XCLAIM says all of it: to whom, since when, how often. Of an entry that is gone it makes whoever
// replays it find the same.
void feed_claim(Context& c, std::string_view consumer, const ds::ConsumerGroup& group,
                std::string_view group_name, std::string_view key, StreamId id,
                const ds::Pending* pending) {
  if (!c.feeds()) return;
  StreamId::TextBuffer id_text;
  StreamId::TextBuffer last_text;
  const NumberText delivered(pending ? pending->delivered_ms : c.now_ms());
  const NumberText deliveries(pending ? uint64_t(pending->deliveries) : uint64_t(1));
  c.feed_instead({"XCLAIM", key, group_name, consumer, "0", id.text(id_text), "TIME", delivered,
                  "RETRYCOUNT", deliveries, "FORCE", "JUSTID", "LASTID",
                  group.last_id.text(last_text)});
}

void feed_position(Context& c, std::string_view key, std::string_view group_name,
                   const ds::ConsumerGroup& group) {
  if (!c.feeds()) return;
  StreamId::TextBuffer text;
  const NumberText read(group.entries_read ? int64_t(*group.entries_read) : int64_t(-1));
  c.feed_instead(
      {"XGROUP", "SETID", key, group_name, group.last_id.text(text), "ENTRIESREAD", read});
}

}  // namespace millrace
