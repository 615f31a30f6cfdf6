#include "server/persist/value_reader.h"

#include <fmt/format.h>

#include "server/persist/rdb_format.h"

namespace millrace {
namespace {

namespace type = rdb::type;

Detached read_string(RdbReader& reader, std::string_view key) {
  const RdbReader::Text value = reader.text_or_number("a string");
  if (reader.failed()) return {};
  const StringValue string =
      value.number ? StringValue::of(*value.number) : StringValue::of(value.text);
  return Detached(EntryStore::make_string(key, string, kNoExpiry));
}

template <class Collection>
Detached entry_of(RdbReader& reader, std::string_view key, Collection collection) {
  if (reader.failed() || collection.empty()) return {};
  return Detached(EntryStore::make_object(key, std::move(collection)));
}

// A stream without entries is a value all the same.
Detached stream_entry(RdbReader& reader, std::string_view key, ds::Stream stream) {
  if (reader.failed()) return {};
  return Detached(EntryStore::make_object(key, std::move(stream)));
}

Detached fail_on(RdbReader& reader, uint8_t code) {
  if (code == type::kModule2 || code == type::kModulePreRelease) {
    reader.fail("a value of a type this server has", "a value of a module");
  } else {
    reader.fail("the type of a value", fmt::format("code {}", code));
  }
  return {};
}

}  // namespace

bool is_value_type(uint8_t code) {
  return code <= type::kLast && code != 8;
}

Detached read_value(RdbReader& reader, uint8_t code, std::string_view key,
                    const ValueLimits& limits) {
  switch (code) {
    case type::kString:
      return read_string(reader, key);
    case type::kList:
    case type::kListZiplist:
    case type::kListQuicklist:
    case type::kListQuicklist2:
      return entry_of(reader, key, read_list(reader, code, limits.list));
    case type::kSet:
    case type::kSetIntset:
    case type::kSetListpack:
      return entry_of(reader, key, read_set(reader, code, limits.set));
    case type::kZSet:
    case type::kZSet2:
    case type::kZSetZiplist:
    case type::kZSetListpack:
      return entry_of(reader, key, read_sorted_set(reader, code, limits.sorted_set));
    case type::kHash:
    case type::kHashZipmap:
    case type::kHashZiplist:
    case type::kHashListpack:
      return entry_of(reader, key, read_hash(reader, code, limits.hash));
    case type::kStreamListpacks:
    case type::kStreamListpacks2:
    case type::kStreamListpacks3:
      return stream_entry(reader, key, read_stream(reader, code));
    default:
      return fail_on(reader, code);
  }
}

}  // namespace millrace
