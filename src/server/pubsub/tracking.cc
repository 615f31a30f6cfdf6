#include "server/pubsub/tracking.h"

#include <algorithm>
#include <utility>

#include "proto/byte_sink.h"
#include "proto/reply_writer.h"
#include "server/command/key_positions.h"

namespace millrace {
namespace {

constexpr std::string_view kChannel = "__redis__:invalidate";

const TrackingTerms& terms_of(const Session& session) {
  return *session.extras->tracking;
}

// The names of keys as an array; null says that all are gone.
template <typename Names>
std::string encode_keys(const Names& names) {
  proto::StringSink sink;
  proto::ReplyWriter writer(sink, proto::Resp::k3);
  writer.array(names.size());
  for (const auto& name : names) writer.bulk(name);
  return sink.take();
}

}  // namespace

Tracking::Tracking(Clients& clients, Effects& effects) : clients_(clients), effects_(effects) {
  clients_.on_leave([this](Session& session) { stop(session); });
}

// --- who tracks

void Tracking::start(Session& session, TrackingTerms terms) {
  if (!session.has(SessionFlag::kTracking)) ++clients_tracking_;
  session.set(SessionFlag::kTracking);
  if (terms.broadcast) {
    for (const std::string& prefix : terms.prefixes) {
      std::vector<SessionId>& clients = prefixes_[prefix].clients;
      if (std::find(clients.begin(), clients.end(), session.self) == clients.end())
        clients.push_back(session.self);
    }
  }
  clients_.change_extras(session, [&](SessionExtras& extras) {
    extras.tracking = std::make_unique<TrackingTerms>(std::move(terms));
  });
  effects_.attach(*this);
}

void Tracking::stop(Session& session) {
  if (!session.has(SessionFlag::kTracking)) return;
  session.clear(SessionFlag::kTracking);
  std::unique_ptr<TrackingTerms> terms;
  clients_.change_extras(session,
                         [&](SessionExtras& extras) { terms = std::move(extras.tracking); });
  leave_prefixes(session.self, *terms);
  if (--clients_tracking_ > 0) return;
  // What those who are gone have read is known to nobody any more.
  readers_.clear();
  items_ = 0;
  effects_.detach(*this);
}

void Tracking::leave_prefixes(SessionId id, const TrackingTerms& terms) {
  for (const std::string& prefix : terms.prefixes) {
    const auto found = prefixes_.find(prefix);
    if (found == prefixes_.end()) continue;
    std::erase(found->second.clients, id);
    if (found->second.clients.empty()) prefixes_.erase(found);
  }
}

// --- what was read

void Tracking::command_ran(Session& session, const Command& command,
                           std::span<const std::string_view> args) {
  inner_command_ran(session, command, args);
  if (!session.has(SessionFlag::kTracking) || session.has(SessionFlag::kMulti)) return;
  if (!command.full_name.starts_with("client|")) session.extras->tracking->caching = false;
}

void Tracking::inner_command_ran(Session& session, const Command& command,
                                 std::span<const std::string_view> args) {
  if (!session.has(SessionFlag::kTracking) || !command.spec->has(kReadOnly)) return;
  if (command.spec->has(kRunsScripts)) return;  // what its commands have read counts
  const TrackingTerms& terms = terms_of(session);
  if (terms.broadcast) return;
  if (terms.opt_in && !terms.caching) return;
  if (terms.opt_out && terms.caching) return;
  const auto positions = key_positions(command, args);
  if (!positions) return;
  for (const KeyPosition& position : *positions) remember(session, args[position.position]);
}

// What is beyond the limit goes at once.
void Tracking::set_max_keys(size_t most) {
  max_keys_ = most;
  while (max_keys_ != 0 && readers_.size() > max_keys_) forget(readers_.begin(), {});
}

void Tracking::remember(Session& session, std::string_view key) {
  auto found = readers_.find(key);
  if (found == readers_.end()) found = readers_.try_emplace(std::string(key)).first;
  std::vector<SessionId>& readers = found->second;
  if (std::find(readers.begin(), readers.end(), session.self) != readers.end()) return;
  readers.push_back(session.self);
  ++items_;
  while (max_keys_ != 0 && readers_.size() > max_keys_) {
    auto victim = readers_.begin();
    if (victim == found) ++victim;
    if (victim == readers_.end()) return;
    forget(victim, {});
  }
}

// --- what has changed

void Tracking::on_change(const KeyChange& change) {
  if (!change.is_change()) return;
  const SessionId changed_by = clients_.serving();
  for (auto& [prefix, state] : prefixes_) {
    if (!change.key.name.starts_with(prefix)) continue;
    state.changed.insert_or_assign(std::string(change.key.name), changed_by);
    any_broadcast_ = true;
  }
  if (const auto found = readers_.find(change.key.name); found != readers_.end())
    forget(found, changed_by);
}

void Tracking::forget(Readers::iterator found, SessionId changed_by) {
  const std::string key = found->first;
  const std::vector<SessionId> readers = std::move(found->second);
  readers_.erase(found);
  items_ -= readers.size();
  for (const SessionId id : readers) {
    Session* session = clients_.find(id);
    if (!session || !session->has(SessionFlag::kTracking)) continue;
    const TrackingTerms& terms = terms_of(*session);
    if (terms.broadcast || (terms.no_loop && id == changed_by)) continue;
    tell_reader(*session, key);
  }
}

void Tracking::on_emptied(int) {
  readers_.clear();
  items_ = 0;
  clients_.each([this](Session& session) {
    if (session.has(SessionFlag::kTracking)) tell(session, "_\r\n");
  });
}

void Tracking::send_broadcasts() {
  if (!std::exchange(any_broadcast_, false)) return;
  for (auto& [prefix, state] : prefixes_) {
    if (state.changed.empty()) continue;
    const auto changed = std::exchange(state.changed, {});
    std::vector<std::string_view> all;
    for (const auto& [key, by] : changed) all.push_back(key);
    const std::string encoded = encode_keys(all);
    for (const SessionId id : state.clients) {
      Session& session = *clients_.find(id);
      if (!terms_of(session).no_loop) {
        tell(session, encoded);
        continue;
      }
      std::vector<std::string_view> of_others;
      for (const auto& [key, by] : changed)
        if (by != id) of_others.push_back(key);
      if (!of_others.empty()) tell(session, encode_keys(of_others));
    }
  }
}

// --- messages

void Tracking::tell_reader(Session& session, std::string_view key) {
  const std::string_view names[] = {key};
  tell(session, encode_keys(std::span<const std::string_view>(names)));
}

// To whom the session's messages go. One whose target has gone is told so, once.
Session* Tracking::target_of(Session& session) {
  TrackingTerms& terms = *session.extras->tracking;
  if (terms.redirect == 0) return &session;
  if (Session* target = clients_.find(terms.redirect_session)) return target;
  if (std::exchange(terms.broken_redirect, true) || session.resp != 3) return nullptr;
  proto::StringSink sink;
  proto::ReplyWriter writer(sink, proto::Resp::k3);
  writer.push(2);
  writer.bulk("tracking-redir-broken");
  writer.integer(int64_t(terms.redirect));
  clients_.push(session, sink.view());
  return nullptr;
}

// `keys` is encoded. RESP2 has only messages of channels, and only for one who has subscribed.
void Tracking::tell(Session& session, std::string_view keys) {
  Session* target = target_of(session);
  if (!target) return;
  proto::StringSink sink;
  proto::ReplyWriter writer(sink, proto::Resp(target->resp));
  if (target->resp == 3) {
    writer.push(2);
    writer.bulk("invalidate");
    writer.raw(keys);
  } else {
    if (target == &session || !target->has(SessionFlag::kSubscribed)) return;
    writer.push(3);
    writer.bulk("message");
    writer.bulk(kChannel);
    writer.raw(keys.starts_with('_') ? std::string_view("*-1\r\n") : keys);
  }
  clients_.push(*target, sink.view());
}

}  // namespace millrace
