#include "server/observe/tick_watch.h"

#include <algorithm>
#include <utility>

#include "server/command/context.h"
#include "server/command/key_positions.h"

namespace millrace {

std::string_view LongTick::filled_by() const {
  const auto longest = std::max_element(record.time.begin(), record.time.end());
  if (record.late > *longest) return "late";
  return ae::kPhaseNames[size_t(longest - record.time.begin())];
}

// --- the log

void TickLog::add(LongTick tick, int64_t now_us) {
  const std::lock_guard lock(mutex_);
  drop_old(now_us);
  const auto place = std::upper_bound(
      entries_.begin(), entries_.end(), tick,
      [](const LongTick& a, const LongTick& b) { return a.length() > b.length(); });
  entries_.insert(place, std::move(tick));
  if (entries_.size() > kMaxEntries) entries_.pop_back();
}

std::vector<LongTick> TickLog::worst(int64_t now_us) {
  const std::lock_guard lock(mutex_);
  drop_old(now_us);
  return entries_;
}

size_t TickLog::reset() {
  const std::lock_guard lock(mutex_);
  return std::exchange(entries_, {}).size();
}

void TickLog::drop_old(int64_t now_us) {
  std::erase_if(entries_, [now_us](const LongTick& tick) {
    return now_us - tick.record.woke_unix_us > kMaxAgeUs;
  });
}

// --- the notes

void TickWatch::begin(const ServerStats& stats) {
  commands_before_ = stats.commands_processed;
  parts_ = {};
  longest_ = {};
  command_ = nullptr;
}

void TickWatch::note(Context& context, ae::Nanoseconds took) {
  longest_ = took;
  command_ = &context.command();
  client_id_ = context.session().id;
  const auto position = first_key_position(*command_, context.args());
  has_key_ = position.has_value();
  if (!has_key_) return;
  const std::string_view key = context.arg(*position);
  key_bytes_ = key.size();
  key.copy(key_.data(), key_.size());
}

void TickWatch::keep(const ae::TickRecord& record, const ServerStats& stats) {
  LongTick tick{.loop = "main",
                .record = record,
                .parts = parts_,
                .commands = stats.commands_processed - commands_before_};
  if (command_) {
    tick.command = command_->full_name;
    tick.command_took = longest_;
    tick.client_id = client_id_;
    tick.has_key = has_key_;
    const size_t kept = std::min(key_bytes_, key_.size());
    if (has_key_) tick.key = SlowLog::shortened({key_.data(), kept}, key_bytes_);
  }
  log_.add(std::move(tick), record.woke_unix_us);
}

}  // namespace millrace
