#include "server/core/request_batch.h"

#include "server/db/keyspace.h"

namespace millrace {

void resolve(Request& request, std::span<const std::string_view> args,
             const CommandTable& commands) {
  request.command = commands.resolve(args);
  if (!request.command) return;
  const KeySpec& keys = request.command->spec->keys;
  if (keys.kind != KeySpec::Kind::kRange || size_t(keys.first) >= args.size()) return;
  request.key_hash = Keyspace::hash(args[size_t(keys.first)]);
}

}  // namespace millrace
