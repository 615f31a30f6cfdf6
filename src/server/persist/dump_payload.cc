#include "server/persist/dump_payload.h"

#include <utility>

#include "server/ds/crc64.h"
#include "server/persist/rdb_format.h"
#include "server/persist/rdb_reader.h"
#include "server/persist/value_reader.h"
#include "server/persist/value_writer.h"

namespace millrace {
namespace {

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

std::string make_dump(const Entry& entry, RdbOptions options) {
  StringSink sink;
  options.checksum = true;
  RdbWriter out(sink, options);
  out.byte(value_type(entry));
  write_value(out, entry);
  out.fixed16(rdb::kWrittenVersion);
  out.fixed64(out.checksum());
  (void)out.flush();  // a string takes everything
  return std::move(sink.bytes);
}

bool is_whole_dump(std::string_view payload, DumpChecksum checksum) {
  if (payload.size() < rdb::kFooterBytes) return false;
  const std::string_view footer = payload.substr(payload.size() - rdb::kFooterBytes);
  if (little_endian(footer.substr(0, 2)) > rdb::kNewestVersion) return false;
  if (checksum == DumpChecksum::kSkip) return true;
  return little_endian(footer.substr(2)) == ds::crc64(payload.substr(0, payload.size() - 8));
}

Detached read_dump(std::string_view payload, std::string_view key, const ValueLimits& limits) {
  StringSource source(payload.substr(0, payload.size() - rdb::kFooterBytes));
  RdbReader reader(source, RdbReader::Checksum::kIgnore);
  const uint8_t type = reader.byte("the type of a value");
  Detached entry = read_value(reader, type, key, limits);
  // What follows the value is nobody's; Redis does not look either.
  return reader.failed() ? Detached() : std::move(entry);
}

}  // namespace millrace
