#!/usr/bin/env python3
"""The admin lane of a real process: at maxclients, without a descriptor left, over a unix socket.

    tests/e2e/admin_lane_test.py          MILLRACE_SERVER=path/to/millrace-server

The storm is tests/e2e/storm_test.py's.
"""
import os
import pathlib
import resource
import socket
import stat
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import MILLRACE, Client, Servers, free_port, run_tests  # noqa: E402

TESTS = []
MAX_ADMINS = 16        # kMaxAdminClients
PING_MS = 10           # what the lane promises
# A process that does not get the processor is late itself. Of so many pings, so many must be in time.
PINGS, IN_TIME = 50, 45


def test(function):
    TESTS.append(function)
    return function


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"timed out: {what}"
        time.sleep(0.01)


def with_lane(servers, *arguments):
    port = free_port()
    server = servers.millrace("--admin-port", str(port), *arguments)
    return server, ("127.0.0.1", port)


def ping_times(client):
    times = []
    for _ in range(PINGS):
        began = time.perf_counter()
        assert client.ask(b"PING") == b"+PONG"
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)


def assert_fast(times, where):
    print(f"    {where}: PING on the admin lane p50 {times[len(times) // 2]:.2f} ms, max {times[-1]:.2f} ms")
    assert times[IN_TIME - 1] < PING_MS, (where, times)


def field(info, name):
    return int(info.decode().split(f"{name}:")[1].split()[0])


@test
def at_maxclients_the_operator_gets_in(servers):
    server, lane = with_lane(servers, "--maxclients", "50")
    # The connection that asked whether the server is up may still be there.
    wait_until(lambda: field(Client(lane).ask(b"INFO", b"clients"), "connected_clients") <= 2, "start")
    held = []
    while len(held) < 50:
        client = server.client()
        if client.ask(b"PING") == b"+PONG":
            held.append(client)
    assert server.client().read() == b"-ERR max number of clients reached"
    admin = Client(lane)
    assert_fast(ping_times(admin), "at maxclients")
    assert_fast(sorted(t for t in (first_ping(lane) for _ in range(PINGS))), "at maxclients, from connect()")
    lines = admin.ask(b"CLIENT", b"LIST").decode().splitlines()
    assert sum(" flags=a " in line for line in lines) >= 1, lines[:3]
    assert admin.ask(b"CONFIG", b"SET", b"maxclients", b"60") == b"+OK"
    assert server.client().ask(b"PING") == b"+PONG"


def first_ping(lane):
    began = time.perf_counter()
    client = Client(lane)
    assert client.ask(b"PING") == b"+PONG"
    took = (time.perf_counter() - began) * 1000
    client.close()
    return took


@test
def the_lane_is_bounded_and_says_so(servers):
    _, lane = with_lane(servers)
    admins = [Client(lane) for _ in range(MAX_ADMINS)]
    assert all(admin.ask(b"PING") == b"+PONG" for admin in admins)
    assert Client(lane).read() == b"-ERR max number of admin clients reached"
    admins.pop().close()
    wait_until(lambda: field(admins[0].ask(b"INFO", b"clients"), "admin_clients") == MAX_ADMINS - 1, "leaving")
    assert Client(lane).ask(b"PING") == b"+PONG"


@test
def without_a_descriptor_left_it_is_the_same(servers):
    """The limit sinks under a running server to what it has open: EMFILE for everybody but the lane."""
    server, lane = with_lane(servers, "--maxclients", "500")
    working = server.client()
    assert working.ask(b"PING") == b"+PONG"
    pid = server.process.pid
    wait_until(lambda: field(working.ask(b"INFO", b"clients"), "connected_clients") == 1, "start")
    numbers = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    open_now = max(numbers) + 1
    free = open_now - len(numbers)  # numbers below that somebody has left
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    outside = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(200)]
    for sock in outside[free:free + 20]:  # turned away at once: FIN or reset, not silence
        sock.settimeout(10)
        try:
            assert sock.recv(100) == b""
        except ConnectionResetError:
            pass
    admins = [Client(lane) for _ in range(MAX_ADMINS)]
    assert all(admin.ask(b"PING") == b"+PONG" for admin in admins)
    assert_fast(ping_times(admins[-1]), "without descriptors")
    for admin in admins[1:]:
        admin.close()
    wait_until(lambda: field(admins[0].ask(b"INFO", b"clients"), "admin_clients") == 1, "leaving")
    for _ in range(3):  # who leaves gives the number back to the lane
        assert_fast(sorted(first_ping(lane) for _ in range(PINGS)), "without descriptors, from connect()")
    assert working.ask(b"PING") == b"+PONG"
    # Newcomers wait in the backlog all the while, and the loop does not spin on them. (EMFILE with
    # the backlog full is a tick of refusals every pause, and pauses grow to a second.)
    more = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(300)]
    time.sleep(2)  # what is measured is idleness, over this time
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(2)
    share = (cpu_seconds(pid) - before) / (time.monotonic() - began)
    print(f"    processor without descriptors, 300 newcomers: {100 * share:.1f} %")
    assert share < 0.2, share
    for sock in outside + more:
        sock.close()


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@test
def a_small_ulimit_keeps_the_lanes_descriptors(servers):
    """ulimit -n 120: the lane's descriptors are taken off before maxclients is computed."""
    port, admin_port = free_port(), free_port()
    wrapper = os.path.join(os.path.dirname(MILLRACE), "millrace-server")
    server = servers.wrapped(["sh", "-c", 'ulimit -n 120; exec "$@"', "sh", wrapper], port,
                             "--admin-port", str(admin_port), "--maxclients", "5000")
    assert "maxclients has been reduced to 68" in server.log(), server.log()
    held = []
    while len(held) < 200:
        client = server.client()
        try:
            if client.ask(b"PING") != b"+PONG":
                break
        except (EOFError, ConnectionError):
            break
        held.append(client)
    assert len(held) >= 66, len(held)
    lane = ("127.0.0.1", admin_port)
    admins = [Client(lane) for _ in range(MAX_ADMINS)]
    assert all(admin.ask(b"PING") == b"+PONG" for admin in admins)
    assert_fast(ping_times(admins[0]), "ulimit -n 120, full")


@test
def over_a_unix_socket_that_only_its_owner_may_use(servers):
    server = servers.millrace("--admin-unixsocket", "admin.sock")
    path = os.path.join(server.directory, "admin.sock")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o700, oct(os.stat(path).st_mode)
    assert Client(path).ask(b"PING") == b"+PONG"
    info = server.ask(b"INFO", b"server").decode()
    assert "name=admin-unix,bind=admin.sock" in info, info


@test
def it_works_on_every_backend(servers):
    for backend in ("epoll", "poll", "select", "io_uring"):
        try:
            server, lane = with_lane(servers, "--event-backend", backend)
        except RuntimeError as error:
            assert backend == "io_uring", error  # not on every kernel
            continue
        admin = Client(lane)
        assert admin.ask(b"SET", b"k", b"v") == b"+OK"
        assert admin.ask(b"GET", b"k") == server.ask(b"GET", b"k") == b"$v"
        admin.close()
        for _ in range(40):
            again = Client(lane)
            assert again.ask(b"PING") == b"+PONG"
            again.close()


if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
