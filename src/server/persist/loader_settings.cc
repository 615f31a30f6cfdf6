#include "server/persist/loader_settings.h"

#include "server/config/config.h"
#include "server/observe/log.h"
#include "server/scripting/function_registry.h"
#include "server/scripting/scripting.h"

namespace millrace {

SnapshotLoader::Settings loader_settings(Services& services) {
  using Settings = SnapshotLoader::Settings;
  const Config& config = services.config;
  Settings settings{.limits = ValueLimits::of(config),
                    .now_ms = services.tick.unix_us / 1000,
                    .access_clock = &services.access_clock,
                    .key_delay = KeyDelay(config.key_load_delay_us)};
  if (services.state.follows_master()) settings.expired = SnapshotLoader::Expired::kKeep;
  if (!config.rdbchecksum || services.checksums_skipped)
    settings.checksum = RdbReader::Checksum::kIgnore;
  settings.on_function = [&services](std::string_view code) {
    using scripting::OnConflict;
    return services.scripting.functions().load(code, OnConflict::kReplace).error;
  };
  settings.on_remark = [](std::string_view sentence) { log::warning("{}", sentence); };
  return settings;
}

void log_loaded(const SnapshotLoader& loader, int64_t now_s) {
  const SnapshotAux& aux = loader.aux();
  if (!aux.redis_version.empty()) {
    log::notice("Loading RDB produced by version {}", aux.redis_version);
  }
  if (aux.created_s)
    log::notice("RDB age {} seconds", std::max<int64_t>(now_s - *aux.created_s, 0));
  if (aux.used_memory_bytes) {
    constexpr double kMegabyte = 1 << 20;
    log::notice("RDB memory usage when created {:.2f} Mb",
                static_cast<double>(*aux.used_memory_bytes) / kMegabyte);
  }
  if (aux.use == SnapshotUse::kAppendOnlyBase) log::notice("RDB is base AOF");
  log::notice("Done loading RDB, keys loaded: {}, keys expired: {}.", loader.keys_loaded(),
              loader.keys_expired());
}

}  // namespace millrace
