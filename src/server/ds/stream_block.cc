#include "server/ds/stream_block.h"

#include <algorithm>

namespace millrace::ds {
namespace {

using listpack_entry::decode;
using listpack_entry::entry_size;
using listpack_entry::is_end;

EncodedEntry encoded(uint64_t value) {
  return EncodedEntry::of_integer(static_cast<int64_t>(value));
}

// flags, ms, seq; and n where the fields are named.
constexpr size_t kFixedPieces = 3;

// Reads a listpack whose elements may be anything: numbers where numbers are due, and no step
// beyond the end.
class Reader {
 public:
  explicit Reader(const char* bytes) : at_(bytes + listpack_entry::kHeaderBytes) {}

  bool ok() const { return ok_; }
  bool more() const { return ok_ && !is_end(at_); }

  uint64_t number() {
    if (!more() || !decode(at_).is_integer()) return fail();
    const auto value = static_cast<uint64_t>(decode(at_).integer());
    at_ += entry_size(at_);
    return value;
  }
  void skip(uint64_t elements) {
    for (; elements != 0 && more(); --elements) at_ += entry_size(at_);
    if (elements != 0) fail();
  }
  void require(bool condition) {
    if (!condition) fail();
  }

 private:
  uint64_t fail() {
    ok_ = false;
    return 0;
  }

  const char* at_;
  bool ok_ = true;
};

// No listpack has more elements than bytes; a larger count is a lie, and twice it may overflow.
uint64_t field_count(Reader& reader) {
  const uint64_t count = reader.number();
  reader.require(count > 0 && count < kMaxListpackBytes);
  return count;
}

struct Census {
  uint64_t live = 0;
  uint64_t deleted = 0;
};

// Reads one entry, which must come behind `before`.
StreamId read_entry(Reader& reader, StreamId master, uint64_t master_count, Census& census) {
  const uint64_t flags = reader.number();
  reader.require(flags < 4);
  ++((flags & 1) != 0 ? census.deleted : census.live);
  StreamId id = master;
  id.ms += reader.number();
  id.sequence += reader.number();
  const bool same_fields = (flags & 2) != 0;
  const uint64_t count = same_fields ? master_count : field_count(reader);
  const uint64_t data = same_fields ? count : 2 * count;
  reader.skip(data);
  reader.require(reader.number() == kFixedPieces + (same_fields ? 0 : 1) + data);
  return id;
}

bool is_block(StreamId master, const char* bytes) {
  Reader reader(bytes);
  const uint64_t live = reader.number();
  const uint64_t deleted = reader.number();
  const uint64_t master_count = field_count(reader);
  reader.skip(master_count);
  reader.require(reader.number() == 0);
  Census census;
  std::optional<StreamId> before = master.previous();
  while (reader.more()) {
    const StreamId id = read_entry(reader, master, master_count, census);
    reader.require(!before || *before < id);
    before = id;
  }
  if (!reader.ok() || census.live + census.deleted == 0) return false;
  return census.live == live && census.deleted == deleted;
}

size_t text_bytes(FieldValues entry) {
  size_t bytes = 0;
  for (std::string_view text : entry) bytes += text.size();
  return bytes;
}

}  // namespace

StreamBlock::StreamBlock(StreamId master, const char* bytes) : master_(master), bytes_(bytes) {
  const char* const count_at = skip(live_at(), 2);
  master_count_ = number(count_at);
  master_fields_ = skip(count_at, 1);
  entries_ = skip(master_fields_, master_count_ + 1);
}

// --- walking

StreamEntry StreamBlock::decode(const char* start) const {
  StreamEntry entry;
  entry.start_ = start;
  entry.flags_ = number(start);
  const char* at = skip(start, 1);
  entry.id_.ms = master_.ms + number(at);
  at = skip(at, 1);
  entry.id_.sequence = master_.sequence + number(at);
  at = skip(at, 1);
  entry.master_fields_ = master_fields_;
  entry.field_count_ = entry.same_fields() ? master_count_ : number(at);
  entry.data_ = entry.same_fields() ? at : skip(at, 1);
  return entry;
}

StreamEntry StreamBlock::at_or_end(const char* start) const {
  return is_end(start) ? StreamEntry() : decode(start);
}

StreamEntry StreamBlock::next(const StreamEntry& entry) const {
  return at_or_end(skip(entry.data_, entry.data_elements() + 1));
}

// The entry that ends at this place.
StreamEntry StreamBlock::before(const char* place) const {
  if (place == entries_) return {};
  const char* at = place - listpack_entry::previous_entry_size(place);
  for (uint64_t pieces = number(at); pieces != 0; --pieces)
    at -= listpack_entry::previous_entry_size(at);
  return decode(at);
}

StreamEntry StreamBlock::first_live() const {
  StreamEntry entry = first();
  while (entry && entry.deleted()) entry = next(entry);
  return entry;
}

StreamEntry StreamBlock::find(StreamId id) const {
  StreamEntry entry = first();
  while (entry && entry.id() < id) entry = next(entry);
  return entry && entry.id() == id && !entry.deleted() ? entry : StreamEntry();
}

// --- changing

size_t StreamBlock::most_bytes(FieldValues entry) {
  constexpr size_t kMostAround = 11;  // header and backlen of a long text, or a number whole
  constexpr size_t kMostFixed = 16;   // the pack's header, the counters, flags and so on
  return text_bytes(entry) + kMostAround * (entry.size() + kMostFixed);
}

bool StreamBlock::takes(FieldValues entry, uint64_t max_bytes, uint64_t max_entries) const {
  if (max_bytes == 0 || max_bytes > kMaxListpackBytes) max_bytes = kMaxListpackBytes;
  const size_t bytes = ListpackView(bytes_).bytes();
  if (bytes + text_bytes(entry) >= max_bytes) return false;
  if (bytes + most_bytes(entry) > kMaxListpackBytes) return false;
  return max_entries == 0 || live() + deleted() < max_entries;
}

Listpack StreamBlock::create(FieldValues entry) {
  Listpack pack;
  pack.append_each([&](auto&& put) {
    put(encoded(1));
    put(encoded(0));
    put(encoded(entry.size() / 2));
    for (size_t i = 0; i < entry.size(); i += 2) put(EncodedEntry(entry[i]));
    put(encoded(0));
    put(encoded(StreamEntry::kSameFields));
    put(encoded(0));
    put(encoded(0));
    for (size_t i = 1; i < entry.size(); i += 2) put(EncodedEntry(entry[i]));
    put(encoded(kFixedPieces + entry.size() / 2));
  });
  return pack;
}

bool StreamBlock::has_same_fields(FieldValues entry) const {
  if (entry.size() / 2 != master_count_) return false;
  const char* field = master_fields_;
  for (size_t i = 0; i < entry.size(); i += 2) {
    if (!EncodedEntry(entry[i]).equals(field)) return false;
    field += entry_size(field);
  }
  return true;
}

void StreamBlock::append(Listpack& pack, StreamId master, StreamId id, FieldValues entry) {
  const StreamBlock block(master, pack.raw().data());
  const bool same_fields = block.has_same_fields(entry);
  const uint64_t live = block.live();
  pack.append_each([&](auto&& put) {
    put(encoded(same_fields ? StreamEntry::kSameFields : 0));
    put(encoded(id.ms - master.ms));
    put(encoded(id.sequence - master.sequence));
    if (same_fields) {
      for (size_t i = 1; i < entry.size(); i += 2) put(EncodedEntry(entry[i]));
      put(encoded(kFixedPieces + entry.size() / 2));
    } else {
      put(encoded(entry.size() / 2));
      for (std::string_view text : entry) put(EncodedEntry(text));
      put(encoded(kFixedPieces + 1 + entry.size()));
    }
  });
  pack.replace(pack.first(), encoded(live + 1));
}

// The two values of the flags that are written over each other take one byte each, so nothing
// moves.
void StreamBlock::set_deleted(Listpack& pack, const StreamEntry& entry) const {
  const auto offset = static_cast<uint32_t>(entry.start_ - bytes_);
  pack.replace(Cursor{offset}, encoded(entry.flags_ | StreamEntry::kDeleted));
}

void StreamBlock::count_deleted(Listpack& pack, uint64_t count) {
  const Cursor live = pack.first();
  const uint64_t left = static_cast<uint64_t>(pack.get(live).integer()) - count;
  pack.replace(live, encoded(left));
  const Cursor deleted = pack.next(live);
  pack.replace(deleted, encoded(static_cast<uint64_t>(pack.get(deleted).integer()) + count));
}

void StreamBlock::delete_entry(Listpack& pack, StreamId master, const StreamEntry& entry) {
  StreamBlock(master, pack.raw().data()).set_deleted(pack, entry);
  count_deleted(pack, 1);
}

// --- bytes from outside

std::optional<Listpack> StreamBlock::from_bytes(StreamId master, std::string_view bytes) {
  std::optional<Listpack> pack = Listpack::from_bytes(bytes);
  if (!pack || !is_block(master, pack->raw().data())) return std::nullopt;
  return pack;
}

bool StreamBlock::check() const {
  return ListpackView(bytes_).check() && is_block(master_, bytes_);
}

}  // namespace millrace::ds
