#include "server/command/session_extras.h"

namespace millrace {
namespace {

// Within the string up to its built-in capacity, on the heap beyond.
size_t heap_bytes(const std::string& text) {
  static const size_t kBuiltIn = std::string().capacity();
  return text.capacity() > kBuiltIn ? text.capacity() + 1 : 0;
}

template <typename Part>
size_t bytes_of(const std::unique_ptr<Part>& part) {
  return part ? part->memory_bytes() : 0;
}

}  // namespace

void DeleteExtras::operator()(SessionExtras* extras) const {
  delete extras;
}

size_t Watches::memory_bytes() const {
  size_t bytes = sizeof(*this) + keys.capacity() * sizeof(KeptKey);
  for (const KeptKey& key : keys) bytes += heap_bytes(key.name);
  return bytes;
}

size_t Subscriptions::memory_bytes() const {
  size_t bytes = sizeof(*this);
  for (const std::vector<Subscription>& list : of) bytes += list.capacity() * sizeof(Subscription);
  return bytes;
}

size_t TrackingTerms::memory_bytes() const {
  size_t bytes = sizeof(*this) + prefixes.capacity() * sizeof(std::string);
  for (const std::string& prefix : prefixes) bytes += heap_bytes(prefix);
  return bytes;
}

size_t SessionExtras::memory_bytes() const {
  return sizeof(SessionExtras) + heap_bytes(name) + heap_bytes(library_name) +
         heap_bytes(library_version) + bytes_of(transaction) + bytes_of(watches) +
         bytes_of(subscriptions) + bytes_of(tracking);
}

}  // namespace millrace
