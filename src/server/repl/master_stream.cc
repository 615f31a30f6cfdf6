#include "server/repl/master_stream.h"

#include "server/command/table.h"

namespace millrace {
namespace {

// What a master wrote fits, whatever our own limit for clients is.
constexpr proto::RequestLimits kLimits = proto::RequestLimits::normal();

}  // namespace

MasterStream::Step MasterStream::feed(ae::MutableBytes bytes) {
  Step step;
  while (step.consumed < bytes.size()) {
    args_.clear();
    const ae::MutableBytes rest = bytes.subspan(step.consumed);
    const proto::ParseResult parsed = proto::parse_request(rest, partial_, kLimits, args_);
    if (parsed.status == proto::ParseStatus::kIncomplete) {
      step.wanted = parsed.wanted;
      return step;
    }
    if (parsed.status == proto::ParseStatus::kError) {
      step.problem = "Protocol error from master: " + std::string(parsed.error);
      return step;
    }
    step.consumed += parsed.consumed;
    if (auto problem = apply({rest.data(), parsed.consumed})) {
      step.problem = std::move(*problem);
      return step;
    }
  }
  return step;
}

std::optional<std::string> MasterStream::apply(std::string_view raw) {
  if (!args_.empty()) {
    if (auto problem = run()) return problem;
  }
  if (!target_.in_transaction() && transaction_.empty()) {
    target_.applied(raw);
    return std::nullopt;
  }
  if (transaction_.size() + raw.size() > max_transaction_bytes_)
    return "a transaction of the master is larger than client-query-buffer-limit";
  transaction_ += raw;
  if (target_.in_transaction()) return std::nullopt;
  target_.applied(transaction_);
  transaction_.clear();
  return std::nullopt;
}

std::optional<std::string> MasterStream::run() {
  if (!equals_ignoring_case(args_[0], "replconf")) return target_.run(args_);
  if (args_.size() == 3 && equals_ignoring_case(args_[1], "getack")) target_.asked_for_ack();
  return std::nullopt;
}

}  // namespace millrace
