#include "load/exchange.h"

#include <utility>

#include "proto/reply_value.h"

namespace load {

Exchange::Exchange(ae::EventLoop& loop, ExchangeOptions options, uint32_t clients,
                   PhaseResult& result)
    : loop_(loop), options_(std::move(options)), result_(result), ledgers_(clients) {}

Exchange::~Exchange() {
  loop_.cancel(deadline_timer_);
}

// --- asking

void Exchange::ask(uint32_t client, ae::Connection connection, ae::TimePoint due,
                   ae::Bytes request) {
  if (!ledgers_[client].closed_loop) result_.lag.record(loop_.clock().now() - due);
  connection.send(request);
  expect(client, due);
}

void Exchange::expect(uint32_t client, ae::TimePoint due) {
  if (!ledgers_[client].closed_loop) ++result_.asked;
  if (outstanding_.full()) {
    ++result_.unanswered;
    return owe(client, 1);
  }
  Ledger& ledger = ledgers_[client];
  const uint32_t sequence = outstanding_.push(due, client);
  if (ledger.pending == 0) {
    ledger.first = sequence;
  } else {
    outstanding_.at(ledger.last).next = sequence;
  }
  ledger.last = sequence;
  ++ledger.pending;
  arm();
}

// --- answers

bool Exchange::take(uint32_t client, ae::Bytes bytes) {
  now_ = loop_.clock().now();
  const auto half_read = half_read_.find(client);
  if (half_read == half_read_.end()) {
    if (!feed(client, *parser_, bytes)) return parser_->reset(), false;
    if (parser_->idle()) return true;
    half_read_.emplace(client, std::exchange(parser_, std::make_unique<proto::ReplyParser>()));
    return true;
  }
  const bool good = feed(client, *half_read->second, bytes);
  if (good && half_read->second->idle()) half_read_.erase(half_read);
  return good;
}

bool Exchange::feed(uint32_t client, proto::ReplyParser& parser, ae::Bytes bytes) {
  while (!bytes.empty()) {
    const proto::ReplyResult parsed = parser.feed(bytes);
    if (parsed.status == proto::ReplyStatus::kError) {
      result_.note_wrong(parsed.error);
      return false;
    }
    bytes.remove_prefix(parsed.consumed);
    if (parsed.status == proto::ReplyStatus::kReply) on_reply(client, parser.take());
  }
  return true;
}

void Exchange::on_reply(uint32_t client, const proto::ReplyValue& reply) {
  if (reply.kind == proto::ReplyKind::kPush) return;
  Ledger& ledger = ledgers_[client];
  if (ledger.owed == 0 && ledger.pending == 0) {
    return result_.note_wrong("nobody asked for " + proto::to_line(reply));
  }
  // What is owed was asked first: the oldest expires first.
  const bool measured = ledger.owed == 0;
  const bool unexpected = measured && !options_.expected.empty() && reply.text != options_.expected;
  if (reply.is_error() || unexpected) result_.note_wrong(proto::to_line(reply));
  if (measured) {
    measure(ledger, outstanding_.at(ledger.first).due);
    finish_first(ledger);
  } else {
    --ledger.owed;
  }
  if (on_reply_) on_reply_(client);
}

void Exchange::measure(const Ledger& ledger, ae::TimePoint due) {
  const ae::Nanoseconds latency = now_ - due;
  if (ledger.closed_loop) return result_.closed.record(latency);
  ++result_.answered;
  if (latency > options_.late) ++result_.late;
  result_.latency.record(latency);
}

void Exchange::finish_first(Ledger& ledger) {
  const uint32_t first = ledger.first;
  ledger.first = outstanding_.at(first).next;
  --ledger.pending;
  outstanding_.finish(first);
}

// --- no answers

void Exchange::lose(uint32_t client) {
  result_.lost += ledgers_[client].pending;
  forget(client);
}

void Exchange::forget(uint32_t client) {
  Ledger& ledger = ledgers_[client];
  while (ledger.pending > 0) finish_first(ledger);
  ledger.owed = 0;
  half_read_.erase(client);
}

// The oldest of all is the oldest of its client too.
void Exchange::expire() {
  while (!outstanding_.empty() && outstanding_.oldest().due + options_.deadline <= loop_.now()) {
    Ledger& ledger = ledgers_[outstanding_.oldest().client];
    ++result_.unanswered;
    ++ledger.owed;
    finish_first(ledger);
  }
}

// One timer, for whatever was the oldest when it was set.
void Exchange::arm() {
  if (deadline_timer_.valid() || outstanding_.empty()) return;
  deadline_timer_ = loop_.add_timer_at(outstanding_.oldest().due + options_.deadline, [this] {
    deadline_timer_ = {};
    expire();
    arm();
  });
}

}  // namespace load
