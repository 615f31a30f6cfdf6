// Which clients CLIENT KILL means: a conjunction of conditions.
//
//   CLIENT KILL TYPE normal LADDR 127.0.0.1:6379 SKIPME no
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/acl/users.h"
#include "server/command/arg_reader.h"
#include "server/command/clients.h"
#include "server/config/config.h"

namespace millrace {

// The kinds TYPE tells apart. There are no connections to a master or to replicas, and a client
// that watches MONITOR is a normal one, as in Redis.
enum class ClientType : uint8_t { kNormal, kMaster, kReplica, kPubSub };

// Takes the next argument as a client type; another word answers the error.
ClientType read_client_type(ArgReader& args);
ClientType type_of(const Session& session);

struct ClientFilter {
  std::optional<uint64_t> id = {};
  std::optional<ClientType> type = {};
  std::optional<std::string_view> peer = {};   // ADDR
  std::optional<std::string_view> local = {};  // LADDR
  std::optional<std::string_view> user = {};
  std::optional<uint32_t> oldest_s = {};  // MAXAGE: clients at least so old
  bool skip_self = true;

  // Reads conditions up to the end of the arguments. False: the error has been answered.
  bool read(ArgReader& args, const acl::Users& users);
  bool matches(Context& c, const Session& session) const;
};

}  // namespace millrace
