#!/usr/bin/env python3
"""What a connection costs in each state it can be in, and that everything it ever borrowed comes back.

Thousands of connections go through the states below together. In each the server's resident memory and its live
memory, above those of the same server without them, may be so much per connection as the table says; and when they have left
it, no more than at the floor. Another state is another row of STATES.
tests/server/client_memory_test.cc asserts the same byte for byte by the server's ledger.

    idle_floor.py [--connections 10000] [--redis]       --redis: redis-server's figures beside ours
"""
import argparse
import dataclasses
import pathlib
import resource
import socket
import sys
import time
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import Servers, encode  # noqa: E402

FLOOR = 256  # bytes per connection
# The allocator gives what was freed back to the kernel step by step, over ten seconds.
RETURN_SECONDS = 14
REPLY = b"$65536\r\n" + b"x" * 65536 + b"\r\n"
GET = encode(b"GET", b"big")
HUGE_BYTES = 1 << 20
HUGE_REPLY = b"$%d\r\n" % HUGE_BYTES + b"x" * HUGE_BYTES + b"\r\n"
HALF_BYTES = 100
ECHO = encode(b"ECHO", b"e" * 120)
ECHO_REPLY = b"$120\r\n" + b"e" * 120 + b"\r\n"
# Connections that are served at a time. Waiting for none of them alone, the server sees them as a crowd.
CROWD = 500
SPARE = CROWD + 200  # descriptors beside those of the connections


def resident_bytes(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def receive(connection, expected):
    got = bytearray()
    while len(got) < len(expected):
        chunk = connection.recv(len(expected) - len(got))
        assert chunk, "the server closed a connection"
        got += chunk
    assert got == expected, got[:100]


def each(connections, request, reply):
    """Every connection asks and is answered. A crowd asks before the first of it reads."""
    for start in range(0, len(connections), CROWD):
        crowd = connections[start:start + CROWD]
        for connection in crowd:
            connection.sendall(request)
        for connection in crowd:
            receive(connection, reply)


def speak(connections):
    each(connections, encode(b"PING"), b"+PONG\r\n")


def large_reply(connections):
    each(connections, GET, REPLY)


def huge_reply(connections):
    """A tenth of them: a leak of a mebibyte shows all the same, and it is a gigabyte less to send."""
    each(connections[::10], encode(b"GET", b"huge"), HUGE_REPLY)


def send_half(connections):
    """All halves are with the server before the first of them is completed."""
    for connection in connections:
        connection.sendall(ECHO[:HALF_BYTES])


def send_other_half(connections):
    each(connections, ECHO[HALF_BYTES:], ECHO_REPLY)


def take_name(connections):
    each(connections, encode(b"CLIENT", b"SETNAME", b"somebody"), b"+OK\r\n")


def drop_name(connections):
    each(connections, encode(b"CLIENT", b"SETNAME", b""), b"+OK\r\n")


def subscribe(connections):
    each(connections, encode(b"SUBSCRIBE", b"news"), b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n")


def unsubscribe(connections):
    each(connections, encode(b"UNSUBSCRIBE"), b"*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:0\r\n")


def begin_transaction(connections):
    each(connections, encode(b"MULTI") + 3 * encode(b"SET", b"k", b"v"), b"+OK\r\n" + 3 * b"+QUEUED\r\n")


def discard(connections):
    each(connections, encode(b"DISCARD"), b"+OK\r\n")


def nothing(connections):
    pass


@dataclasses.dataclass
class State:
    name: str
    enter: Callable
    leave: Callable
    most: int  # bytes per connection while it lasts; afterwards it is FLOOR
    notes: int = 0  # bytes of the process, not of a connection, that the allocator may keep


STATES = (
    State("connected", speak, nothing, FLOOR),
    State("after 64 KiB", large_reply, nothing, FLOOR),
    # An extension of 84 bytes, a block for the half, and how far its parser has come.
    State("half a packet", send_half, send_other_half, FLOOR + 84 + 112 + 160),
    # The rare part of a session, 160 bytes with the allocator's rounding; a name of up to 15 bytes lies inside.
    State("with a name", take_name, drop_name, FLOOR + 160),
    # That, its lists and one subscription; the channel's side of it.
    State("subscribed", subscribe, unsubscribe, FLOOR + 160 + 80 + 16 + 16),
    # That, a list of four places, and a block of 53 bytes for each request.
    State("in MULTI", begin_transaction, discard, FLOOR + 160 + 48 + 128 + 3 * 64),
    # Last, for what it leaves behind: jemalloc keeps notes of the address space that was in use at once, a few
    # megabytes, whoever it was for. Of live memory nothing may be left, as in every state.
    State("after 1 MiB", huge_reply, nothing, FLOOR, notes=4 << 20),
)


def connect(server, count):
    connections = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.settimeout(30)
        connections.append(connection)
    return connections


def live_bytes(server):
    """In allocations that are in use, by the server's own word."""
    text = server.ask(b"INFO", b"memory").decode()
    return next(int(line.split(":")[1]) for line in text.split("\r\n") if line.startswith("used_memory:"))


class Memory:
    """What the server has above what it had when this was made."""

    def __init__(self, server, count):
        self.server, self.count = server, count
        self.resident, self.live = resident_bytes(server), live_bytes(server)

    def each(self, notes):
        """Bytes per connection: of whichever is more."""
        resident = resident_bytes(self.server) - self.resident - notes
        return max(resident, live_bytes(self.server) - self.live) / self.count

    def settle(self, most, notes):
        """The same, once it is little enough or the time is up."""
        end = time.monotonic() + RETURN_SECONDS
        while (bytes_each := self.each(notes)) > most and time.monotonic() < end:
            time.sleep(0.1)
        return bytes_each


def measure(server, count):
    """Yields (state, bytes per connection in it, bytes per connection when it has been left)."""
    server.ask(b"SET", b"big", b"x" * 65536)
    server.ask(b"SET", b"huge", b"x" * HUGE_BYTES)
    # A crowd does all of it first: the code that it runs through is resident from then on, and so are the notes that
    # the allocator takes of its largest moment (4 MB of them for 50 MiB of replies in flight) and never gives back.
    first = connect(server, CROWD)
    for state in STATES:
        state.enter(first)
        state.leave(first)
    server.ask(b"MEMORY", b"PURGE")
    memory = Memory(server, count)
    connections = connect(server, count)
    for state in STATES:
        state.enter(connections)
        server.ask(b"PING")  # events are served in their order: what was sent before this has been read
        inside = memory.settle(state.most, state.notes)
        state.leave(connections)
        yield state, inside, memory.settle(FLOOR, state.notes)
    for connection in connections + first:
        connection.close()


def descriptors_for(wanted):
    """Raises the limit as far as it goes; returns how many connections it allows, on either side."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted + SPARE if hard == resource.RLIM_INFINITY else min(hard, wanted + SPARE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    return min(wanted, max(soft, most) - SPARE)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--redis", action="store_true")
    options = parser.parse_args()
    count = descriptors_for(options.connections)
    passed = failed = 0
    flags = ("--maxclients", str(count + CROWD + 50))
    for backend in ("epoll", "io_uring"):
        with Servers() as servers:
            try:
                ours = servers.millrace("--event-backend", backend, *flags)
            except RuntimeError:
                assert backend != "epoll"
                print(f"skipped {backend}: not in this kernel or build")
                continue
            for state, inside, after in measure(ours, count):
                good = inside <= state.most and after <= FLOOR
                passed, failed = passed + good, failed + (not good)
                print(f"{'ok     ' if good else 'FAILED '} {backend:9}{state.name:14} {inside:8.1f} of {state.most} B per "
                      f"connection, {after:7.1f} of {FLOOR} afterwards, {count} connections", flush=True)
    if options.redis:
        with Servers() as servers:
            for state, inside, after in measure(servers.redis(*flags), count):
                print(f"redis            {state.name:14} {inside:8.1f} B per connection, {after:7.1f} afterwards", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
