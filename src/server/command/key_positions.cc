#include "server/command/key_positions.h"

#include "ae/base/decimal.h"

namespace millrace {
namespace {

using Args = std::span<const std::string_view>;

// A run of keys: first, first + step ... up to and including last.
struct Run {
  size_t first = 0;
  size_t last = 0;
  size_t step = 1;
  bool empty = true;
};

// Where a position from the end (-1 is the last argument) or from `base` is.
std::optional<size_t> absolute(int position, size_t base, size_t count) {
  const auto at = position < 0 ? int64_t(count) + position : int64_t(base) + position;
  if (at < 0 || at >= int64_t(count)) return std::nullopt;
  return size_t(at);
}

std::optional<Run> range(const KeySpec& spec, Args args) {
  const auto last = absolute(spec.last, 0, args.size());
  if (!last || size_t(spec.first) > *last) return std::nullopt;
  return Run{size_t(spec.first), *last, size_t(spec.step), false};
}

std::optional<Run> counted(const KeySpec& spec, Args args) {
  const auto at = size_t(spec.first);
  if (at >= args.size()) return std::nullopt;
  const std::optional<int64_t> count = ae::parse_int64(args[at]);
  if (!count || *count < 1 || *count > int64_t(args.size() - at - 1)) return std::nullopt;
  return Run{at + 1, at + size_t(*count), 1, false};
}

// Of the arguments from `first` on, the first of `spec.limit` equal parts.
std::optional<Run> first_part(const KeySpec& spec, Args args, size_t first) {
  const size_t count = (args.size() - first) / spec.limit;
  if (count == 0) return std::nullopt;
  return Run{first, first + count - 1, size_t(spec.step), false};
}

std::optional<Run> after_keyword(const KeySpec& spec, Args args) {
  Run run;  // empty: the option was not given
  for (auto at = size_t(spec.first); at + 1 < args.size(); ++at) {
    if (!equals_ignoring_case(args[at], spec.keyword)) continue;
    if (spec.limit > 1) return first_part(spec, args, at + 1);
    const auto last = absolute(spec.last, at + 1, args.size());
    if (!last || *last < at + 1) return std::nullopt;
    run = Run{at + 1, *last, size_t(spec.step), false};
    // Of an option with one key the last is in force; a list of keys goes on to the end.
    if (spec.last != 0) break;
  }
  if (spec.limit > 1) return std::nullopt;  // XREAD's is no option
  return run;
}

std::optional<Run> find_run(const KeySpec& spec, Args args) {
  switch (spec.kind) {
    case KeySpec::Kind::kRange:
      return range(spec, args);
    case KeySpec::Kind::kCount:
      return counted(spec, args);
    case KeySpec::Kind::kKeyword:
      return after_keyword(spec, args);
    case KeySpec::Kind::kNone:
      break;
  }
  return Run{};
}

}  // namespace

bool takes_keys(const Command& command) {
  return command.spec->keys.kind != KeySpec::Kind::kNone &&
         !(key_access::of(command, 0) & key_access::kNotKey);
}

std::optional<size_t> first_key_position(const Command& command, Args args) {
  const std::optional<Run> run = find_run(command.spec->keys, args);
  if (!run || run->empty) return std::nullopt;
  return run->first;
}

bool visit_keys(const Command& command, Args args,
                ds::FunctionRef<void(const KeyPosition&)> visit) {
  const std::optional<Run> runs[] = {find_run(command.spec->keys, args),
                                     find_run(command.spec->more_keys, args),
                                     find_run(command.spec->third_keys, args)};
  for (const std::optional<Run>& run : runs)
    if (!run) return command.spec->has(kNoMandatoryKeys);
  int specification = 0;
  for (const std::optional<Run>& run : runs) {
    const KeyAccess access = key_access::of_request(command, specification++, args);
    if (run->empty) continue;
    for (size_t at = run->first; at <= run->last; at += run->step) visit({at, access});
  }
  return true;
}

std::optional<std::vector<KeyPosition>> key_positions(const Command& command, Args args) {
  std::vector<KeyPosition> positions;
  if (!visit_keys(command, args, [&](const KeyPosition& key) { positions.push_back(key); }))
    return std::nullopt;
  return positions;
}

}  // namespace millrace
