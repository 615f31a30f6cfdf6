// A request means the same however the network cuts it.
//
// The first bytes of the input choose the limits and the cuts. The rest is parsed once whole and
// once in pieces, each piece at a new address; requests, arguments and the error must be equal.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ae/base/assert.h"
#include "proto/request_parser.h"

namespace {

using namespace proto;

struct Transcript {
  std::vector<std::vector<std::string>> requests;
  std::string error;
  bool operator==(const Transcript&) const = default;
};

constexpr RequestLimits kTiny{
    .max_args = 6, .max_bulk_bytes = 30, .max_inline_bytes = 60, .valid_bulk_bytes = 40};

RequestLimits choose_limits(uint8_t choice) {
  if (choice % 3 == 0) return kTiny;
  return choice % 3 == 1 ? RequestLimits::before_auth() : RequestLimits::normal();
}

// A connection that is given `bytes` in pieces of up to `step` bytes.
class Connection {
 public:
  Connection(std::string_view bytes, const RequestLimits& limits) : rest_(bytes), limits_(limits) {}

  Transcript run(size_t step) {
    while (!rest_.empty() && transcript_.error.empty()) {
      const std::string_view piece = rest_.substr(0, step);
      rest_.remove_prefix(piece.size());
      unread_ += piece;
      take_requests();
    }
    return std::move(transcript_);
  }

 private:
  void take_requests() {
    while (!unread_.empty()) {
      const auto block = std::make_unique<char[]>(unread_.size());
      unread_.copy(block.get(), unread_.size());
      ArgVector args;
      const ParseResult result =
          parse_request({block.get(), unread_.size()}, partial_, limits_, args);
      if (result.status == ParseStatus::kError) transcript_.error = result.error;
      if (result.status != ParseStatus::kRequest) {
        AE_ASSERT(args.empty());
        return;
      }
      AE_ASSERT(partial_.empty() && result.consumed > 0);
      transcript_.requests.emplace_back(args.begin(), args.end());
      unread_.erase(0, result.consumed);
    }
  }

  std::string_view rest_;
  std::string unread_;
  RequestLimits limits_;
  PartialRequest partial_;
  Transcript transcript_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMaxInput = 4096;
  if (size < 2 || size > kMaxInput) return 0;
  const RequestLimits limits = choose_limits(data[0]);
  const size_t step = 1 + data[1] % 16;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Transcript whole = Connection(bytes, limits).run(bytes.size() + 1);
  AE_ASSERT(Connection(bytes, limits).run(step) == whole);
  return 0;
}
