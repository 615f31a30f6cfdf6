#include "server/persist/stream_commands.h"

#include <string>

namespace millrace {
namespace {

std::string text_of(ds::StreamId id) {
  ds::StreamId::TextBuffer buffer;
  return std::string(id.text(buffer));
}

void add_entries(CommandText& text, std::string_view key, const ds::Stream& stream) {
  ds::StreamWalk walk(stream, {}, ds::StreamId::max(), ds::Direction::kForward);
  while (walk.next()) {
    text.begin(3 + 2 * walk.entry().field_count());
    text.argument("XADD");
    text.argument(key);
    text.argument(text_of(walk.entry().id()));
    walk.entry().for_each([&](const ds::Element& field, const ds::Element& value) {
      ds::Element::TextBuffer buffer;
      text.argument(field.text(buffer));
      text.argument(value.text(buffer));
    });
  }
}

// A stream without entries: one is added and trimmed away at once. 0-0 is no entry's id.
void add_empty(CommandText& text, std::string_view key, const ds::Stream& stream) {
  ds::StreamId id = stream.last_id();
  if (id.is_zero()) id.sequence = 1;
  text.add({"XADD", key, "MAXLEN", "0", text_of(id), "x", "y"});
}

void add_pending(CommandText& text, std::string_view key, std::string_view group,
                 const ds::Consumer& consumer) {
  for (auto at = consumer.pending.first(); at; ++at) {
    const ds::Pending& pending = *at.value();
    text.add({"XCLAIM", key, group, consumer.name, "0", text_of(at.id()), "TIME",
              std::to_string(pending.delivered_ms), "RETRYCOUNT",
              std::to_string(pending.deliveries), "JUSTID", "FORCE"});
  }
}

void add_group(CommandText& text, std::string_view key, std::string_view name,
               const ds::ConsumerGroup& group) {
  const std::string read = group.entries_read ? std::to_string(*group.entries_read) : "-1";
  text.add({"XGROUP", "CREATE", key, name, text_of(group.last_id), "ENTRIESREAD", read});
  for (const auto& [consumer_name, consumer] : group.consumers()) {
    text.add({"XGROUP", "CREATECONSUMER", key, name, consumer_name});
    add_pending(text, key, name, consumer);
  }
}

}  // namespace

void add_stream(CommandText& text, std::string_view key, const ds::Stream& stream) {
  stream.size() == 0 ? add_empty(text, key, stream) : add_entries(text, key, stream);
  text.add({"XSETID", key, text_of(stream.last_id()), "ENTRIESADDED",
            std::to_string(stream.entries_added()), "MAXDELETEDID",
            text_of(stream.max_deleted_id())});
  for (const auto& [name, group] : stream.groups()) add_group(text, key, name, group);
}

}  // namespace millrace
