// The bytes are RESTORE's payload without its footer, which is made right, or nothing would get
// past it: what is restored must give a payload that restores to the same.
#include <cstdint>
#include <string>

#include "ae/base/assert.h"
#include "server/ds/crc64.h"
#include "server/persist/dump_payload.h"

using namespace millrace;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string payload(reinterpret_cast<const char*>(data), size);
  payload.append("\x0b\0", 2);
  const uint64_t crc = ds::crc64(payload);
  payload.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  AE_ASSERT(is_whole_dump(payload));
  const Detached entry = read_dump(payload, "key", {});
  if (!entry) return 0;
  const std::string dumped = make_dump(*entry);
  AE_ASSERT(is_whole_dump(dumped));
  const Detached again = read_dump(dumped, "key", {});
  AE_ASSERT(again && again->type() == entry->type());
  AE_ASSERT(again->collection_size() == entry->collection_size());
  return 0;
}
