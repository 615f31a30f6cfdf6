#include "server/commands/collection.h"

namespace millrace {

bool read_draw(Context& c, std::string_view word, Draw& draw) {
  if (c.arg_count() == 2) return true;
  ArgReader args(c, 2);
  const int64_t count = signed_number(args);
  draw.with_values = !word.empty() && args.take(word);
  if (!args.finish()) return false;
  // Redis' own bound where each draw gives two elements.
  const bool too_many_pairs = draw.with_values && (count < -INT64_MAX / 2 || count > INT64_MAX / 2);
  if (too_many_pairs || count < -Draw::kMostRepeated) {
    c.fail(errors::kOutOfRange);
    return false;
  }
  draw.single = false;
  draw.count = static_cast<uint64_t>(count < 0 ? -count : count);
  if (count < 0) draw.repetition = ds::Repetition::kRepeating;
  return true;
}

void discard(Context& c, Key key, Entry* entry) {
  if (c.config().lazyfree_lazy_server_del) {
    c.services().lazy_free.add(c.db().detach(key, entry));
  } else {
    c.db().erase(key, entry);
  }
}

Entry* read_scan(Context& c, Type type, ScanArgs& scan) {
  const auto cursor = read_cursor(c, c.arg(2));
  if (!cursor) return nullptr;
  Entry* entry = c.read(1, type);
  if (c.failed()) return nullptr;
  if (!entry) {
    ScanReply(c).send(0);
    return nullptr;
  }
  const auto options = read_scan_args(c, 3, ScanType::kNotTaken);
  if (!options) return nullptr;
  scan = *options;
  scan.cursor = *cursor;
  return entry;
}

}  // namespace millrace
