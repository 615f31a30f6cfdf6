#!/usr/bin/env python3
"""millrace-load as its user meets it: over real sockets, in several processes, against both servers.

    tests/e2e/load_test.py          LOAD=path/to/millrace-load, MILLRACE_SERVER=path/to/millrace-server
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import TOP, Servers, free_port  # noqa: E402

LOAD = os.environ.get("LOAD", str(TOP / "build/release/src/load/millrace-load"))
OPEN_TO_DEBUG = ("--enable-debug-command", "yes", "--protected-mode", "no")
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Run:
    """One run to its end; the report as parsed JSON."""

    def __init__(self, port, *arguments, during=None):
        with tempfile.TemporaryDirectory() as directory:
            report = os.path.join(directory, "report.json")
            self.svg_path = os.path.join(directory, "report.svg")
            process = subprocess.Popen(
                [LOAD, "--port", str(port), "--json", report, "--svg", self.svg_path, *arguments],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.seen = during(process) if during else None
            self.text, self.errors = process.communicate(timeout=60)
            self.status = process.returncode
            self.pid = process.pid
            self.report = json.load(open(report)) if os.path.exists(report) else None
            self.svg = xml.etree.ElementTree.parse(self.svg_path) if self.report else None

    def phase(self, name):
        return next(phase for phase in self.report["phases"] if phase["scenario"] == name)


def stall(server, after, seconds):
    """DEBUG SLEEP on a connection of its own, some time after the load began."""
    def body(process):
        line = process.stdout.readline()
        assert line.startswith("127.0.0.1:"), line
        # The second line comes when everybody is connected, and the load begins with it.
        while not process.stdout.readline().startswith("connect"):
            pass
        time.sleep(after)  # into the load: the moment itself does not matter
        began = time.monotonic()
        assert server.ask(b"DEBUG", b"SLEEP", str(seconds).encode()) == b"+OK"
        return time.monotonic() - began
    return body


def both(servers, *arguments):
    yield servers.millrace(*OPEN_TO_DEBUG, *arguments)
    yield servers.redis(*OPEN_TO_DEBUG, *arguments)


@test
def a_stall_is_reported_in_full_and_the_closed_loop_hides_it(servers):
    """The figures of docs/load.md. 1000 requests a second for 3 s, of which 300 wait up to 300 ms."""
    for server in both(servers):
        run = Run(server.port, "--rate", "1000", "--closed", "1", "random:3s",
                  during=stall(server, 1, 0.3))
        phase = run.phase("random")
        opened, closed = phase["latency"], phase["closed_loop"]
        assert run.status == 0 and phase["answered"] == phase["asked"] == 3000, run.text
        assert 290e6 < opened["max_ns"] < 1000e6, run.text
        # A tenth of the requests fell into the stall, so the 99th percentile is within it ...
        assert opened["p99_ns"] > 200e6 and phase["late"] > 80, run.text
        # ... of which the closed loop saw one request of some 2700.
        assert closed["max_ns"] > 250e6, run.text
        assert closed["p99_ns"] < 100e6 and closed["p99_ns"] < opened["p99_ns"] / 2, run.text
        print(f"    {server.name}: open p99 {opened['p99_ns'] / 1e6:.1f} ms, closed p99 "
              f"{closed['p99_ns'] / 1e6:.3f} ms, stall of {run.seen * 1e3:.0f} ms")


@test
def every_scenario_over_several_processes_and_addresses(servers):
    for server in both(servers):
        run = Run(server.port, "--connections", "600", "--per-source", "250", "--processes", "3",
                  "--rate", "2000", "--peers", "30", "--server-pid", str(server.process.pid),
                  "hold:200ms", "sweep", "random:300ms", "sticky:300ms", "dribble:300ms",
                  "slow:1500ms", "half-open:300ms", "storm:300ms")
        assert run.status == 0 and run.report["clean"], run.text + run.errors
        assert [phase["scenario"] for phase in run.report["phases"]] == [
            "connect", "hold", "sweep", "random", "sticky", "dribble", "slow", "half-open", "storm"]
        for phase in run.report["phases"]:
            assert phase["present"] == 600, phase
            assert phase["asked"] == phase["answered"], phase
            assert phase["server"]["resident_bytes"] > 1 << 20, phase
        assert run.phase("connect")["connected"] == 600
        assert run.phase("sweep")["asked"] == 600
        assert run.phase("random")["asked"] == 600
        assert run.phase("slow")["peer_bytes"] > 0
        assert run.phase("storm")["connected"] == 300 and run.phase("storm")["reconnect_ns"] > 0
        assert "us of CPU per request" in run.text and "bytes per connection" in run.text
        assert run.svg.getroot().tag.endswith("svg")
        curves = [e for e in run.svg.iter() if e.tag.endswith("polyline")]
        assert len(curves) == 7, "one for each phase with requests"


@test
def the_server_sees_the_connections_it_is_said_to_have(servers):
    """300 connections from three addresses, held, and every one of them asked exactly once."""
    server = servers.millrace(*OPEN_TO_DEBUG)
    addresses = {}

    def look(process):
        while not process.stdout.readline().startswith("connect"):
            pass
        clients = server.ask(b"CLIENT", b"LIST").decode().splitlines()
        for line in clients:
            fields = dict(field.split("=", 1) for field in line.split() if "=" in field)
            if "addr" in fields:
                host = fields["addr"].rsplit(":", 1)[0]
                addresses[host] = addresses.get(host, 0) + 1

    run = Run(server.port, "--connections", "300", "--per-source", "100", "--rate", "3000",
              "--command", "INCR load:count", "hold:1s", "sweep", during=look)
    assert run.status == 0, run.text
    # The hundredth one more is the one that looks.
    assert {host: n for host, n in addresses.items() if host != "127.0.0.1"} == {
        "127.0.1.1": 100, "127.0.1.2": 100, "127.0.1.3": 100}, addresses
    assert server.ask(b"GET", b"load:count") == b"$300"


@test
def templates_reach_the_server_as_meant(servers):
    server = servers.redis(*OPEN_TO_DEBUG)
    run = Run(server.port, "--rate", "5000", "--keyspace", "10", "--data-size", "100",
              "--command", "SET key:__rand__ __data__", "--expect", "OK", "random:500ms")
    assert run.status == 0 and run.phase("random")["asked"] == 2500, run.text
    assert server.ask(b"DBSIZE") == b":10"
    assert server.ask(b"STRLEN", b"key:000000000007") == b":100"


@test
def over_a_unix_socket(servers):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "socket")
        servers.redis("--unixsocket", path)
        run = Run(1, "--host", path, "--connections", "50", "--processes", "2", "sweep")
        assert run.status == 0 and run.phase("sweep")["answered"] == 50, run.text


@test
def trouble_is_an_exit_status(servers):
    server = servers.redis(*OPEN_TO_DEBUG, "--maxclients", "50")
    run = Run(server.port, "--connections", "80", "--rate", "1000", "hold:200ms", "sweep")
    assert run.status == 1 and "max number of clients reached" in run.text, run.text
    assert sum(phase["broken"] for phase in run.report["phases"]) == 30, run.text
    wrong = Run(server.port, "--connections", "10", "--command", "LPUSH", "random:100ms")
    assert wrong.status == 1 and "wrong number of arguments" in wrong.text, wrong.text


@test
def a_silent_server_does_not_keep_it(servers):
    """Connections are made by the kernel; nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        run = Run(silent.getsockname()[1], "--connections", "10", "--rate", "100", "--deadline",
                  "300ms", "random:500ms")
        assert run.status == 1 and run.phase("random")["unanswered"] == 50, run.text


@test
def no_server_is_a_sentence(servers):
    run = Run(free_port(), "--connections", "10", "random:100ms")
    assert run.status == 1 and "Connection refused" in run.text, run.text
    assert len(run.report["phases"]) == 1, "there is nothing to go on with"


@test
def a_server_that_ends_is_noticed(servers):
    server = servers.redis(*OPEN_TO_DEBUG)

    def end(process):
        while not process.stdout.readline().startswith("connect"):
            pass
        server.stop()

    run = Run(server.port, "--connections", "20", "--processes", "2", "hold:1s", during=end)
    assert run.status == 1 and run.phase("hold")["broken"] == 20, run.text


@test
def workers_do_not_outlive_their_conductor(servers):
    server = servers.redis(*OPEN_TO_DEBUG)

    def kill(process):
        while not process.stdout.readline().startswith("connect"):
            pass
        process.kill()

    run = Run(server.port, "--connections", "40", "--processes", "2", "hold:60s", during=kill)
    end = time.monotonic() + 10
    while b"connected_clients:1\r\n" not in server.ask(b"INFO", b"clients"):
        assert time.monotonic() < end, "the workers are still connected"
        time.sleep(0.02)
    assert run.status < 0


def main():
    wanted = sys.argv[1:]
    failed = 0
    for function in TESTS:
        if wanted and function.__name__ not in wanted:
            continue
        began = time.monotonic()
        try:
            with Servers() as servers:
                function(servers)
            print(f"ok      {function.__name__}  {time.monotonic() - began:.1f} s", flush=True)
        except Exception as error:  # noqa: BLE001
            failed += 1
            print(f"FAILED  {function.__name__}: {type(error).__name__}: {str(error)[:2000]}", flush=True)
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
