// The groups of a stream, and how far each is behind.
//
// The lag is how many entries a group has not been given. It is a difference of two numbers: how
// many entries were ever added, and how many of those the group has read. The second one is known
// while the group reads on and nothing is deleted ahead of it; where it is lost, it can be told
// again at the ends of the stream only.
#include "server/ds/stream.h"

namespace millrace::ds {

const Stream::Groups& Stream::groups() const {
  return const_cast<Stream*>(this)->mutable_groups();
}

ConsumerGroup* Stream::find_group(std::string_view name) {
  Groups& all = mutable_groups();
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

const ConsumerGroup* Stream::find_group(std::string_view name) const {
  return const_cast<Stream*>(this)->find_group(name);
}

ConsumerGroup* Stream::add_group(std::string_view name, StreamId last_id,
                                 std::optional<uint64_t> entries_read) {
  const auto [place, is_new] = mutable_groups().try_emplace(std::string(name));
  if (!is_new) return nullptr;
  place->second.last_id = last_id;
  place->second.entries_read = entries_read;
  return &place->second;
}

bool Stream::erase_group(std::string_view name) {
  Groups& all = mutable_groups();
  const auto found = all.find(name);
  if (found == all.end()) return false;
  all.erase(found);
  return true;
}

// --- the lag

// Whether an entry at or behind this id has been deleted, so that those that are left there cannot
// be counted by subtraction.
bool Stream::has_tombstones_from(StreamId id) const {
  if (size() == 0 || max_deleted_id().is_zero()) return false;
  if (first_id() > max_deleted_id()) return false;
  return id <= max_deleted_id();
}

std::optional<uint64_t> Stream::entries_up_to(StreamId id) const {
  if (entries_added() == 0) return 0;
  if (size() == 0 && id <= last_id()) return entries_added();
  if (id == last_id()) return entries_added();
  if (id > last_id()) return std::nullopt;
  const bool whole = max_deleted_id().is_zero() || max_deleted_id() < first_id();
  if (!whole || id > first_id()) return std::nullopt;
  return entries_added() - size() + (id == first_id() ? 1 : 0);
}

void Stream::advance(ConsumerGroup& group, StreamId id) const {
  if (id <= group.last_id) return;
  if (group.entries_read && !has_tombstones_from(id)) {
    ++*group.entries_read;
  } else if (entries_added() != 0) {
    group.entries_read = entries_up_to(id);
  }
  group.last_id = id;
}

std::optional<int64_t> Stream::lag(const ConsumerGroup& group) const {
  if (entries_added() == 0) return 0;
  const bool counted = group.entries_read && !has_tombstones_from(group.last_id);
  const auto read = counted ? group.entries_read : entries_up_to(group.last_id);
  if (!read) return std::nullopt;
  return static_cast<int64_t>(entries_added() - *read);
}

}  // namespace millrace::ds
