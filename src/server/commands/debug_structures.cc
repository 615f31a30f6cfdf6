#include "server/commands/debug_structures.h"

#include <fmt/format.h>

#include "server/command/arg_reader.h"
#include "server/config/memory_size.h"

namespace millrace {

void debug_htstats(Context& c) {
  ArgReader args(c, 2);
  const int64_t index = args.integer();
  if (!args.finish()) return;
  if (index < 0 || size_t(index) >= c.services().databases.count())
    return c.fail("ERR Out of range database");
  const Keyspace& keyspace = c.services().databases[size_t(index)];
  c.reply().verbatim("txt", fmt::format("[Dictionary HT]\n"
                                        " buckets: {}\n"
                                        " table bytes: {}\n"
                                        " number of elements: {}\n"
                                        " of these with an expiry: {}\n",
                                        keyspace.bucket_count(), keyspace.table_bytes(),
                                        keyspace.size(), keyspace.expiring()));
}

void debug_htstats_key(Context& c) {
  const Entry* entry = c.peek(c.key(2));
  if (!entry) return c.fail(errors::kNoSuchKey);
  const Encoding encoding = entry->encoding();
  if (encoding != Encoding::kHashTable && encoding != Encoding::kSkipList)
    return c.fail(
        "ERR The value stored at the specified key is not represented using an hash table");
  c.reply().verbatim("txt", fmt::format("Hash table 0 stats (main hash table):\n"
                                        " number of elements: {}\n"
                                        " bytes with its elements: {}\n",
                                        entry->collection_size(), entry->memory_bytes()));
}

void debug_quicklist_packed_threshold(Context& c) {
  // What a listpack's four bytes of length could not count leaves no choice.
  constexpr int64_t kMost = (int64_t{1} << 32) - (int64_t{1} << 20);
  const auto size = parse_memory_size(c.arg(2));
  if (!size || *size > kMost)
    return c.fail("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  c.services().list_plain_from = *size == 0 ? SIZE_MAX : size_t(*size);
  c.reply().ok();
}

}  // namespace millrace
