#include "server/core/batch_prefetch.h"

#include <algorithm>

#include "server/command/table.h"
#include "server/db/keyspace.h"

namespace millrace {

void BatchPrefetch::begin() {
  first<&BatchPrefetch::fetch_bucket>(kBucketAhead);
  first<&BatchPrefetch::fetch_entry>(kEntryAhead);
  first<&BatchPrefetch::fetch_place>(kPlaceAhead);
  first<&BatchPrefetch::fetch_member>(kMemberAhead);
}

void BatchPrefetch::ahead(size_t position) {
  at<&BatchPrefetch::fetch_bucket>(position + kBucketAhead);
  at<&BatchPrefetch::fetch_entry>(position + kEntryAhead);
  at<&BatchPrefetch::fetch_place>(position + kPlaceAhead);
  at<&BatchPrefetch::fetch_member>(position + kMemberAhead);
}

template <BatchPrefetch::Stage stage>
void BatchPrefetch::first(size_t count) {
  for (size_t i = 0; i < std::min(count, batch_.size()); ++i) at<stage>(i);
}

template <BatchPrefetch::Stage stage>
void BatchPrefetch::at(size_t position) {
  if (position >= batch_.size()) return;
  Request& request = batch_.request(position);
  if (request.keyspace) (this->*stage)(request);
}

void BatchPrefetch::fetch_bucket(Request& request) const {
  request.keyspace->prefetch_bucket(request.key_hash);
}

void BatchPrefetch::fetch_entry(Request& request) const {
  request.keyspace->prefetch_entry(request.key_hash);
}

void BatchPrefetch::fetch_place(Request& request) const {
  const size_t member = request.command->spec->member;
  if (member == 0 || member >= request.arg_count) return;
  const Entry* entry = entry_of(request);
  if (!entry) return;
  request.member_hash = Keyspace::hash(batch_.args_of(request)[member]);
  entry->prefetch_place(request.member_hash);
}

void BatchPrefetch::fetch_member(Request& request) const {
  if (request.member_hash == 0) return;
  if (const Entry* entry = entry_of(request)) entry->prefetch_member(request.member_hash);
}

const Entry* BatchPrefetch::entry_of(const Request& request) const {
  const size_t position = size_t(request.command->spec->keys.first);
  return request.keyspace->find({batch_.args_of(request)[position], request.key_hash});
}

}  // namespace millrace
