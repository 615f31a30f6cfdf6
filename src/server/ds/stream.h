// Stream: an append-only log of entries with ids, and the consumer groups that read it. The value
// of a Redis stream.
//
//     state_ ──> State
//                 ├── blocks: IdMap   1000-0 ──> listpack   (stream_block.h)
//                 │                   1873-4 ──> listpack
//                 │                   2020-0 ──> listpack   <── entries are appended here
//                 ├── length, last_id, first_id, …
//                 └── groups          "mail" ──> ConsumerGroup  (consumer_group.h)
//
// A block's key is the id of the entry it began with, its master id. What is in a block, and when a
// block is full, is Redis' to the byte, because RDB carries blocks as they are and because trimming
// with "~" shows where they end. The index is not: Redis has a radix tree of the ids' bytes, here
// it is a B+ tree of the ids.
//
// Invariants
//   1. Every block holds (see there), with the key as its master.
//   2. Ids ascend from block to block, none is above last_id; a block's entries are below the next
//      block's key.
//   3. length is the number of live entries; first_id is the first of them, 0-0 if there are none.
//   4. block_bytes is the heap behind the listpacks.
//
// Costs for n blocks. Appending: O(fields), amortized; the last block is found through the ends of
// three nodes at most, at a million blocks. A range: O(log n), the way to its first entry in its
// block, then O(1) an entry. Deleting an entry: O(log n) and its block. Trimming: O(1) a whole
// block. Memory: the listpack's bytes, no copy of repeated field names, a quarter of a byte of
// index per entry.
//
// Ids are compared, never checked against a clock. Views of entries are good until the stream
// changes. Groups belong to the stream. No thread safety.
//
//   Stream stream;
//   stream.append({1000, 0}, fields_and_values, limits);
//   for (StreamWalk walk(stream, {}, StreamId::max(), Direction::kForward); walk.next();)
//     walk.entry().for_each([](const Element& field, const Element& value) { ... });
//
// Idea: S. Sanfilippo, "Redis Streams" (2017): a log in blocks under an index by id, with the
// compression of repeated fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/ds/consumer_group.h"
#include "server/ds/direction.h"
#include "server/ds/id_map.h"
#include "server/ds/stream_block.h"

namespace millrace::ds {

// stream-node-max-bytes, stream-node-max-entries; 0: no limit.
struct StreamLimits {
  uint64_t max_block_bytes = 4096;
  uint64_t max_block_entries = 100;
};

// What XTRIM and XADD take away from the front.
struct StreamTrim {
  enum class By : uint8_t { kLength, kId };

  By by = By::kLength;
  uint64_t keep = 0;          // by length: so many entries stay
  StreamId from;              // by id: this one and what is behind it stay
  bool whole_blocks = false;  // "~": what would split a block stays
  uint64_t limit = 0;         // at most so many entries go, 0: any number
};

class Stream {
 public:
  // In order of their names, as Redis lists them.
  using Groups = std::map<std::string, ConsumerGroup, std::less<>>;

  Stream();
  ~Stream();
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;

  Stream copy() const;

  // --- the log

  uint64_t size() const;  // entries that are there
  size_t block_count() const;
  size_t index_nodes() const;

  StreamId last_id() const;         // of the last entry ever added, or what set_last_id() said
  StreamId first_id() const;        // 0-0 if the stream is empty
  StreamId newest_id() const;       // of the last entry that is there; 0-0 if none is
  StreamId max_deleted_id() const;  // the highest that erase() has deleted
  uint64_t entries_added() const;   // ever

  // The id must be above last_id(), and StreamBlock::fits(entry).
  void append(StreamId id, FieldValues entry, const StreamLimits& limits);
  // False: there is no such entry.
  bool erase(StreamId id);
  // Returns how many entries went.
  uint64_t trim(const StreamTrim& rule);
  bool contains(StreamId id) const;

  // XSETID, and loading.
  void set_last_id(StreamId id);
  void set_max_deleted_id(StreamId id);
  void set_entries_added(uint64_t count);

  // --- groups

  const Groups& groups() const;
  ConsumerGroup* find_group(std::string_view name);
  const ConsumerGroup* find_group(std::string_view name) const;
  // Null: there is one of this name already.
  ConsumerGroup* add_group(std::string_view name, StreamId last_id,
                           std::optional<uint64_t> entries_read);
  bool erase_group(std::string_view name);

  // The group is given this entry: its last id and its count of what it has read move on.
  void advance(ConsumerGroup& group, StreamId id) const;
  // How many entries the group has not been given yet; nothing where deleted entries make that
  // unknown.
  std::optional<int64_t> lag(const ConsumerGroup& group) const;
  // Which number among all that were ever added the entry of this id had, if that can be told.
  std::optional<uint64_t> entries_up_to(StreamId id) const;

  // --- blocks as they are, for RDB

  // visit(StreamId master, std::string_view bytes)
  template <typename Visit>
  void for_each_block(Visit&& visit) const {
    for (auto at = blocks().first(); at; ++at) visit(at.id(), ListpackView(at.value()).raw());
  }
  // Appends a block from outside; false, and nothing changed: it is none, or not behind what is
  // there. set_last_id() is the caller's to do.
  bool load_block(StreamId master, std::string_view bytes);

  // --- as a whole

  // Entries, what is pending, consumers: what there is to be freed. O(groups).
  uint64_t element_count() const;
  // Heap behind this object. O(groups and consumers).
  size_t memory_bytes() const;
  // Frees up to `budget` blocks, pending entries and consumers, returns how many; budget > 0.
  // Fewer: all is freed. Between the first such call and the last only the destructor may be called
  // instead.
  size_t free_some(size_t budget);
  // Aborts unless the invariants hold.
  void check() const;

 private:
  friend class StreamWalk;
  struct State;
  class BlockLoan;
  using Blocks = IdMap<char>;

  const Blocks& blocks() const;
  Groups& mutable_groups();
  bool last_block_takes(FieldValues entry, const StreamLimits& limits) const;
  void start_block(StreamId id, Listpack pack);
  void drop_block(Blocks::Cursor at);
  void find_first_id();
  uint64_t trim_within(Blocks::Cursor at, const StreamTrim& rule);
  bool removes_whole(const StreamBlock& block, const StreamTrim& rule) const;
  bool has_tombstones_from(StreamId id) const;

  std::unique_ptr<State> state_;
};

static_assert(sizeof(Stream) == sizeof(void*));

// Walks over the live entries of [from, to], in either direction. The stream must not change, but
// its groups may.
class StreamWalk {
 public:
  StreamWalk(const Stream& stream, StreamId from, StreamId to, Direction direction);

  // Goes to the next entry; false: there is none.
  bool next();
  const StreamEntry& entry() const { return entry_; }

 private:
  StreamEntry step(const StreamBlock& block) const;
  bool beyond_start() const { return forward_ ? entry_.id() >= from_ : entry_.id() <= to_; }
  bool beyond_end() const { return forward_ ? entry_.id() > to_ : entry_.id() < from_; }

  StreamId from_;
  StreamId to_;
  bool forward_;
  IdMap<char>::Cursor block_;
  std::optional<StreamBlock> reading_;
  StreamEntry entry_;
};

}  // namespace millrace::ds
