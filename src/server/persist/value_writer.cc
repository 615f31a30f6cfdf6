#include "server/persist/value_writer.h"

#include "server/persist/rdb_format.h"

namespace millrace {
namespace {

namespace type = rdb::type;
using ds::StreamId;

void write_list(RdbWriter& out, const ds::QuickList& list) {
  out.length(list.node_count());
  list.for_each_node([&](const ds::ListNode& node) {
    out.length(node.plain != 0 ? rdb::kNodePlain : rdb::kNodePacked);
    out.text(node.raw());
  });
}

void write_set(RdbWriter& out, const ds::StringSet& set) {
  if (set.encoding() == ds::StringSet::Encoding::kIntSet) return out.text(*set.raw());
  out.length(set.size());
  set.for_each([&](std::string_view member) { out.text(member); });
}

// The highest first: who loads into a skip list finds every place at its head.
void write_sorted_set(RdbWriter& out, const ds::SortedSet& set) {
  if (const auto raw = set.raw()) return out.text(*raw);
  out.length(set.size());
  set.for_range({0, set.size()}, ds::Direction::kBackward,
                [&](std::string_view member, double score) {
                  out.text(member);
                  out.float64(score);
                });
}

void write_hash(RdbWriter& out, const ds::FieldMap& hash) {
  if (const auto raw = hash.raw()) return out.text(*raw);
  out.length(hash.size());
  hash.for_each([&](std::string_view field, std::string_view value) {
    out.text(field);
    out.text(value);
  });
}

// --- streams

// Big endian, so that the bytes sort as the ids do.
struct RawId {
  explicit RawId(StreamId id) {
    for (int i = 0; i < 8; ++i) {
      bytes[i] = static_cast<char>(id.ms >> (56 - 8 * i));
      bytes[8 + i] = static_cast<char>(id.sequence >> (56 - 8 * i));
    }
  }
  operator std::string_view() const { return {bytes, sizeof bytes}; }  // NOLINT: it is one
  char bytes[16];
};

void write_id(RdbWriter& out, StreamId id) {
  out.length(id.ms);
  out.length(id.sequence);
}

void write_consumer(RdbWriter& out, const std::string& name, const ds::Consumer& consumer) {
  out.text(name);
  out.fixed64(static_cast<uint64_t>(consumer.seen_ms));
  out.length(consumer.pending.size());
  for (auto at = consumer.pending.first(); at; ++at) out.bytes(RawId(at.id()));
}

void write_group(RdbWriter& out, const std::string& name, const ds::ConsumerGroup& group) {
  out.text(name);
  write_id(out, group.last_id);
  out.length(group.entries_read.value_or(UINT64_MAX));
  out.length(group.pending().size());
  for (auto at = group.pending().first(); at; ++at) {
    out.bytes(RawId(at.id()));
    out.fixed64(static_cast<uint64_t>(at.value()->delivered_ms));
    out.length(at.value()->deliveries);
  }
  out.length(group.consumers().size());
  for (const auto& [consumer_name, consumer] : group.consumers()) {
    write_consumer(out, consumer_name, consumer);
  }
}

void write_stream(RdbWriter& out, const ds::Stream& stream) {
  out.length(stream.block_count());
  stream.for_each_block([&](StreamId master, std::string_view bytes) {
    out.text(RawId(master));
    out.text(bytes);
  });
  out.length(stream.size());
  write_id(out, stream.last_id());
  write_id(out, stream.first_id());
  write_id(out, stream.max_deleted_id());
  out.length(stream.entries_added());
  out.length(stream.groups().size());
  for (const auto& [name, group] : stream.groups()) write_group(out, name, group);
}

}  // namespace

uint8_t value_type(const Entry& entry) {
  switch (entry.type()) {
    case Type::kString:
      return type::kString;
    case Type::kList:
      return type::kListQuicklist2;
    case Type::kSet:
      return entry.encoding() == Encoding::kIntSet ? type::kSetIntset : type::kSet;
    case Type::kZSet:
      return entry.sorted_set().raw() ? type::kZSetListpack : type::kZSet2;
    case Type::kHash:
      return entry.hash().raw() ? type::kHashListpack : type::kHash;
    case Type::kStream:
      break;
  }
  return type::kStreamListpacks2;
}

void write_value(RdbWriter& out, const Entry& entry) {
  switch (entry.type()) {
    case Type::kString: {
      if (entry.is_integer()) return out.integer(entry.integer());
      TextBuffer buffer;
      return out.text(entry.text(buffer));
    }
    case Type::kList:
      return write_list(out, entry.list());
    case Type::kSet:
      return write_set(out, entry.set());
    case Type::kZSet:
      return write_sorted_set(out, entry.sorted_set());
    case Type::kHash:
      return write_hash(out, entry.hash());
    case Type::kStream:
      return write_stream(out, entry.stream());
  }
}

}  // namespace millrace
