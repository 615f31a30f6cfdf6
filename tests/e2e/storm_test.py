#!/usr/bin/env python3
"""A reconnect storm while others work: 17,900 connections drop at once and come back as fast as they
can, 100 clients go on asking, and an operator pings by the admin lane.

    tests/e2e/storm_test.py                 the gates of CI: nothing lost, and orders of magnitude
    tests/e2e/storm_test.py --strict        the promises, for a quiet machine: p99 of the working
                                            clients at most doubles, all in within 5 s, the lane's
                                            PING below 10 ms throughout
    tests/e2e/storm_test.py --redis         redis-server's figures beside ours (no admin lane)
    --crowd N, --rate R, --rounds N         (17900, 5000, 1; the best round counts: the others were
                                            somebody else's)

Three processes beside the server: a millrace-load with the 100, in an open loop, once without and
once with the storm; one with the crowd; and this one, which pings. MILLRACE_SERVER and LOAD name the
programs.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import TOP, Client, Servers, free_port  # noqa: E402

LOAD = os.environ.get("LOAD", str(TOP / "build/release/src/load/millrace-load"))
WORKING, STAYING = 100, 10
SECONDS = 5           # of each measurement; the storm falls into the second one
LEAD = 1.0            # the working clients are at it for so long when the storm begins
# Of the PINGs so many in a hundred must be in time.
LOOSE = {"rise": 20, "floor_ms": 500, "reconnect_s": 30, "ping_ms": 300, "ping_percent": 99}
STRICT = {"rise": 2, "floor_ms": 0, "reconnect_s": 5, "ping_ms": 10, "ping_percent": 100}


class Load:
    """A run of millrace-load with its report."""

    def __init__(self, port, *arguments):
        self.report_path = tempfile.mktemp(suffix=".json")
        self.process = subprocess.Popen(
            [LOAD, "--port", str(port), "--json", self.report_path, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []

    def wait_for(self, word):
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith(word):
                return
        raise AssertionError("ended early:\n" + "".join(self.lines))

    def finish(self):
        self.lines += self.process.stdout.readlines()
        assert self.process.wait(120) == 0, "".join(self.lines)
        with open(self.report_path) as file:
            report = json.load(file)
        os.unlink(self.report_path)
        return {phase["scenario"]: phase for phase in report["phases"]}

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Pinger(threading.Thread):
    """PING on the admin lane every five milliseconds, until told to end."""

    def __init__(self, lane):
        super().__init__(daemon=True)
        self.client, self.times, self.ending = Client(lane), [], threading.Event()

    def run(self):
        while not self.ending.wait(0.005):
            began = time.perf_counter()
            assert self.client.ask(b"PING") == b"+PONG"
            self.times.append((time.perf_counter() - began) * 1000)

    def end(self):
        self.ending.set()
        self.join(30)
        self.client.close()
        return sorted(self.times)


def working(server, rate):
    return Load(server.port, "--connections", str(WORKING), "--rate", str(rate), f"random:{SECONDS}s")


def one_round(server, lane, crowd, rate):
    """The figures of one storm."""
    hold = 2 * SECONDS + 4  # connect, the measurement without, the lead of the one with
    # A few of the crowd stay, for millrace-load to have somebody to ask.
    everybody = crowd + STAYING
    storm = Load(server.port, "--connections", str(everybody), "--per-source", "6000", "--rate", "1",
                 "--handshakes", "1024", "--storm-share", str(100 * crowd / everybody), f"hold:{hold}s",
                 "storm:1s")
    runs = [storm]
    try:
        storm.wait_for("connect ")
        connected = time.monotonic()
        runs.append(working(server, rate))
        before = runs[-1].finish()["random"]
        pinger = Pinger(lane) if lane else None
        if pinger:
            pinger.start()
        time.sleep(max(0.0, connected + hold - LEAD - time.monotonic()))
        runs.append(working(server, rate))
        storm.wait_for("hold ")
        assert runs[-1].process.poll() is None, "the working clients were done before the storm began"
        during = runs[-1].finish()["random"]
        phases = storm.finish()
        pings = pinger.end() if pinger else []
    finally:
        for run in runs:
            run.stop()
    assert before["answered"] == before["asked"] == during["answered"] == during["asked"], (before, during)
    assert phases["storm"]["connected"] == crowd, phases["storm"]
    assert phases["storm"]["present"] == everybody, phases["storm"]
    return {"before_ms": before["latency"]["p99_ns"] / 1e6, "during_ms": during["latency"]["p99_ns"] / 1e6,
            "max_ms": during["latency"]["max_ns"] / 1e6, "reconnect_s": phases["storm"]["reconnect_ns"] / 1e9,
            "pings": pings}


def describe(name, crowd, figures):
    rise = figures["during_ms"] / figures["before_ms"]
    print(f"{name}: {crowd} came back in {figures['reconnect_s']:.2f} s; p99 of {WORKING} working clients "
          f"{figures['before_ms']:.3f} ms before, {figures['during_ms']:.3f} ms with the storm ({rise:.2f} "
          f"times), longest {figures['max_ms']:.1f} ms")
    if figures["pings"]:
        pings = figures["pings"]
        print(f"{name}: admin lane, {len(pings)} PINGs: p50 {pings[len(pings) // 2]:.2f} ms, p99 "
              f"{pings[len(pings) * 99 // 100]:.2f} ms, longest {pings[-1]:.2f} ms", flush=True)


def kept(figures, gates):
    """What of the promises was not kept, in words."""
    if figures["during_ms"] > max(gates["rise"] * figures["before_ms"], gates["floor_ms"]):
        yield f"p99 rose from {figures['before_ms']:.3f} to {figures['during_ms']:.3f} ms"
    if figures["reconnect_s"] > gates["reconnect_s"]:
        yield f"it took {figures['reconnect_s']:.1f} s until all were in"
    pings = figures["pings"]
    if pings:
        slowest = pings[(len(pings) - 1) * gates["ping_percent"] // 100]
        if slowest > gates["ping_ms"]:
            yield f"a PING on the admin lane took {slowest:.1f} ms"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--redis", action="store_true")
    parser.add_argument("--no-lane", action="store_true", help="for a server without one, to compare")
    parser.add_argument("--crowd", type=int, default=17_900)
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    common = ("--maxclients", "19500", "--protected-mode", "no", "--tcp-backlog", "4096")
    broken = []
    with Servers() as servers:
        if options.redis:
            # It accepts before it has closed: the crowd must fit twice.
            crowd = min(options.crowd, 9000)
            describe("redis", crowd, one_round(servers.redis(*common), None, crowd, options.rate))
        lane = None if options.no_lane else ("127.0.0.1", free_port())
        server = servers.millrace(*common, *(("--admin-port", str(lane[1])) if lane else ()))
        for _ in range(options.rounds):
            figures = one_round(server, lane, options.crowd, options.rate)
            describe("millrace", options.crowd, figures)
            broken = list(kept(figures, STRICT if options.strict else LOOSE))
            if not broken:
                break
    for promise in broken:
        print("FAILED:", promise)
    print("0 failed" if not broken else f"{len(broken)} failed")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
