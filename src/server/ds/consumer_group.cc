#include "server/ds/consumer_group.h"

#include "server/ds/slab.h"

namespace millrace::ds {
namespace {

Pending* new_pending(Consumer* owner) {
  return new (slab().allocate(sizeof(Pending))) Pending{0, 0, owner};
}

void free_pending(Pending* pending) {
  slab().release(pending, sizeof(Pending));
}

// What a std::map keeps beside an element: three pointers and a colour.
constexpr size_t kMapNodeBytes = 4 * sizeof(void*);

size_t text_bytes(const std::string& text) {
  return text.capacity() > std::string().capacity() ? text.capacity() + 1 : 0;
}

}  // namespace

ConsumerGroup::~ConsumerGroup() {
  for (auto at = pending_.first(); at; ++at) free_pending(at.value());
}

// --- consumers

Consumer* ConsumerGroup::find_consumer(std::string_view name) {
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? nullptr : &found->second;
}

Consumer& ConsumerGroup::add_consumer(std::string_view name, int64_t now_ms) {
  const auto [place, is_new] = consumers_.try_emplace(std::string(name));
  AE_ASSERT(is_new);
  place->second.name = place->first;
  place->second.seen_ms = now_ms;
  return place->second;
}

uint64_t ConsumerGroup::erase_consumer(const Consumer& consumer) {
  const uint64_t count = consumer.pending.size();
  for (auto at = consumer.pending.first(); at; ++at) {
    pending_.erase(at.id());
    free_pending(at.value());
  }
  consumers_.erase(consumers_.find(consumer.name));
  return count;
}

// --- what is pending

Pending* ConsumerGroup::find_pending(StreamId id) const {
  const auto found = pending_.find(id);
  return found ? found.value() : nullptr;
}

Pending& ConsumerGroup::assign(StreamId id, Consumer& consumer) {
  Pending* pending = find_pending(id);
  if (pending == nullptr) {
    pending = new_pending(&consumer);
    pending_.insert(id, pending);
    consumer.pending.insert(id, pending);
  } else if (pending->owner != &consumer) {
    pending->owner->pending.erase(id);
    pending->owner = &consumer;
    consumer.pending.insert(id, pending);
  }
  return *pending;
}

bool ConsumerGroup::acknowledge(StreamId id) {
  Pending* const pending = find_pending(id);
  if (pending == nullptr) return false;
  pending->owner->pending.erase(id);
  pending_.erase(id);
  free_pending(pending);
  return true;
}

// --- as a whole

void ConsumerGroup::copy_to(ConsumerGroup& twin) const {
  twin.last_id = last_id;
  twin.entries_read = entries_read;
  for (const auto& [name, consumer] : consumers_) {
    Consumer& copy = twin.add_consumer(name, consumer.seen_ms);
    copy.active_ms = consumer.active_ms;
    for (auto at = consumer.pending.first(); at; ++at) {
      Pending& pending = twin.assign(at.id(), copy);
      pending.delivered_ms = at.value()->delivered_ms;
      pending.deliveries = at.value()->deliveries;
    }
  }
}

size_t ConsumerGroup::memory_bytes() const {
  size_t bytes = pending_.heap_bytes() + pending_.size() * Slab::rounded(sizeof(Pending));
  for (const auto& [name, consumer] : consumers_) {
    bytes += kMapNodeBytes + sizeof(name) + text_bytes(name) + sizeof(consumer) +
             consumer.pending.heap_bytes();
  }
  return bytes;
}

size_t ConsumerGroup::free_some(size_t budget) {
  size_t left = budget;
  for (; left != 0 && !pending_.empty(); --left) acknowledge(pending_.last().id());
  for (; left != 0 && !consumers_.empty(); --left) consumers_.erase(consumers_.begin());
  return budget - left;
}

void ConsumerGroup::check() const {
  pending_.check();
  size_t owned = 0;
  for (const auto& [name, consumer] : consumers_) {
    consumer.pending.check();
    AE_ASSERT(consumer.name == name);
    owned += consumer.pending.size();
    for (auto at = consumer.pending.first(); at; ++at) {
      AE_ASSERT(at.value()->owner == &consumer && find_pending(at.id()) == at.value());
    }
  }
  AE_ASSERT(owned == pending_.size());
}

}  // namespace millrace::ds
