// FUNCTION RESTORE's payload. The checksum is made right, or nothing would get past it.
#include <cstdint>

#include "ae/base/assert.h"
#include "server/ds/crc64.h"
#include "server/scripting/function_payload.h"

using namespace millrace::scripting;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  bytes.append("\x0b\0", 2);
  const uint64_t crc = millrace::ds::crc64(bytes);
  for (int i = 0; i < 8; ++i) bytes += char(crc >> (8 * i));
  const Payload payload = parse_payload(bytes);
  if (!payload.error.empty()) return 0;
  const std::vector<std::string_view> codes(payload.codes.begin(), payload.codes.end());
  AE_ASSERT(parse_payload(make_payload(codes)).codes == payload.codes);
  return 0;
}
