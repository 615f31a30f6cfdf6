#include "server/acl/acl_log.h"

#include <algorithm>
#include <utility>

#include "ae/base/assert.h"

namespace millrace::acl {
namespace {

constexpr int64_t kGroupWithinMs = 60'000;
constexpr size_t kLookedAt = 10;  // so many of the newest entries

bool alike(const AclLog::Entry& old, const AclLog::Entry& now, int64_t now_ms) {
  return old.what == now.what && old.place == now.place && old.object == now.object &&
         old.user == now.user && std::abs(now_ms - old.updated_ms) <= kGroupWithinMs;
}

}  // namespace

Denied denied(Denial::Reason reason) {
  AE_ASSERT(reason != Denial::Reason::kNone);
  if (reason == Denial::Reason::kCommand) return Denied::kCommand;
  return reason == Denial::Reason::kKey ? Denied::kKey : Denied::kChannel;
}

std::string_view name_of(Place place) {
  constexpr std::string_view kNames[] = {"toplevel", "multi", "lua"};
  return kNames[size_t(place)];
}

std::string_view name_of(Denied what) {
  constexpr std::string_view kNames[] = {"command", "key", "channel", "auth"};
  return kNames[size_t(what)];
}

void AclLog::add(Entry entry, int64_t now_ms, uint64_t limit) {
  count(entry.what);
  if (limit == 0) return reset();
  const auto end = entries_.begin() + ptrdiff_t(std::min(entries_.size(), kLookedAt));
  const auto known = std::find_if(entries_.begin(), end,
                                  [&](const Entry& old) { return alike(old, entry, now_ms); });
  entry.updated_ms = now_ms;
  if (known != end) {
    entry.count = known->count + 1;
    entry.id = known->id;
    entry.created_ms = known->created_ms;
    entries_.erase(known);
  } else {
    entry.id = next_id_++;
    entry.created_ms = now_ms;
  }
  entries_.push_front(std::move(entry));
  trim(limit);
}

void AclLog::trim(uint64_t limit) {
  while (entries_.size() > limit) entries_.pop_back();
}

void AclLog::count(Denied what) {
  switch (what) {
    case Denied::kCommand:
      ++counts_.commands;
      break;
    case Denied::kKey:
      ++counts_.keys;
      break;
    case Denied::kChannel:
      ++counts_.channels;
      break;
    case Denied::kLogin:
      ++counts_.logins;
      break;
  }
}

}  // namespace millrace::acl
