// The file that says which process serves. Written when the process has its final pid, removed at
// an orderly exit by the process that wrote it, and by no child of it.
#pragma once

#include <string>

#include "ae/base/result.h"

namespace millrace {

// What `daemonize yes` uses if no pidfile is configured.
inline constexpr const char* kDefaultPidFile = "/var/run/millrace.pid";

// "4242\n". An old file is overwritten: a pid in it that is not running says nothing, and a server
// that does run holds the port.
ae::Status write_pid_file(const std::string& path);

// Only if the file still has our pid: after a restart it may be another server's.
void remove_pid_file(const std::string& path);

}  // namespace millrace
