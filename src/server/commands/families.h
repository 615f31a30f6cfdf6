// The families of commands this build has, one table each, at the foot of the file of the same
// name. families.cc lists them; a new family adds a line here and one there.
#pragma once

#include <span>

#include "server/command/spec.h"

namespace millrace {

std::span<const CommandSpec> string_commands();
std::span<const CommandSpec> string_range_commands();
std::span<const CommandSpec> counter_commands();
std::span<const CommandSpec> lcs_commands();
std::span<const CommandSpec> bitmap_commands();
std::span<const CommandSpec> bit_field_commands();
std::span<const CommandSpec> hyperloglog_commands();
std::span<const CommandSpec> hyperloglog_debug_commands();
std::span<const CommandSpec> generic_commands();
std::span<const CommandSpec> expire_commands();
std::span<const CommandSpec> dump_commands();
std::span<const CommandSpec> scan_commands();
std::span<const CommandSpec> sort_commands();
std::span<const CommandSpec> object_commands();
std::span<const CommandSpec> list_commands();
std::span<const CommandSpec> list_pop_commands();
std::span<const CommandSpec> list_move_commands();
std::span<const CommandSpec> list_position_commands();
std::span<const CommandSpec> hash_commands();
std::span<const CommandSpec> hash_walk_commands();
std::span<const CommandSpec> set_commands();
std::span<const CommandSpec> set_algebra_commands();
std::span<const CommandSpec> sorted_set_commands();
std::span<const CommandSpec> sorted_set_range_commands();
std::span<const CommandSpec> sorted_set_pop_commands();
std::span<const CommandSpec> sorted_set_algebra_commands();
std::span<const CommandSpec> geo_commands();
std::span<const CommandSpec> geo_search_commands();
std::span<const CommandSpec> transaction_commands();
std::span<const CommandSpec> pub_sub_commands();
std::span<const CommandSpec> cluster_commands();
std::span<const CommandSpec> stream_commands();
std::span<const CommandSpec> stream_read_commands();
std::span<const CommandSpec> stream_group_commands();
std::span<const CommandSpec> stream_pending_commands();
std::span<const CommandSpec> stream_info_commands();
std::span<const CommandSpec> scripting_commands();
std::span<const CommandSpec> function_commands();
std::span<const CommandSpec> connection_commands();
std::span<const CommandSpec> client_commands();
std::span<const CommandSpec> server_commands();
std::span<const CommandSpec> replication_commands();
std::span<const CommandSpec> migration_commands();
std::span<const CommandSpec> persistence_commands();
std::span<const CommandSpec> info_commands();
std::span<const CommandSpec> command_info_commands();
std::span<const CommandSpec> config_commands();
std::span<const CommandSpec> memory_commands();
std::span<const CommandSpec> debug_commands();
std::span<const CommandSpec> latency_commands();
std::span<const CommandSpec> slow_log_commands();
std::span<const CommandSpec> append_only_commands();
std::span<const CommandSpec> acl_commands();

}  // namespace millrace
