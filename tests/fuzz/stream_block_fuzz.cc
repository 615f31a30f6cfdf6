// The bytes are the block of a stream as a file from elsewhere would have it, behind two that are
// its master id: what is taken must hold its invariants, and be read and changed.
#include <cstdint>
#include <string_view>

#include "ae/base/assert.h"
#include "server/ds/stream.h"

namespace {

using millrace::ds::Direction;
using millrace::ds::Element;
using millrace::ds::Stream;
using millrace::ds::StreamId;
using millrace::ds::StreamTrim;
using millrace::ds::StreamWalk;

// Entries in one direction, their texts read to the last byte.
std::size_t count_entries(const Stream& stream, Direction direction) {
  std::size_t entries = 0;
  std::size_t bytes = 0;
  StreamWalk walk(stream, {}, StreamId::max(), direction);
  for (; walk.next(); ++entries) {
    walk.entry().for_each([&bytes](const Element& field, const Element& value) {
      Element::TextBuffer buffer;
      for (const char c : field.text(buffer)) bytes += c != 0;
      for (const char c : value.text(buffer)) bytes += c != 0;
    });
  }
  return entries;
}

void change(Stream& stream, std::uint64_t keep) {
  stream.erase(stream.first_id());
  stream.erase(stream.newest_id());
  if (const auto id = stream.last_id().next()) {
    const std::string_view entry[] = {"field", "value"};
    stream.append(*id, entry, {});
  }
  stream.check();
  StreamTrim rule;
  rule.keep = keep;
  stream.trim(rule);
  AE_ASSERT(stream.size() <= rule.keep);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const StreamId master{bytes[0], bytes[1]};
  const std::string_view block(reinterpret_cast<const char*>(bytes) + 2, size - 2);
  Stream stream;
  if (!stream.load_block(master, block)) return 0;
  AE_ASSERT(!stream.load_block(master, block));
  stream.for_each_block([&](StreamId key, std::string_view kept) {
    stream.set_last_id(millrace::ds::StreamBlock(key, kept.data()).last().id());
  });
  stream.check();
  AE_ASSERT(count_entries(stream, Direction::kForward) == stream.size());
  AE_ASSERT(count_entries(stream, Direction::kBackward) == stream.size());
  stream.copy().check();
  change(stream, bytes[0]);
  stream.check();
  return 0;
}
