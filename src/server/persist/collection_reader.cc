// Lists, sets, sorted sets and hashes out of an RDB file.
#include <cmath>
#include <utility>

#include "ae/base/decimal.h"
#include "server/ds/int_set.h"
#include "server/persist/old_encodings.h"
#include "server/persist/packed_value.h"
#include "server/persist/rdb_format.h"
#include "server/persist/value_reader.h"

namespace millrace {
namespace {

namespace type = rdb::type;
using ds::Element;
using ds::Listpack;

void read_list_nodes(RdbReader& reader, uint8_t code, ds::QuickList& list) {
  const bool has_kinds = code == type::kListQuicklist2;
  const uint64_t nodes = reader.length("the number of nodes of a list");
  for (uint64_t i = 0; i < nodes && !reader.failed(); ++i) {
    const uint64_t kind = has_kinds ? reader.length("the kind of a list's node") : rdb::kNodePacked;
    if (kind == rdb::kNodePlain) {
      const std::string_view element = reader.text("a large element of a list");
      if (reader.failed()) return;
      if (element.empty()) return reader.fail("a large element of a list", "an empty one");
      list.append_plain(element);
      continue;
    }
    if (kind != rdb::kNodePacked) return reader.fail("the kind of a list's node", "another number");
    std::optional<Listpack> pack =
        has_kinds ? read_pack(reader, Listpack::from_bytes, "a list's listpack")
                  : read_pack(reader, listpack_from_ziplist, "a list's ziplist");
    // Redis could write empty nodes; they are nothing.
    if (pack && !pack->empty()) list.append_node(std::move(*pack));
  }
}

// --- sets

constexpr const char* kDuplicate = "the same one twice";

void add_member(RdbReader& reader, ds::StringSet& set, std::string_view member,
                const ds::StringSetLimits& limits) {
  if (reader.failed()) return;
  if (!set.add(member, limits)) reader.fail("distinct members of a set", kDuplicate);
}

void read_members(RdbReader& reader, ds::StringSet& set, const ds::StringSetLimits& limits) {
  const uint64_t count = reader.length("the number of members of a set");
  set.expect(count, limits);
  for (uint64_t i = 0; i < count && !reader.failed(); ++i) {
    add_member(reader, set, reader.text("a member of a set"), limits);
  }
}

ds::StringSet read_integers(RdbReader& reader, const ds::StringSetLimits& limits) {
  const std::string_view bytes = reader.text("an intset");
  if (reader.failed()) return {};
  std::optional<ds::IntSet> integers = ds::IntSet::from_bytes(bytes);
  if (!integers) {
    reader.fail("an intset", "bytes that are none");
    return {};
  }
  ds::StringSet set = ds::StringSet::from_integers(std::move(*integers));
  set.expect(set.size(), limits);
  return set;
}

ds::StringSet set_from_pack(RdbReader& reader, const ds::StringSetLimits& limits) {
  std::optional<Listpack> pack = read_pack(reader, Listpack::from_bytes, "a set's listpack");
  if (!pack) return {};
  if (pack->size() <= limits.max_listpack_entries && has_distinct(*pack, 1)) {
    return ds::StringSet::from_pack(std::move(*pack));
  }
  ds::StringSet set;
  set.expect(pack->size(), limits);
  pack->for_each([&](const Element& member) {
    Element::TextBuffer buffer;
    add_member(reader, set, member.text(buffer), limits);
  });
  return set;
}

// --- sorted sets

void add_scored(RdbReader& reader, ds::SortedSet& set, std::string_view member, double score,
                const ds::ListpackLimits& limits) {
  if (reader.failed()) return;
  switch (set.add(member, score, {}, limits).result) {
    case ds::SortedSet::AddResult::kAdded:
      return;
    case ds::SortedSet::AddResult::kNotANumber:
      return reader.fail("the score of a member", "a NaN");
    default:
      return reader.fail("distinct members of a sorted set", kDuplicate);
  }
}

void read_scored(RdbReader& reader, uint8_t code, ds::SortedSet& set,
                 const ds::ListpackLimits& limits) {
  const uint64_t count = reader.length("the number of members of a sorted set");
  set.expect(count, limits);
  std::string member;
  for (uint64_t i = 0; i < count && !reader.failed(); ++i) {
    member = reader.text("a member of a sorted set");
    const double score = code == type::kZSet2 ? reader.float64("the score of a member")
                                              : reader.score_text("the score of a member");
    add_scored(reader, set, member, score, limits);
  }
}

std::optional<double> score_of(const Element& element) {
  if (element.is_integer()) return static_cast<double>(element.integer());
  const std::optional<double> score = ae::parse_double(element.string());
  return score && !std::isnan(*score) ? score : std::nullopt;
}

// Calls visit(member, score) in order; false: there was no number for a score, or visit said so.
template <typename Visit>
bool for_each_scored(const Listpack& pack, Visit&& visit) {
  for (ds::Cursor at = pack.first(); at;) {
    const ds::Cursor score_at = pack.next(at);
    const std::optional<double> score = score_of(pack.get(score_at));
    Element::TextBuffer buffer;
    if (!score || !visit(pack.get(at).text(buffer), *score)) return false;
    at = pack.next(score_at);
  }
  return true;
}

bool ascends(const Listpack& pack) {
  std::string last_member;
  std::optional<double> last_score;
  return for_each_scored(pack, [&](std::string_view member, double score) {
    const bool is_next =
        !last_score || *last_score < score || (*last_score == score && last_member < member);
    last_member = member;
    last_score = score;
    return is_next;
  });
}

ds::SortedSet sorted_set_from_pack(RdbReader& reader, std::optional<Listpack> pack,
                                   const ds::ListpackLimits& limits) {
  if (!pack) return {};
  if (pack->size() % 2 != 0) {
    reader.fail("members and scores", "an odd number of elements");
    return {};
  }
  if (pack->size() / 2 <= limits.max_entries && ascends(*pack) && has_distinct(*pack, 2)) {
    return ds::SortedSet::from_pack(std::move(*pack));
  }
  ds::SortedSet set;
  set.expect(pack->size() / 2, limits);
  const bool are_scores = for_each_scored(*pack, [&](std::string_view member, double score) {
    add_scored(reader, set, member, score, limits);
    return !reader.failed();
  });
  if (!are_scores) reader.fail("the score of a member", "a text that is no number");
  return set;
}

// --- hashes

void add_field(RdbReader& reader, ds::FieldMap& hash, std::string_view field,
               std::string_view value, const ds::ListpackLimits& limits) {
  if (reader.failed()) return;
  if (hash.set(field, value, limits) == ds::FieldMap::SetResult::kUpdated) {
    reader.fail("distinct fields of a hash", kDuplicate);
  }
}

void read_fields(RdbReader& reader, ds::FieldMap& hash, const ds::ListpackLimits& limits) {
  const uint64_t count = reader.length("the number of fields of a hash");
  hash.expect(count, limits);
  std::string field;
  for (uint64_t i = 0; i < count && !reader.failed(); ++i) {
    field = reader.text("a field of a hash");
    add_field(reader, hash, field, reader.text("the value of a field"), limits);
  }
}

ds::FieldMap hash_from_pack(RdbReader& reader, std::optional<Listpack> pack,
                            const ds::ListpackLimits& limits) {
  if (!pack) return {};
  if (pack->size() % 2 != 0) {
    reader.fail("fields and values", "an odd number of elements");
    return {};
  }
  if (pack->size() / 2 <= limits.max_entries && has_distinct(*pack, 2)) {
    return ds::FieldMap::from_pack(std::move(*pack));
  }
  ds::FieldMap hash;
  hash.expect(pack->size() / 2, limits);
  for (ds::Cursor field = pack->first(); field && !reader.failed();) {
    const ds::Cursor value = pack->next(field);
    Element::TextBuffer field_text;
    Element::TextBuffer value_text;
    add_field(reader, hash, pack->get(field).text(field_text), pack->get(value).text(value_text),
              limits);
    field = pack->next(value);
  }
  return hash;
}

}  // namespace

ds::QuickList read_list(RdbReader& reader, uint8_t code, const ds::ListLimit& limit) {
  ds::QuickList list;
  if (code == type::kList) {
    const uint64_t count = reader.length("the number of elements of a list");
    for (uint64_t i = 0; i < count && !reader.failed(); ++i) {
      const std::string_view element = reader.text("an element of a list");
      if (!reader.failed()) list.push(ds::End::kBack, element, limit);
    }
  } else if (code == type::kListZiplist) {
    std::optional<Listpack> pack = read_pack(reader, listpack_from_ziplist, "a list's ziplist");
    if (pack && !pack->empty()) list.append_node(std::move(*pack));
  } else {
    read_list_nodes(reader, code, list);
  }
  list.settle_after_load(limit);
  return list;
}

ds::StringSet read_set(RdbReader& reader, uint8_t code, const ds::StringSetLimits& limits) {
  if (code == type::kSetIntset) return read_integers(reader, limits);
  if (code == type::kSetListpack) return set_from_pack(reader, limits);
  ds::StringSet set;
  read_members(reader, set, limits);
  return set;
}

ds::SortedSet read_sorted_set(RdbReader& reader, uint8_t code, const ds::ListpackLimits& limits) {
  if (code == type::kZSetListpack || code == type::kZSetZiplist) {
    const bool is_old = code == type::kZSetZiplist;
    return sorted_set_from_pack(reader,
                                is_old ? read_pack(reader, listpack_from_ziplist, "a ziplist")
                                       : read_pack(reader, Listpack::from_bytes, "a listpack"),
                                limits);
  }
  ds::SortedSet set;
  read_scored(reader, code, set, limits);
  return set;
}

ds::FieldMap read_hash(RdbReader& reader, uint8_t code, const ds::ListpackLimits& limits) {
  switch (code) {
    case type::kHashListpack:
      return hash_from_pack(reader, read_pack(reader, Listpack::from_bytes, "a listpack"), limits);
    case type::kHashZiplist:
      return hash_from_pack(reader, read_pack(reader, listpack_from_ziplist, "a ziplist"), limits);
    case type::kHashZipmap:
      return hash_from_pack(reader, read_pack(reader, listpack_from_zipmap, "a zipmap"), limits);
    default:
      break;
  }
  ds::FieldMap hash;
  read_fields(reader, hash, limits);
  return hash;
}

}  // namespace millrace
