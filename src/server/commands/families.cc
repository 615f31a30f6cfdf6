#include "server/commands/families.h"

#include "server/command/table.h"

namespace millrace {

std::span<const std::span<const CommandSpec>> command_families() {
  static const std::span<const CommandSpec> kFamilies[] = {
      string_commands(),
      string_range_commands(),
      counter_commands(),
      lcs_commands(),
      bitmap_commands(),
      bit_field_commands(),
      hyperloglog_commands(),
      hyperloglog_debug_commands(),
      generic_commands(),
      expire_commands(),
      dump_commands(),
      scan_commands(),
      sort_commands(),
      object_commands(),
      list_commands(),
      list_pop_commands(),
      list_move_commands(),
      list_position_commands(),
      hash_commands(),
      hash_walk_commands(),
      set_commands(),
      set_algebra_commands(),
      sorted_set_commands(),
      sorted_set_range_commands(),
      sorted_set_pop_commands(),
      sorted_set_algebra_commands(),
      geo_commands(),
      geo_search_commands(),
      transaction_commands(),
      pub_sub_commands(),
      cluster_commands(),
      stream_commands(),
      stream_read_commands(),
      stream_group_commands(),
      stream_pending_commands(),
      stream_info_commands(),
      scripting_commands(),
      function_commands(),
      connection_commands(),
      client_commands(),
      server_commands(),
      replication_commands(),
      migration_commands(),
      persistence_commands(),
      info_commands(),
      command_info_commands(),
      config_commands(),
      memory_commands(),
      debug_commands(),
      latency_commands(),
      slow_log_commands(),
      append_only_commands(),
      acl_commands(),
  };
  return kFamilies;
}

}  // namespace millrace
