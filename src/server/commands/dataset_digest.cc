#include "server/commands/dataset_digest.h"

#include <cstdio>
#include <string>

namespace millrace {
namespace {

std::string_view bytes_of(const Sha1Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

void merge(Sha1Digest& digest, std::string_view bytes) {
  const Sha1Digest added = sha1(bytes);
  for (size_t i = 0; i < digest.size(); ++i) digest[i] ^= added[i];
}

void append(Sha1Digest& digest, std::string_view bytes) {
  merge(digest, bytes);
  digest = sha1(bytes_of(digest));
}

// Numbers go in as four bytes, the highest first.
void append_number(Sha1Digest& digest, uint32_t number) {
  const uint8_t bytes[] = {uint8_t(number >> 24), uint8_t(number >> 16), uint8_t(number >> 8),
                           uint8_t(number)};
  append(digest, {reinterpret_cast<const char*>(bytes), sizeof bytes});
}

void add_list(Sha1Digest& digest, const ds::QuickList& list) {
  list.for_range(0, list.size(), [&](const ds::Element& element) {
    ds::Element::TextBuffer buffer;
    append(digest, element.text(buffer));
  });
}

void add_set(Sha1Digest& digest, const ds::StringSet& set) {
  set.for_each([&](std::string_view member) { merge(digest, member); });
}

void merge_pair(Sha1Digest& digest, std::string_view first, std::string_view second) {
  Sha1Digest pair{};
  append(pair, first);
  append(pair, second);
  merge(digest, bytes_of(pair));
}

void add_sorted_set(Sha1Digest& digest, const ds::SortedSet& set) {
  set.for_each([&](std::string_view member, double score) {
    char text[32];
    const int length = std::snprintf(text, sizeof text, "%.17g", score);
    merge_pair(digest, member, {text, size_t(length)});
  });
}

void add_hash(Sha1Digest& digest, const ds::FieldMap& hash) {
  hash.for_each(
      [&](std::string_view field, std::string_view value) { merge_pair(digest, field, value); });
}

void add_stream(Sha1Digest& digest, const ds::Stream& stream) {
  ds::StreamWalk walk(stream, {}, ds::StreamId::max(), ds::Direction::kForward);
  while (walk.next()) {
    const ds::StreamId id = walk.entry().id();
    append(digest, std::to_string(id.ms) + "." + std::to_string(id.sequence));
    walk.entry().for_each([&](const ds::Element& field, const ds::Element& value) {
      ds::Element::TextBuffer buffer;
      append(digest, field.text(buffer));
      append(digest, value.text(buffer));
    });
  }
}

void add_value(Sha1Digest& digest, const Entry& entry) {
  TextBuffer buffer;
  switch (entry.type()) {
    case Type::kString:
      return append(digest, entry.text(buffer));
    case Type::kList:
      return add_list(digest, entry.list());
    case Type::kSet:
      return add_set(digest, entry.set());
    case Type::kZSet:
      return add_sorted_set(digest, entry.sorted_set());
    case Type::kHash:
      return add_hash(digest, entry.hash());
    case Type::kStream:
      return add_stream(digest, entry.stream());
  }
}

// The numbers Redis knows types by; 5 is a module's.
static_assert(int(Type::kString) == 0 && int(Type::kList) == 1 && int(Type::kSet) == 2 &&
              int(Type::kZSet) == 3 && int(Type::kHash) == 4);
uint32_t redis_number(Type type) {
  return type == Type::kStream ? 6 : uint32_t(type);
}

void add_entry(Sha1Digest& digest, const Entry& entry) {
  append_number(digest, redis_number(entry.type()));
  add_value(digest, entry);
  if (entry.has_expiry()) merge(digest, "!!expire!!");
}

}  // namespace

Sha1Digest digest_of_value(const Entry& entry) {
  Sha1Digest digest{};
  add_entry(digest, entry);
  return digest;
}

Sha1Digest digest_of_dataset(const Databases& databases) {
  Sha1Digest total{};
  for (size_t i = 0; i < databases.count(); ++i) {
    if (databases[i].size() == 0) continue;
    append_number(total, uint32_t(i));
    databases[i].for_each([&](const Entry& entry) {
      Sha1Digest digest{};
      append(digest, entry.key());
      add_entry(digest, entry);
      merge(total, bytes_of(digest));
    });
  }
  return total;
}

}  // namespace millrace
