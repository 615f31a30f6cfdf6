#!/usr/bin/env python3
"""How long a client waits while another one fills the server with millions of keys, or while they expire.

    cmake --preset bench && cmake --build build/bench --target latency_probe millrace-server
    growth_latency.py [--keys 10000000] [--server 'COMMAND'] [--against 'COMMAND'] [--out F.json]

One server at a time, pinned to core 0; prober and loader (latency_probe.cc) on core 1. The phases:

    idle      an empty server, nobody else: the noise of the machine and of the measuring
    grow      a loader sets the keys, 64 to a write
    full      nobody else again, all keys there
    set-px    a new server, the same fill with keys that are going to expire
    expire    they expire, evenly over --window seconds, until none is left

`seen` is what the prober saw; `own` is that less the time that the server or the prober stood runnable
without a processor, by the scheduler's account; `work` is the smaller of that and of the processor time that
the server consumed meanwhile: its own work cannot have delayed the probe by more. What the hypervisor takes
is in all three, and printed for the phase as a whole. The server's own word follows: LATENCY LATEST, events
above a millisecond, worst of each (wall clock time, so with whatever the machine did meanwhile).
"""
import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/lib"))
from servers import Server, free_port  # noqa: E402

FLAGS = ["--bind", "127.0.0.1", "--protected-mode", "no", "--save", "", "--appendonly", "no", "--maxclients", "19000",
         "--tcp-backlog", "4096", "--latency-monitor-threshold", "1"]
PROBE = TOP / "build/bench/tests/latency_probe"
COLUMNS = ("median", "p99", "p999", "p9999", "worst")
IDLE_SECONDS = 5
# Between the end of the fill and the first expiry: the fill must not overlap it.
MARGIN_SECONDS = 2


def start(name, command):
    port = free_port()
    server = Server(name, ["taskset", "-c", "0", *shlex.split(command), "--port", str(port), *FLAGS], port)
    # So that what else runs on this machine is in the way as little as may be; of both servers alike.
    subprocess.run(["renice", "-n", "-20", "-p", str(server.process.pid)], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False)
    return server


def stolen_seconds():
    """What the hypervisor gave to others, of all processors, since the machine started."""
    with open("/proc/stat") as stat:
        return int(stat.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def probe(server, phase, *arguments):
    stolen = stolen_seconds()
    command = ["nice", "-n", "-20", "taskset", "-c", "1", str(PROBE), str(server.port), str(server.process.pid), *map(str, arguments)]
    result = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    result["server"], result["phase"] = server.name, phase
    result["stolen_seconds"] = stolen_seconds() - stolen
    for account in ("seen", "own", "work"):
        figures = result[account]
        print(f"{server.name if account == 'seen' else '':10}{phase if account == 'seen' else '':8}"
              f"{result['probes'] if account == 'seen' else '':>8} {account:5}"
              + "".join(f"{figures[column]:10.1f}" for column in COLUMNS) + f"{figures['above']:9}", flush=True)
    print(f"{'':10}{result['seconds']:.0f} s, {result['stolen_seconds']:.2f} s stolen by the hypervisor", flush=True)
    return result


def own_word(server):
    """The worst of each event, in milliseconds, by the server's latency monitor."""
    events = {event[0][1:].decode(): int(event[3][1:]) for event in server.ask(b"LATENCY", b"LATEST")}
    server.ask(b"LATENCY", b"RESET")
    print(f"{'':10}{server.name} says: " + (", ".join(f"{name} {ms} ms" for name, ms in events.items()) or
                                          "no event of a millisecond"), flush=True)
    return events


def measure(name, command, options):
    results = []

    def run(server, phase, *arguments):
        result = probe(server, phase, "--keys", options.keys, *arguments)
        result["own_word_ms"] = own_word(server)
        results.append(result)
        return result

    server = start(name, command)
    run(server, "idle", "--seconds", IDLE_SECONDS)
    fill_seconds = run(server, "grow", "--fill")["seconds"]
    assert server.ask(b"DBSIZE") == b":%d" % options.keys
    run(server, "full", "--seconds", IDLE_SECONDS)
    server.stop()

    server = start(name, command)
    # A SET with a time is a longer command: half as much again.
    begin_ms = int((time.time() + 1.5 * fill_seconds + MARGIN_SECONDS) * 1000)
    run(server, "set-px", "--fill", "--expire-at-ms", begin_ms, "--expire-over-ms", options.window * 1000)
    if time.time() * 1000 > begin_ms:
        print("the fill overlapped the expiry: what follows is of the rest of the keys", flush=True)
    time.sleep(max(0, begin_ms / 1000 - time.time()))
    run(server, "expire", "--until-empty", options.patience)
    left = server.ask(b"DBSIZE").decode()[1:]
    print(f"{'':10}{left} keys left after {results[-1]['seconds']:.1f} s", flush=True)
    server.stop()
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=10_000_000)
    parser.add_argument("--window", type=int, default=10, help="seconds over which the keys expire")
    parser.add_argument("--patience", type=int, default=120, help="seconds until the last must be gone")
    parser.add_argument("--server", default=str(TOP / "build/bench/src/server/millrace-server"))
    parser.add_argument("--against", default="redis-server", help="the other server; empty: none")
    parser.add_argument("--out", help="a file for all figures, as JSON")
    options = parser.parse_args()
    print(f"{'server':10}{'phase':8}{'probes':>8} {'us':5}" + "".join(f"{column:>10}" for column in COLUMNS) + "   > 1 ms")
    results = measure("millrace", options.server, options)
    if options.against:
        results += measure("redis", options.against, options)
    if options.out:
        pathlib.Path(options.out).write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
