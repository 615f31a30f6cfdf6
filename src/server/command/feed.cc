#include "server/command/feed.h"

#include <algorithm>

namespace millrace {
namespace {

// A unit that was larger than this gives its memory back.
constexpr size_t kMaxKeptBytes = 256 << 10;

}  // namespace

void Feed::attach(FeedSink& sink) {
  if (std::find(sinks_.begin(), sinks_.end(), &sink) == sinks_.end()) sinks_.push_back(&sink);
  refresh();
}

void Feed::detach(FeedSink& sink) {
  std::erase(sinks_, &sink);
  refresh();
}

void Feed::set_muted(bool muted) {
  muted_ = muted;
  refresh();
}

Feed::Frame Feed::begin(uint8_t db, uint64_t changes) {
  const Frame frame{.changes = changes, .db = db_, .outer_replaced = replaced_};
  if (++depth_ == 1) at_once_ = true;
  db_ = db;
  replaced_ = false;
  return frame;
}

// The usual case copies nothing: one command, in its own words.
void Feed::end(const Frame& frame, Words words, uint64_t changes) {
  const bool says_own_words = changes != frame.changes && !replaced_;
  const bool is_alone = depth_ == 1 && pending_.empty();
  if (says_own_words) is_alone ? send(db_, words, audience_) : keep(db_, words, audience_);
  --depth_;
  db_ = frame.db;
  replaced_ = frame.outer_replaced;
  if (depth_ == 0 && !pending_.empty()) send_pending();
}

void Feed::instead(Words words) {
  if (!open_ || depth_ == 0) return;
  replaced_ = true;
  keep(db_, words, audience_);
}

void Feed::message(Words words) {
  if (!open_) return;
  for (FeedSink* sink : sinks_)
    if (sink->belongs_to(audience_)) sink->on_message(db_, words);
}

void Feed::key_went(uint8_t db, std::string_view key, std::string_view verb) {
  if (!open_) return;
  const std::string_view words[] = {verb, key};
  constexpr Audience kAll = Audience::kEverybody;
  depth_ == 0 ? send(db, words, kAll) : keep(db, words, kAll);
}

void Feed::keep(uint8_t db, Words words, Audience audience) {
  pending_.push_back({db, audience, lengths_.size(), words.size(), bytes_.size()});
  for (const std::string_view word : words) {
    lengths_.push_back(word.size());
    bytes_.append(word);
  }
}

void Feed::send_pending_to(FeedSink& sink) {
  constexpr std::string_view kMulti[] = {"MULTI"};
  constexpr std::string_view kExec[] = {"EXEC"};
  const auto concerns = [&sink](const Pending& one) { return sink.belongs_to(one.audience); };
  const bool is_unit = at_once_ && std::ranges::count_if(pending_, concerns) > 1;
  if (is_unit) sink.on_command(pending_.front().db, kMulti);
  std::vector<std::string_view> words;
  for (const Pending& command : pending_) {
    if (!concerns(command)) continue;
    words.clear();
    const char* at = bytes_.data() + command.start;
    for (size_t i = 0; i < command.count; ++i) {
      const size_t length = lengths_[command.first + i];
      words.emplace_back(at, length);
      at += length;
    }
    sink.on_command(command.db, words);
  }
  if (is_unit) sink.on_command(pending_.back().db, kExec);
}

void Feed::send_pending() {
  for (FeedSink* sink : sinks_) send_pending_to(*sink);
  pending_.clear();
  lengths_.clear();
  bytes_.clear();
  if (bytes_.capacity() > kMaxKeptBytes) {
    bytes_.shrink_to_fit();
    pending_.shrink_to_fit();
    lengths_.shrink_to_fit();
  }
}

void Feed::send(uint8_t db, Words words, Audience audience) {
  for (FeedSink* sink : sinks_)
    if (sink->belongs_to(audience)) sink->on_command(db, words);
}

}  // namespace millrace
