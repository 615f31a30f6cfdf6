// An append-only file of any bytes, and a manifest of any bytes. The file must read the same
// however it is cut, never beyond what is there, and what was read must be found again when it is
// written anew; a manifest that was understood must say the same after being written.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ae/base/assert.h"
#include "proto/request_writer.h"
#include "server/persist/aof_manifest.h"
#include "server/persist/aof_parser.h"

namespace {

using namespace millrace;
using Kind = AofParser::Kind;

struct Reading {
  std::string commands;  // encoded anew
  uint64_t offset = 0;
  bool failed = false;

  bool operator==(const Reading&) const = default;
};

Reading read(std::string_view bytes, size_t piece) {
  AofParser parser;
  Reading reading;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    parser.add(bytes.substr(at, piece));
    Kind kind;
    while ((kind = parser.next()) == Kind::kCommand || kind == Kind::kAnnotation)
      if (kind == Kind::kCommand) reading.commands += proto::encode_request(parser.args());
    reading.failed = kind == Kind::kError;
    if (reading.failed) AE_ASSERT(!parser.error().empty());
    if (reading.failed) break;
  }
  reading.offset = parser.offset();
  AE_ASSERT(reading.offset <= bytes.size());
  return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Reading whole = read(bytes, size + 1);
  AE_ASSERT(whole == read(bytes, 1));
  AE_ASSERT(whole == read(bytes, 7));
  const Reading again = read(whole.commands, whole.commands.size() + 1);
  AE_ASSERT(!again.failed && again.commands == whole.commands);

  const auto manifest = AofManifest::parse(bytes);
  if (!manifest || manifest->empty()) return 0;
  const auto same = AofManifest::parse(manifest->text());
  // Escapes make a line longer.
  AE_ASSERT(same ? *same == *manifest : same.error().sentence.ends_with("too long line"));
  return 0;
}
