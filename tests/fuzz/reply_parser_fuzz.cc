// A reply means the same however the network cuts it, and what is refused is refused at once and
// for good. Small limits, so that they are met.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/assert.h"
#include "proto/reply_parser.h"

namespace {

using namespace proto;

constexpr ReplyLimits kLimits{.max_depth = 8,
                              .max_bulk_bytes = 200,
                              .max_reply_bytes = 1000,
                              .max_values = 100,
                              .max_line_bytes = 100};

struct Transcript {
  std::vector<ReplyValue> replies;
  bool failed = false;
  bool operator==(const Transcript&) const = default;
};

Transcript read_in_steps(std::string_view bytes, size_t step) {
  Transcript transcript;
  ReplyParser parser(kLimits);
  while (!bytes.empty() && !transcript.failed) {
    const std::string_view piece = bytes.substr(0, step);
    const ReplyResult result = parser.feed(piece);
    AE_ASSERT(result.consumed > 0 && result.consumed <= piece.size());
    AE_ASSERT(result.status != ReplyStatus::kIncomplete || result.consumed == piece.size());
    if (result.status == ReplyStatus::kReply) transcript.replies.push_back(parser.take());
    transcript.failed = result.status == ReplyStatus::kError;
    bytes.remove_prefix(result.consumed);
  }
  return transcript;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMaxInput = 4096;
  if (size < 1 || size > kMaxInput) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Transcript whole = read_in_steps(bytes, bytes.size() + 1);
  AE_ASSERT(read_in_steps(bytes, 1 + data[0] % 16) == whole);
  for (const ReplyValue& reply : whole.replies) {
    // An empty status is shown as nothing; everything else as something.
    AE_ASSERT(reply.kind == ReplyKind::kStatus || reply.kind == ReplyKind::kVerbatim ||
              !to_text(reply).empty());
    AE_ASSERT(to_line(reply).find_first_of("\r\n") == std::string::npos);
  }
  return 0;
}
