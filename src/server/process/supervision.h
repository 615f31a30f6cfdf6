// Telling whoever started the server how it does: systemd, upstart, or the parent that daemonize()
// left waiting.
//
//   supervision::begin(config.supervised);
//   ...                                // open files, sockets
//   supervision::notify_ready();       // "systemctl start" returns now
//   ...
//   supervision::notify_stopping();
//
// systemd: a datagram of "NAME=value" lines to the unix socket named by $NOTIFY_SOCKET; the
// protocol is described in sd_notify(3) and small enough to need no library. The unit needs
// Type=notify. upstart: `expect stop`, so readiness is SIGSTOP to oneself.
//
// Thread: main. Failures are warnings in the log: a server that cannot report still serves.
#pragma once

#include <string_view>

#include "server/config/config.h"

namespace millrace::supervision {

// Resolves kAuto by the environment ($UPSTART_JOB, $NOTIFY_SOCKET) and returns who supervises;
// kNone if nobody does, also when the one that was asked for is not there. Takes the variables out
// of the environment, so that no child process reports in our name.
Supervision begin(Supervision requested);

// `write_end` of a pipe: a byte is written to it when the server is ready. See daemonize.h.
void set_waiting_parent(int write_end);

// Once, when clients are served.
void notify_ready();

// A line for "systemctl status".
void notify_status(std::string_view status);

void notify_stopping();

}  // namespace millrace::supervision
