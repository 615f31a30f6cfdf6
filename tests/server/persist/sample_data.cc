#include "tests/server/persist/sample_data.h"

#include <algorithm>
#include <vector>

#include "ae/base/decimal.h"

namespace millrace::fakes {
namespace {

std::string name(const char* stem, int i) {
  return stem + std::to_string(i);
}

void fill_strings(Keyspace& db) {
  const std::string values[] = {"",
                                "plain",
                                "17",
                                "-9223372036854775808",
                                std::string(60, 'r'),
                                std::string(5000, 'z'),
                                std::string("\0\r\n\xff", 4)};
  int i = 0;
  for (const std::string& value : values) {
    db.set_string(Keyspace::key(name("string", i)), value,
                  i % 2 == 0 ? kNoExpiry : 4'000'000'000'000 + i);
    ++i;
  }
}

void fill_lists(Keyspace& db) {
  ds::QuickList small;
  ds::QuickList nodes;
  for (int i = 0; i < 5; ++i) small.push(ds::End::kBack, name("e", i), kLimits.list);
  for (int i = 0; i < 3000; ++i) nodes.push(ds::End::kFront, name("element:", i), kLimits.list);
  ds::QuickList large;
  large.push(ds::End::kBack, "before", kLimits.list);
  large.push(ds::End::kBack, std::string(100'000, 'L'), kLimits.list);
  large.push(ds::End::kBack, "behind", kLimits.list);
  db.add(Keyspace::key("list:small"), std::move(small));
  db.add(Keyspace::key("list:nodes"), std::move(nodes));
  db.add(Keyspace::key("list:large"), std::move(large));
}

void fill_sets(Keyspace& db) {
  ds::StringSet integers;
  ds::StringSet pack;
  ds::StringSet table;
  for (int i = 0; i < 300; ++i) integers.add(std::to_string(i * 1'000'000'007LL), kLimits.set);
  for (int i = 0; i < 50; ++i) pack.add(name("m", i), kLimits.set);
  for (int i = 0; i < 1000; ++i) table.add(name("member:", i), kLimits.set);
  db.add(Keyspace::key("set:intset"), std::move(integers));
  db.add(Keyspace::key("set:listpack"), std::move(pack));
  db.add(Keyspace::key("set:table"), std::move(table));
}

void fill_sorted_sets(Keyspace& db) {
  ds::SortedSet pack;
  ds::SortedSet table;
  const double scores[] = {-1e300, -1.5, 0, 3, 1.0 / 3, 1e17};
  for (int i = 0; i < 30; ++i) pack.add(name("m", i), scores[i % 6], {}, kLimits.sorted_set);
  for (int i = 0; i < 1000; ++i) table.add(name("m", i), scores[i % 6] + i, {}, kLimits.sorted_set);
  db.add(Keyspace::key("zset:listpack"), std::move(pack));
  db.add(Keyspace::key("zset:table"), std::move(table));
}

void fill_hashes(Keyspace& db) {
  ds::FieldMap pack;
  ds::FieldMap table;
  for (int i = 0; i < 30; ++i) pack.set(name("f", i), std::to_string(i * i), kLimits.hash);
  for (int i = 0; i < 1000; ++i)
    table.set(name("field:", i), std::string(i % 100, 'v'), kLimits.hash);
  db.add(Keyspace::key("hash:listpack"), std::move(pack));
  db.add(Keyspace::key("hash:table"), std::move(table));
}

void fill_streams(Keyspace& db) {
  ds::Stream stream;
  for (uint64_t i = 1; i <= 500; ++i) {
    const std::string value = std::to_string(i);
    const std::string_view same[] = {"temperature", value, "place", "attic"};
    const std::string_view other[] = {"else", value};
    stream.append({1000 + i / 3, i}, i % 7 == 0 ? ds::FieldValues(other) : ds::FieldValues(same),
                  {});
  }
  stream.erase({1000 + 50 / 3, 50});
  stream.set_max_deleted_id({1000 + 50 / 3, 50});
  ds::ConsumerGroup* group = stream.add_group("mail", {1100, 300}, 299);
  ds::Consumer& alice = group->add_consumer("alice", 12345);
  alice.active_ms = 12345;  // a file of version 10 has no other
  group->add_consumer("bob", 99).active_ms = 99;
  for (uint64_t i = 100; i < 140; ++i) {
    ds::Pending& pending = group->assign({1000 + i / 3, i}, alice);
    pending.delivered_ms = static_cast<int64_t>(7'000'000 + i);
    pending.deliveries = i;
  }
  stream.add_group("unread", {}, {});
  ds::Stream empty;
  empty.set_last_id({5, 5});
  db.add(Keyspace::key("stream:full"), std::move(stream));
  db.add(Keyspace::key("stream:empty"), std::move(empty));
}

// Members of a table in one order, whatever history it has.
std::string sorted_content(const Entry& entry) {
  std::vector<std::string> parts;
  if (entry.encoding() == Encoding::kHashTable && entry.type() == Type::kSet) {
    entry.set().for_each([&](std::string_view member) { parts.emplace_back(member); });
  } else if (entry.encoding() == Encoding::kHashTable) {
    entry.hash().for_each([&](std::string_view field, std::string_view value) {
      parts.push_back(std::string(field) + "=" + std::string(value));
    });
  } else {
    return make_dump(entry);
  }
  std::sort(parts.begin(), parts.end());
  std::string all;
  for (const std::string& part : parts) all += part + "\n";
  return all;
}

}  // namespace

void fill(Databases& databases) {
  fill_strings(databases[0]);
  fill_lists(databases[0]);
  fill_sets(databases[2]);
  fill_sorted_sets(databases[2]);
  fill_hashes(databases[2]);
  fill_streams(databases[databases.count() - 1]);
}

std::map<std::string, std::string> facts_of(const Databases& databases) {
  std::map<std::string, std::string> facts;
  for (size_t db = 0; db < databases.count(); ++db) {
    databases[db].check();
    databases[db].for_each([&](const Entry& entry) {
      facts[std::to_string(db) + " " + std::string(entry.key())] =
          std::string(encoding_name(entry.encoding())) + " " +
          std::to_string(entry.expire_at_ms()) + " " + sorted_content(entry);
    });
  }
  return facts;
}

}  // namespace millrace::fakes
