#include "server/repl/replication_id.h"

#include <algorithm>

#include "server/command/table.h"

namespace millrace {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

std::string ReplicationId::make(ae::Prng& prng) {
  std::string id(kLength, '0');
  for (char& digit : id) digit = kHexDigits[prng.below(kHexDigits.size())];
  return id;
}

bool ReplicationId::is_id(std::string_view text) {
  return text.size() == kLength &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

void ReplicationId::forget_second() {
  second_id_.assign(kLength, '0');
  second_offset_ = kNoOffset;
}

void ReplicationId::begin(ae::Prng& prng) {
  id_ = make(prng);
  forget_second();
}

void ReplicationId::branch(ae::Prng& prng, int64_t next_offset) {
  follow(make(prng), next_offset);
}

void ReplicationId::adopt(std::string_view id) {
  id_ = id;
  forget_second();
}

void ReplicationId::inherit(std::string_view id, int64_t next_offset) {
  second_id_ = id;
  second_offset_ = next_offset;
}

void ReplicationId::follow(std::string_view id, int64_t next_offset) {
  second_id_ = id_;
  second_offset_ = next_offset;
  id_ = id;
}

bool ReplicationId::shares(std::string_view id, int64_t offset) const {
  if (equals_ignoring_case(id, id_)) return true;
  return equals_ignoring_case(id, second_id_) && offset <= second_offset_;
}

}  // namespace millrace
