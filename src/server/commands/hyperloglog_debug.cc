// PFDEBUG shows how a HyperLogLog is stored, PFSELFTEST tries the implementation out.
#include <string>

#include "ae/base/prng.h"
#include "server/commands/families.h"
#include "server/commands/hyperloglog_value.h"
#include "server/ds/hyperloglog_trial.h"

namespace millrace {
namespace {

using ds::HyperLogLog;
using ds::HyperLogLogView;

void reply_registers(Context& c, const HyperLogLogView& view) {
  c.reply().array(ds::kRegisters);
  for (size_t i = 0; i < ds::kRegisters; ++i)
    c.reply().integer(ds::dense_register(view.dense(), i));
}

// A value that is dense already stays as it is. False: answered an error.
bool make_dense(Context& c, Key key, Entry*& entry) {
  const bool whole =
      edit_hyperloglog(c, key, entry, [](HyperLogLog& value) { return value.make_dense(); });
  whole ? c.modified(key, kNoEvent, {}) : c.fail(kCorruptHyperLogLog);
  return whole;
}

// PFDEBUG <GETREG | DECODE | ENCODING | TODENSE> key
void pfdebug(Context& c) {
  const std::string_view word = c.arg(1);
  const Key key = c.key(2);
  Entry* entry = c.read(key);
  if (!entry) return c.fail("ERR The specified key does not exist");
  if (!is_hyperloglog(c, *entry)) return;
  TextBuffer buffer;
  const auto view = [&] { return HyperLogLogView(entry->text(buffer)); };
  const bool sparse = view().is_sparse();
  if (equals_ignoring_case(word, "GETREG")) {
    if (!sparse || make_dense(c, key, entry)) reply_registers(c, view());
  } else if (equals_ignoring_case(word, "DECODE")) {
    sparse ? c.reply().bulk(view().sparse().describe()) : c.fail("ERR HLL encoding is not sparse");
  } else if (equals_ignoring_case(word, "ENCODING")) {
    c.reply().status(sparse ? "sparse" : "dense");
  } else if (equals_ignoring_case(word, "TODENSE")) {
    if (!sparse || make_dense(c, key, entry)) c.reply().integer(sparse);
  } else {
    c.fail("ERR Unknown PFDEBUG subcommand '" + std::string(word) + "'");
  }
}

// PFSELFTEST
void pfselftest(Context& c) {
  const std::string failure = ds::try_hyperloglog(c.services().prng.next());
  failure.empty() ? c.reply().ok() : c.fail("TESTFAILED " + failure);
}

constexpr CommandSpec kTable[] = {
    {.name = "pfdebug",
     .handler = pfdebug,
     .arity = 3,
     .flags = kWrite | kDenyOom | kAdmin,
     .keys = key_at(2),
     .since = "2.8.9",
     .group = Group::kHyperLogLog,
     .summary = "Shows how a HyperLogLog is stored, or makes it dense.",
     .complexity = "O(N) for N registers",
     .syntax = "<GETREG | DECODE | ENCODING | TODENSE> key"},
    {.name = "pfselftest",
     .handler = pfselftest,
     .arity = 1,
     .flags = kAdmin,
     .since = "2.8.9",
     .group = Group::kHyperLogLog,
     .summary = "Tries the implementation of HyperLogLog out.",
     .complexity = "O(1), some milliseconds",
     .syntax = ""},
};
static_assert(sane(kTable));

}  // namespace

std::span<const CommandSpec> hyperloglog_debug_commands() {
  return kTable;
}

}  // namespace millrace
