#!/usr/bin/env python3
"""What an idle connection costs, and that everything it ever borrowed comes back.

Thousands of connections are opened and speak once; then each receives a reply of 64 KiB; then each leaves
half a packet with the server, and completes it. After each of these the server's resident memory must
return to at most 256 bytes per connection above that of the same server without them.

    idle_floor.py [--connections 10000] [--redis]       --redis: redis-server's figures beside ours
"""
import argparse
import pathlib
import resource
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import Servers, encode  # noqa: E402

MAX_BYTES_PER_CONNECTION = 256
# The allocator gives what was freed back to the kernel step by step, over ten seconds.
RETURN_SECONDS = 14
REPLY = b"$65536\r\n" + b"x" * 65536 + b"\r\n"
GET = encode(b"GET", b"big")
HALF_BYTES = 100
ECHO = encode(b"ECHO", b"e" * 120)
ECHO_REPLY = b"$120\r\n" + b"e" * 120 + b"\r\n"
# Connections that are served at a time. Waiting for none of them alone, the server sees them as a crowd.
CROWD = 500


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


def half_packet(connections):
    """All halves are with the server before the first of them is completed."""
    for connection in connections:
        connection.sendall(ECHO[:HALF_BYTES])
    each(connections, ECHO[HALF_BYTES:], ECHO_REPLY)


def connect(server, count):
    connections = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.settimeout(30)
        connections.append(connection)
    return connections


def settle(server, empty, count):
    """Bytes per connection above the empty server, once they are few enough or the time is up."""
    end = time.monotonic() + RETURN_SECONDS
    while True:
        bytes_each = (resident_bytes(server) - empty) / count
        if bytes_each <= MAX_BYTES_PER_CONNECTION or time.monotonic() > end:
            return bytes_each
        time.sleep(0.1)


STEPS = (speak, large_reply, half_packet)


def measure(server, count):
    """Yields (step, bytes per connection just behind it, bytes per connection after the settling)."""
    server.ask(b"SET", b"big", b"x" * 65536)
    # One connection does all of it first: the code it runs through is resident from then on.
    first = connect(server, 1)
    for step in STEPS:
        step(first)
    empty = resident_bytes(server)
    connections = connect(server, count)
    for step in STEPS:
        step(connections)
        at_once = (resident_bytes(server) - empty) / count
        yield step.__name__, at_once, settle(server, empty, count)
    for connection in connections + first:
        connection.close()


def descriptors_for(wanted):
    """Raises the limit as far as it goes; returns how many connections it allows, on either side."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted + 200 if hard == resource.RLIM_INFINITY else min(hard, wanted + 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    return min(wanted, max(soft, most) - 200)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--redis", action="store_true")
    options = parser.parse_args()
    count = descriptors_for(options.connections)
    passed = failed = 0
    flags = ("--maxclients", str(count + 50))
    for backend in ("epoll", "io_uring"):
        with Servers() as servers:
            try:
                ours = servers.millrace("--event-backend", backend, *flags)
            except RuntimeError:
                assert backend != "epoll"
                print(f"skipped {backend}: not in this kernel or build")
                continue
            for name, at_once, settled in measure(ours, count):
                good = settled <= MAX_BYTES_PER_CONNECTION
                passed, failed = passed + good, failed + (not good)
                print(f"{'ok     ' if good else 'FAILED '} {backend:9}{name:12} {at_once:8.1f} B per connection at once, "
                      f"{settled:7.1f} settled, {count} connections", flush=True)
    if options.redis:
        with Servers() as servers:
            for name, at_once, settled in measure(servers.redis(*flags), count):
                print(f"redis            {name:12} {at_once:8.1f} B per connection at once, {settled:7.1f} settled", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
