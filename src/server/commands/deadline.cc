#include "server/commands/deadline.h"

#include <cmath>

namespace millrace {
namespace {

constexpr std::string_view kBeyond = "ERR timeout is out of range";

int64_t deadline_after(ArgReader& args, int64_t ms, int64_t now_ms) {
  if (ms < 0) args.error("ERR timeout is negative");
  if (ms > INT64_MAX - now_ms) args.error(kBeyond);
  return ms > 0 && args.ok() ? now_ms + ms : 0;
}

}  // namespace

// A fraction of a millisecond counts as a whole one: 0.0001 is not for ever.
int64_t read_deadline(ArgReader& args, int64_t now_ms) {
  constexpr double kMostMs = 9.2e18;
  const double ms = std::ceil(args.real("ERR timeout is not a float or out of range") * 1000);
  if (ms > kMostMs) args.error(kBeyond);
  if (ms < -kMostMs) args.error("ERR timeout is negative");
  return args.ok() ? deadline_after(args, int64_t(ms), now_ms) : 0;
}

int64_t read_deadline_ms(ArgReader& args, int64_t now_ms) {
  return deadline_after(args, args.integer("ERR timeout is not an integer or out of range"),
                        now_ms);
}

}  // namespace millrace
