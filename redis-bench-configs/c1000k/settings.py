"""What a kernel must allow before one machine can hold N connections, both ends of each.

One table for the three that need it: `host` compares it with this machine, `guest` sets it in the guest, and
docs/c1000k.md explains it (tests/e2e/c1000k_test.py holds the page to the table).
"""
import dataclasses
import pathlib
import resource
from typing import Callable

SYSCTL_ROOT = pathlib.Path("/proc/sys")
# Of a process, beside its connections: log, listeners, epoll, Redis' reserve of 32, a tester's handshakes under way.
OTHER_DESCRIPTORS = 1000
# Connections per pair of addresses. Linux looks through one half of the port range first, every other port, for
# connect(2); with the default range that is 14,116, and beyond it each search takes milliseconds.
PER_ADDRESS = 14_000
# Handshakes that may come at once: a backlog that is smaller overflows in a reconnect storm.
BACKLOG = 65_535
# What the machine's own processes keep open.
FILES_OF_OTHERS = 20_000


@dataclasses.dataclass(frozen=True)
class Setting:
    """One sysctl. `must`: without it N connections do not come about; else they do, and something else suffers."""
    name: str
    wanted: Callable[[int], str]
    must: bool
    symptom: str
    enough: Callable[[str, int], bool] = None

    @property
    def path(self):
        return SYSCTL_ROOT / self.name.replace(".", "/")

    def current(self):
        """As text with single blanks; None where this kernel has no such setting or hides it."""
        try:
            return " ".join(self.path.read_text().split())
        except OSError:
            return None

    def is_enough(self, current, connections):
        if self.enough:
            return self.enough(current, connections)
        return int(current) >= int(self.wanted(connections))

    def raising(self, connections):
        """The line of a shell that sets it, unless it is set to more."""
        wanted = self.wanted(connections)
        larger = "" if " " in wanted else f' && [ "$(cat {self.path})" -lt {wanted} ]'
        return f"[ -e {self.path} ]{larger} && echo '{wanted}' >{self.path}"

    def command(self, connections):
        return f"sysctl -w {self.name}='{self.wanted(connections)}'"


def ports(text):
    low, high = map(int, text.split())
    return high - low + 1


def at_least_each(minimum):
    """Each of the numbers is at least that of `minimum`."""
    return lambda text, _: all(int(a) >= b for a, b in zip(text.split(), minimum))


SETTINGS = (
    Setting("fs.nr_open", lambda n: str(n + OTHER_DESCRIPTORS), True,
            "`ulimit -n` and setrlimit(2) refuse with EPERM, as root too"),
    Setting("fs.file-max", lambda n: str(2 * n + FILES_OF_OTHERS), True,
            "ENFILE, 'Too many open files in system' (root is exempt)"),
    Setting("fs.epoll.max_user_watches", lambda n: str(2 * n + OTHER_DESCRIPTORS), True,
            "ENOSPC from epoll_ctl(2), 'No space left on device'"),
    Setting("net.ipv4.ip_local_port_range", lambda n: "1024 65535", True,
            "EADDRNOTAVAIL, 'Cannot assign requested address', from connect(2)",
            lambda text, n: ports(text) >= 2 * min(n, PER_ADDRESS)),
    Setting("net.netfilter.nf_conntrack_max", lambda n: str(n + n // 10 + 10_000), True,
            "'nf_conntrack: table full, dropping packet' in dmesg; connect(2) times out"),
    Setting("net.core.somaxconn", lambda n: str(min(n, BACKLOG)), False,
            "ListenOverflows in /proc/net/netstat; a connect takes 1, 3, 7 s; clients connected on their side only"),
    Setting("net.ipv4.tcp_max_syn_backlog", lambda n: str(min(n, BACKLOG)), False,
            "'Possible SYN flooding' in dmesg; SYN cookies, or connects that take 1, 3, 7 s"),
    Setting("net.ipv4.tcp_mem", lambda n: " ".join(str(max(1, n // 250_000) * m) for m in (250_000, 500_000, 750_000)),
            False, "'TCP: out of memory' in dmesg; PruneCalled and dropped data in a burst",
            lambda text, n: int(text.split()[2]) * 4096 >= 512 * n),
    Setting("net.ipv4.tcp_rmem", lambda n: "4096 131072 6291456", False,
            "nothing while idle: it bounds, it does not allocate; too small a maximum throttles bulk transfers",
            at_least_each((4096, 4096, 65_536))),
    Setting("net.ipv4.tcp_wmem", lambda n: "4096 16384 4194304", False,
            "nothing while idle; too small a maximum makes large replies take many turns",
            at_least_each((4096, 4096, 65_536))),
    Setting("net.ipv4.tcp_max_orphans", lambda n: str(max(16_384, n)), False,
            "'too many orphaned sockets' in dmesg and resets when one side is killed"),
    Setting("net.ipv4.tcp_max_tw_buckets", lambda n: str(max(16_384, n)), False,
            "'time wait bucket table overflow' in dmesg when a crowd leaves at once"),
)

# Both ends, in the kernel: as the guest measures it (docs/c1000k.md).
KERNEL_BYTES_PER_CONNECTION = 8_000
TESTER_BYTES_PER_CONNECTION = 130


def memory_needed(connections, server_bytes_per_connection):
    """Bytes for both ends and their processes."""
    each = KERNEL_BYTES_PER_CONNECTION + TESTER_BYTES_PER_CONNECTION + server_bytes_per_connection
    return connections * each + 300 * 2**20


def memory_available():
    for line in open("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def descriptor_limits():
    """(soft, hard) of this process; infinity is a number too."""
    unlimited = 2**63 - 1
    return tuple(unlimited if limit == resource.RLIM_INFINITY else limit
                 for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
