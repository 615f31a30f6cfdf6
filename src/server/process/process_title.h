// What ps(1) and top(1) show: "millrace-server 127.0.0.1:6379".
//
// Linux shows the bytes where the kernel put the arguments; the environment lies right behind. Both
// are one run of memory that may be overwritten once the environment has been copied elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "server/config/config.h"

namespace millrace {

// The template with its variables replaced: {title} {listen-addr} {server-mode} {port} {tls-port}
// {unixsocket} {config-file}.
std::string expand_title(const Config& config, std::string_view executable,
                         std::string_view config_file);

// Copies the environment at the first call, so pointers that getenv(3) has returned before point to
// the title afterwards. Main thread, before others are started. Cut to the room there is.
void set_process_title(std::string_view title);

// argv[0] as it was at the start.
std::string_view executable_name();

}  // namespace millrace
