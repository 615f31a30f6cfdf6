#include "server/ds/stream.h"

#include <algorithm>
#include <utility>

namespace millrace::ds {

struct Stream::State {
  Blocks blocks;
  size_t block_bytes = 0;
  uint64_t length = 0;
  uint64_t entries_added = 0;
  StreamId last_id;
  StreamId first_id;
  StreamId max_deleted_id;
  Groups groups;
};

// A block out of the index, as the listpack it is, to be changed; goes back at the end of the
// scope, wherever it is then.
class Stream::BlockLoan {
 public:
  BlockLoan(State& state, Blocks::Cursor at)
      : state_(state), at_(at), pack_(Listpack::adopt(at.value())) {
    state_.block_bytes -= pack_.allocated_bytes();
  }
  ~BlockLoan() {
    state_.block_bytes += pack_.allocated_bytes();
    at_.set_value(pack_.release());
  }
  BlockLoan(const BlockLoan&) = delete;
  BlockLoan& operator=(const BlockLoan&) = delete;

  Listpack& operator*() { return pack_; }

 private:
  State& state_;
  Blocks::Cursor at_;
  Listpack pack_;
};

Stream::Stream() : state_(std::make_unique<State>()) {}
Stream::Stream(Stream&& other) noexcept = default;

Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Stream::~Stream() {
  if (!state_) return;
  for (auto at = blocks().first(); at; ++at) Listpack::adopt(at.value());
}

Stream Stream::copy() const {
  Stream twin;
  State& to = *twin.state_;
  for (auto at = blocks().first(); at; ++at)
    twin.start_block(at.id(), Listpack::copy_of(ListpackView(at.value())));
  to.length = state_->length;
  to.entries_added = state_->entries_added;
  to.last_id = state_->last_id;
  to.first_id = state_->first_id;
  to.max_deleted_id = state_->max_deleted_id;
  for (const auto& [name, group] : state_->groups) group.copy_to(to.groups[name]);
  return twin;
}

// --- plain facts

const Stream::Blocks& Stream::blocks() const {
  return state_->blocks;
}
Stream::Groups& Stream::mutable_groups() {
  return state_->groups;
}
uint64_t Stream::size() const {
  return state_->length;
}
size_t Stream::block_count() const {
  return blocks().size();
}
size_t Stream::index_nodes() const {
  return blocks().node_count();
}
StreamId Stream::last_id() const {
  return state_->last_id;
}
StreamId Stream::first_id() const {
  return state_->first_id;
}
StreamId Stream::max_deleted_id() const {
  return state_->max_deleted_id;
}
uint64_t Stream::entries_added() const {
  return state_->entries_added;
}
void Stream::set_last_id(StreamId id) {
  state_->last_id = id;
}
void Stream::set_max_deleted_id(StreamId id) {
  state_->max_deleted_id = id;
}
void Stream::set_entries_added(uint64_t count) {
  state_->entries_added = count;
}

StreamId Stream::newest_id() const {
  StreamWalk walk(*this, {}, StreamId::max(), Direction::kBackward);
  return walk.next() ? walk.entry().id() : StreamId();
}

// --- appending

bool Stream::last_block_takes(FieldValues entry, const StreamLimits& limits) const {
  const auto at = blocks().last();
  if (!at) return false;
  return StreamBlock(at.id(), at.value())
      .takes(entry, limits.max_block_bytes, limits.max_block_entries);
}

void Stream::append(StreamId id, FieldValues entry, const StreamLimits& limits) {
  AE_ASSERT(id > state_->last_id);
  if (last_block_takes(entry, limits)) {
    const auto at = state_->blocks.last();
    BlockLoan block(*state_, at);
    StreamBlock::append(*block, at.id(), id, entry);
  } else {
    start_block(id, StreamBlock::create(entry));
  }
  ++state_->entries_added;
  state_->last_id = id;
  if (++state_->length == 1) state_->first_id = id;
}

void Stream::start_block(StreamId id, Listpack pack) {
  state_->block_bytes += pack.allocated_bytes();
  state_->blocks.insert(id, pack.release());
}

bool Stream::load_block(StreamId master, std::string_view bytes) {
  std::optional<Listpack> pack = StreamBlock::from_bytes(master, bytes);
  if (!pack) return false;
  const auto before = blocks().last();
  if (before && StreamBlock(before.id(), before.value()).last().id() >= master) return false;
  const StreamBlock block(master, pack->raw().data());
  if (state_->length == 0 && block.live() != 0) state_->first_id = block.first_live().id();
  state_->length += block.live();
  start_block(master, std::move(*pack));
  return true;
}

// --- deleting

void Stream::drop_block(Blocks::Cursor at) {
  const Listpack pack = Listpack::adopt(at.value());
  state_->block_bytes -= pack.allocated_bytes();
  state_->blocks.erase(at.id());
}

void Stream::find_first_id() {
  StreamWalk walk(*this, {}, StreamId::max(), Direction::kForward);
  state_->first_id = walk.next() ? walk.entry().id() : StreamId();
}

bool Stream::contains(StreamId id) const {
  const auto at = blocks().at_or_before(id);
  return at && StreamBlock(at.id(), at.value()).find(id);
}

bool Stream::erase(StreamId id) {
  const auto at = state_->blocks.at_or_before(id);
  if (!at) return false;
  const StreamBlock block(at.id(), at.value());
  const StreamEntry entry = block.find(id);
  if (!entry) return false;
  if (block.live() == 1) {
    drop_block(at);
  } else {
    BlockLoan loan(*state_, at);
    StreamBlock::delete_entry(*loan, at.id(), entry);
  }
  --state_->length;
  state_->max_deleted_id = std::max(state_->max_deleted_id, id);
  if (id == state_->first_id) find_first_id();
  return true;
}

bool Stream::removes_whole(const StreamBlock& block, const StreamTrim& rule) const {
  if (rule.by == StreamTrim::By::kId) return block.last().id() < rule.from;
  return state_->length - block.live() >= rule.keep;
}

uint64_t Stream::trim(const StreamTrim& rule) {
  uint64_t removed = 0;
  while (auto at = state_->blocks.first()) {
    if (rule.by == StreamTrim::By::kLength && state_->length <= rule.keep) break;
    const StreamBlock block(at.id(), at.value());
    const uint64_t live = block.live();
    if (rule.limit != 0 && removed + live > rule.limit) break;
    if (!removes_whole(block, rule)) {
      if (!rule.whole_blocks) removed += trim_within(at, rule);
      break;
    }
    drop_block(at);
    state_->length -= live;
    removed += live;
  }
  if (removed != 0) find_first_id();
  return removed;
}

// Deletes from the front of a block of which something stays.
uint64_t Stream::trim_within(Blocks::Cursor at, const StreamTrim& rule) {
  const uint64_t too_many = state_->length - std::min(state_->length, rule.keep);
  BlockLoan block(*state_, at);
  const uint64_t removed =
      StreamBlock::delete_front(*block, at.id(), [&](const StreamEntry& entry, uint64_t before) {
        return rule.by == StreamTrim::By::kId ? entry.id() >= rule.from : before == too_many;
      });
  state_->length -= removed;
  return removed;
}

// --- as a whole

uint64_t Stream::element_count() const {
  uint64_t count = state_->length;
  for (const auto& [name, group] : state_->groups)
    count += group.pending().size() + group.consumers().size();
  return count;
}

size_t Stream::memory_bytes() const {
  // What a std::map keeps beside an element.
  constexpr size_t kMapNodeBytes = 4 * sizeof(void*);
  size_t bytes = sizeof(State) + state_->block_bytes + blocks().heap_bytes();
  for (const auto& [name, group] : state_->groups) {
    bytes += kMapNodeBytes + sizeof(name) + name.capacity() + sizeof(group) + group.memory_bytes();
  }
  return bytes;
}

size_t Stream::free_some(size_t budget) {
  size_t left = budget;
  for (; left != 0 && !blocks().empty(); --left) drop_block(state_->blocks.last());
  while (left != 0 && !state_->groups.empty()) {
    const auto group = state_->groups.begin();
    left -= group->second.free_some(left);
    if (left != 0) state_->groups.erase(group);
  }
  return budget - left;
}

void Stream::check() const {
  blocks().check();
  uint64_t live = 0;
  size_t bytes = 0;
  StreamId last;
  std::optional<StreamId> first;
  for (auto at = blocks().first(); at; ++at) {
    const StreamBlock block(at.id(), at.value());
    AE_ASSERT(block.check() && at.id() >= last && block.first().id() >= at.id());
    Listpack pack = Listpack::adopt(at.value());
    bytes += pack.allocated_bytes();
    pack.release();
    live += block.live();
    last = block.last().id();
    if (!first && block.live() != 0) first = block.first_live().id();
  }
  AE_ASSERT(live == state_->length && bytes == state_->block_bytes);
  AE_ASSERT(last <= state_->last_id && state_->first_id == first.value_or(StreamId()));
  for (const auto& [name, group] : state_->groups) group.check();
}

// --- walking

StreamWalk::StreamWalk(const Stream& stream, StreamId from, StreamId to, Direction direction)
    : from_(from), to_(to), forward_(direction == Direction::kForward) {
  block_ = stream.blocks().at_or_before(forward_ ? from : to);
  if (!block_ && forward_) block_ = stream.blocks().first();
}

StreamEntry StreamWalk::step(const StreamBlock& block) const {
  if (!entry_) return forward_ ? block.first() : block.last();
  return forward_ ? block.next(entry_) : block.previous(entry_);
}

bool StreamWalk::next() {
  while (block_) {
    if (!reading_) reading_.emplace(block_.id(), block_.value());
    entry_ = step(*reading_);
    if (!entry_) {
      reading_.reset();
      forward_ ? ++block_ : --block_;
    } else if (!entry_.deleted() && beyond_start()) {
      if (beyond_end()) break;
      return true;
    }
  }
  block_ = {};
  return false;
}

}  // namespace millrace::ds
