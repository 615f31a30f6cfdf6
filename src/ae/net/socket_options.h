// The options a server sets on its sockets, each with the reason. All go through Os.
#pragma once

#include "ae/base/clock.h"
#include "ae/base/result.h"
#include "ae/core/os.h"

namespace ae {

// Small replies leave at once instead of waiting for the acknowledgement of the one before (Nagle).
// The table gathers a tick's replies into one write itself.
Status set_no_delay(Os& os, int fd);

// The kernel probes a silent peer after `idle`, then three times at a third of it, as Redis'
// tcp-keepalive does; a dead host is noticed after about twice `idle`, as ETIMEDOUT. It says
// nothing about the process there: see heartbeat.h. Zero switches it off.
Status set_keepalive(Os& os, int fd, Seconds idle);

// A restarted server can bind while connections of the last one linger in TIME_WAIT.
Status set_reuse_address(Os& os, int fd);

// Several sockets, each with a backlog of its own, share a port; the kernel spreads connections
// over them by a hash. One loop that hangs then hangs the connections that were hashed to it.
Status set_reuse_port(Os& os, int fd);

// A bind with port 0 leaves the port open until connect(), which knows the target and so may give a
// port that is in use towards another one. Without it an address has its 28,232 ports for all
// targets together.
Status set_late_port(Os& os, int fd);

// An IPv6 socket takes IPv6 only, so that "0.0.0.0" and "::" can be bound side by side.
Status set_ipv6_only(Os& os, int fd);

}  // namespace ae
