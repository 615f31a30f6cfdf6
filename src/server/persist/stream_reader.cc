// Streams out of an RDB file.
#include <algorithm>
#include <utility>
#include <vector>

#include "server/persist/rdb_format.h"
#include "server/persist/value_reader.h"

namespace millrace {
namespace {

namespace type = rdb::type;
using ds::StreamId;

constexpr size_t kIdBytes = 16;

StreamId id_of(std::string_view raw) {
  uint64_t parts[2] = {0, 0};
  for (size_t i = 0; i < kIdBytes; ++i) {
    parts[i / 8] = parts[i / 8] << 8 | static_cast<unsigned char>(raw[i]);
  }
  return {parts[0], parts[1]};
}

// 16 bytes, big endian, so that they sort as the ids do.
StreamId read_raw_id(RdbReader& reader, const char* what) {
  const std::string_view raw = reader.bytes(kIdBytes, what);
  return raw.size() == kIdBytes ? id_of(raw) : StreamId();
}

StreamId read_id(RdbReader& reader, const char* what) {
  const uint64_t ms = reader.length(what);
  return {ms, reader.length(what)};
}

void read_blocks(RdbReader& reader, ds::Stream& stream) {
  const uint64_t blocks = reader.length("the number of blocks of a stream");
  for (uint64_t i = 0; i < blocks && !reader.failed(); ++i) {
    const std::string_view key = reader.text("the first id of a stream's block");
    if (!reader.failed() && key.size() != kIdBytes) {
      return reader.fail("the first id of a stream's block", "another number of bytes than 16");
    }
    const StreamId master = reader.failed() ? StreamId() : id_of(key);
    const std::string_view bytes = reader.text("a stream's block");
    if (reader.failed()) return;
    if (!stream.load_block(master, bytes)) {
      return reader.fail("a stream's block with ids behind the one before", "bytes that are none");
    }
  }
}

void read_counts(RdbReader& reader, uint8_t code, ds::Stream& stream) {
  const uint64_t size = reader.length("the number of entries of a stream");
  const StreamId last = read_id(reader, "the last id of a stream");
  if (!reader.failed() && size != stream.size()) {
    return reader.fail("as many entries of a stream as there are", "another number");
  }
  if (last < stream.newest_id()) return reader.fail("the last id of a stream", "one before it");
  stream.set_last_id(last);
  stream.set_entries_added(size);
  if (code == type::kStreamListpacks) return;
  (void)read_id(reader, "the first id of a stream");  // it follows from the entries
  stream.set_max_deleted_id(read_id(reader, "the highest deleted id of a stream"));
  stream.set_entries_added(reader.length("how many entries a stream ever had"));
}

// What a group waits for, before it is known whom each is waiting for.
struct Waiting {
  StreamId id;
  int64_t delivered_ms;
  uint64_t deliveries;
};

std::vector<Waiting> read_pending(RdbReader& reader) {
  const uint64_t count = reader.length("the number of a group's pending entries");
  std::vector<Waiting> pending;
  for (uint64_t i = 0; i < count && !reader.failed(); ++i) {
    const StreamId id = read_raw_id(reader, "the id of a pending entry");
    const auto delivered_ms = static_cast<int64_t>(reader.fixed64("when an entry was delivered"));
    pending.push_back({id, delivered_ms, reader.length("how often an entry was delivered")});
    if (i != 0 && !reader.failed() && pending[i - 1].id >= id) {
      reader.fail("the ids of pending entries in order", "one before the last");
    }
  }
  return pending;
}

void read_owned(RdbReader& reader, ds::ConsumerGroup& group, ds::Consumer& consumer,
                const std::vector<Waiting>& pending) {
  const uint64_t count = reader.length("the number of a consumer's pending entries");
  for (uint64_t i = 0; i < count && !reader.failed(); ++i) {
    const StreamId id = read_raw_id(reader, "the id of a consumer's pending entry");
    if (reader.failed()) return;
    const auto found = std::lower_bound(pending.begin(), pending.end(), id,
                                        [](const Waiting& a, StreamId b) { return a.id < b; });
    if (found == pending.end() || found->id != id || group.find_pending(id) != nullptr) {
      return reader.fail("an entry that is pending in the group and nobody else's", "another id");
    }
    ds::Pending& assigned = group.assign(id, consumer);
    assigned.delivered_ms = found->delivered_ms;
    assigned.deliveries = found->deliveries;
  }
}

void read_consumers(RdbReader& reader, uint8_t code, ds::ConsumerGroup& group,
                    const std::vector<Waiting>& pending) {
  const uint64_t count = reader.length("the number of a group's consumers");
  for (uint64_t i = 0; i < count && !reader.failed(); ++i) {
    const std::string name(reader.text("the name of a consumer"));
    const auto seen_ms = static_cast<int64_t>(reader.fixed64("when a consumer was seen"));
    // Before 7.2 nobody kept when it last got something; when it was seen is the best guess.
    const int64_t active_ms =
        code == type::kStreamListpacks3
            ? static_cast<int64_t>(reader.fixed64("when a consumer was active"))
            : seen_ms;
    if (reader.failed()) return;
    if (group.find_consumer(name) != nullptr) {
      return reader.fail("distinct consumers of a group", "the same one twice");
    }
    ds::Consumer& consumer = group.add_consumer(name, seen_ms);
    if (active_ms >= 0) consumer.active_ms = active_ms;
    read_owned(reader, group, consumer, pending);
  }
  if (!reader.failed() && group.pending().size() != pending.size()) {
    reader.fail("a consumer for every pending entry", "entries without");
  }
}

void read_group(RdbReader& reader, uint8_t code, ds::Stream& stream) {
  const std::string name(reader.text("the name of a group"));
  const StreamId last = read_id(reader, "the last id of a group");
  std::optional<uint64_t> entries_read;
  if (code != type::kStreamListpacks) {
    const uint64_t read = reader.length("how many entries a group has read");
    if (read != UINT64_MAX) entries_read = read;  // -1: unknown
  } else if (!reader.failed()) {
    entries_read = stream.entries_up_to(last);  // nobody counted before 7.0
  }
  if (reader.failed()) return;
  ds::ConsumerGroup* group = stream.add_group(name, last, entries_read);
  if (group == nullptr) return reader.fail("distinct groups of a stream", "the same one twice");
  const std::vector<Waiting> pending = read_pending(reader);
  read_consumers(reader, code, *group, pending);
}

}  // namespace

ds::Stream read_stream(RdbReader& reader, uint8_t code) {
  ds::Stream stream;
  read_blocks(reader, stream);
  read_counts(reader, code, stream);
  const uint64_t groups = reader.length("the number of a stream's groups");
  for (uint64_t i = 0; i < groups && !reader.failed(); ++i) read_group(reader, code, stream);
  return stream;
}

}  // namespace millrace
