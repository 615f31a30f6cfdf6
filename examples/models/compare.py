#!/usr/bin/python3
"""Runs every model of this folder under the same load and writes what that cost: data, picture, tables.

    examples/models/compare.py                 # some five minutes; writes docs/models.{json,svg} and the tables
                                               # of docs/models.md
    examples/models/compare.py --quick         # twenty seconds; writes build/models/, checks that all of it runs
    examples/models/compare.py --draw          # measures nothing; picture and tables from docs/models.json

Builds what it needs in build/release, unless --build names what is there; the load is millrace-load.

Two loads over 1 to 10,000 connections: at most 50 of them ask and the rest is idle, as most connections of most
servers are; then all ask. Each asks again when it has its reply (`saturate`). The request is GET of one of 1,000 keys.

The load runs on processor 1. Ways to wait (all of one thread) are pinned to processor 0. Models of several threads or
processes, and one loop beside them for comparison, may use both, and share the second with the load: so their
throughput is what this machine of two can do with the load beside it, not what the model could. The figure that
compares is processor time per request, by the scheduler's own account, of all threads and processes of the server.
Rounds are interleaved (A B C A B C), so that a noisy minute hits all alike; medians are reported. docs/models.md says
how to read it.
"""
import argparse
import datetime
import glob
import json
import os
import pathlib
import platform
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import plot

TOP = pathlib.Path(__file__).resolve().parents[2]
CONNECTIONS = (1, 10, 100, 1000, 10_000)
ACTIVE = 50
KEYS = 1000
CPU_CLOCK_OF_PROCESS = 2  # clock_getcpuclockid(3), spelled out: Python lends it for threads only
KERNEL_STACK_BYTES = 16 * 1024  # of a thread, x86-64 and AArch64; not in the resident set

# name: program and flags, on both processors?, connections at most
MODELS = {
    "epoll": (["single_reactor", "--backend", "epoll"], False, None),
    "poll": (["single_reactor", "--backend", "poll"], False, None),
    "select": (["single_reactor", "--backend", "select"], False, 1000),  # FD_SETSIZE is 1024
    "io_uring": (["single_reactor", "--backend", "io_uring"], False, None),
    "level": (["triggers", "--trigger", "level"], False, None),
    "edge": (["triggers", "--trigger", "edge"], False, None),
    "edge-short": (["triggers", "--trigger", "edge-short"], False, None),
    "one loop": (["single_reactor"], True, None),  # epoll once more, under the rules of those below
    "worker pool": (["worker_pool", "--threads", "2"], True, None),
    "dealt loops": (["dealt_loops", "--threads", "2"], True, None),
    "reuseport loops": (["reuseport_loops", "--threads", "2"], True, None),
    "prefork, accept lock": (["prefork", "--wake", "lock", "--processes", "2"], True, None),
    "prefork, exclusive": (["prefork", "--wake", "exclusive", "--processes", "2"], True, None),
    "thread per connection": (["thread_per_connection"], True, None),
}
HERD = ("all", "lock", "exclusive")


def pinned(cpus, command):
    return ["taskset", "-c", cpus, *command] if os.cpu_count() > 1 else command


class Server:
    """One of the programs, on a free port, with the processes it forks."""

    def __init__(self, build, command, both):
        program = [str(build / "examples/models" / command[0]), *command[1:], "--port", "0"]
        self.process = subprocess.Popen(pinned("0,1" if both else "0", program), stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on"):
            sys.exit(f"{' '.join(program)} does not listen")
        self.port = int(line.rsplit(":", 1)[1])

    def pids(self):
        pid = self.process.pid
        return [pid, *(int(child) for child in open(f"/proc/{pid}/task/{pid}/children").read().split())]

    def cpu_ns(self):
        """The processes' CPU clocks: the scheduler's account (as in schedstat) of all threads, in one call."""
        return sum(time.clock_gettime_ns(~pid << 3 | CPU_CLOCK_OF_PROCESS) for pid in self.pids())

    def memory(self):
        """Bytes of memory that exist because of this server's user space: pages, their tables, threads' stacks."""
        total = 0
        for pid in self.pids():
            for line in open(f"/proc/{pid}/smaps_rollup"):  # Pss: what processes share is counted once
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
            for line in open(f"/proc/{pid}/status"):
                if line.startswith("VmPTE:"):
                    total += int(line.split()[1]) * 1024
                if line.startswith("Threads:"):
                    total += int(line.split()[1]) * KERNEL_STACK_BYTES
        return total

    def wakeups(self):
        """How often its processes went to sleep, by process."""
        counts = []
        for pid in self.pids()[1:]:
            status = open(f"/proc/{pid}/status").read()
            counts.append(int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0]))
        return counts

    def sockets(self):
        """How many its processes hold, by process."""
        return [sum(os.readlink(file).startswith("socket:") for file in glob.glob(f"/proc/{pid}/fd/*"))
                for pid in self.pids()[1:]]

    def fill(self):
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            for key in range(KEYS):
                connection.sendall(b"*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$5\r\nvalue\r\n" % key)
            answer = b""
            while len(answer) < 5 * KEYS:
                answer += connection.recv(65536)
            assert answer == b"+OK\r\n" * KEYS

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()


def measure(build, name, connections, seconds):
    """One server, one crowd: its memory, and rate and processor time with few and with all asking."""
    command, both, _ = MODELS[name]
    server = Server(build, command, both)
    try:
        server.fill()
        return load(build, server, connections, seconds)
    finally:
        server.stop()


def load(build, server, connections, seconds):
    active = min(connections, ACTIVE)
    # What it cost is read while nothing is asked; the memory of ten thousand threads takes a moment.
    hold = f"hold:{30 + connections // 100}ms"
    phases = [f"saturate:{seconds / 4}s@{active}", hold, f"saturate:{seconds}s@{active}", hold]
    if connections > active:
        phases += [f"saturate:{seconds}s", hold]
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        words = [str(build / "src/load/millrace-load"), "--port", str(server.port), "--connections", str(connections),
                 "--command", "GET key:__rand__", "--keyspace", str(KEYS), "--json", report.name, *phases]
        tester = subprocess.Popen(pinned("1", words), stdout=subprocess.PIPE, text=True)
        cpu, memory = [], 0
        for line in tester.stdout:
            if line.startswith("saturate"):
                cpu.append(server.cpu_ns())
                memory = memory or server.memory()  # after the first requests, and before all have asked
        if tester.wait() != 0:
            sys.exit(f"{' '.join(words)}: lost requests")
        results = [p for p in json.load(report)["phases"] if p["scenario"] == "saturate"]
    row = {"memory": memory}
    for kind, i in (("few", 1), ("all", 2)):
        if i >= len(results):
            break
        row[kind] = {"rate": results[i]["answered"] / results[i]["wall_ns"] * 1e9,
                     "cpu_us": (cpu[i] - cpu[i - 1]) / 1000 / results[i]["answered"]}
    row.setdefault("all", row["few"])  # up to 50 all are asking
    return row


def count_herd(build, wake, processes, connections):
    """Connects one by one, and counts who wakes up."""
    server = Server(build, ["prefork", "--wake", wake, "--processes", str(processes)], True)
    held = []
    try:
        while len(server.pids()) <= processes:
            time.sleep(0.01)
        time.sleep(0.3)  # until all sleep
        begin, before = time.monotonic(), sum(server.wakeups())
        time.sleep(0.5)
        idle = (sum(server.wakeups()) - before) / (time.monotonic() - begin)
        begin, before, cpu, listening = time.monotonic(), server.wakeups(), server.cpu_ns(), server.sockets()
        for _ in range(connections):
            held.append(socket.create_connection(("127.0.0.1", server.port), 10))
            time.sleep(0.002)  # until all sleep again
        took, cpu = time.monotonic() - begin, server.cpu_ns() - cpu
        woken = [after - start for start, after in zip(before, server.wakeups())]
        shares = [now - then for then, now in zip(listening, server.sockets())]
        return {"wakeups": (sum(woken) - idle * took) / connections, "idle_per_second": idle,
                "cpu_us": cpu / 1000 / connections, "most_of_one": max(shares) / connections}
    finally:
        for connection in held:
            connection.close()
        server.stop()


def medians(rows):
    if isinstance(rows[0], dict):
        return {key: medians([row[key] for row in rows]) for key in rows[0]}
    return statistics.median(rows)


def run(args):
    began, load_before = time.monotonic(), os.getloadavg()
    sizes = (1, 100, 1000) if args.quick else CONNECTIONS
    processes = (1, 4) if args.quick else (1, 2, 4, 8, 16)
    reps, seconds, newcomers = (1, 0.1, 30) if args.quick else (args.reps, args.seconds, 200)
    cells, herd = {}, {}
    for rep in range(reps):
        for size in sizes:
            for name, (_, _, most) in MODELS.items():
                if most is None or size <= most:
                    row = measure(args.build, name, size, seconds)
                    cells.setdefault(name, {}).setdefault(str(size), []).append(row)
            print(f"round {rep + 1} of {reps}, {size} connections, {time.monotonic() - began:.0f} s", flush=True)
    for count in processes:
        for wake in HERD:
            rows = [count_herd(args.build, wake, count, newcomers) for _ in range(reps)]
            herd.setdefault(wake, {})[str(count)] = medians(rows)
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    return {
        "command": "examples/models/compare.py " + " ".join(sys.argv[1:]),
        "date": datetime.datetime.now().isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} x {model}, Linux {platform.release()}",
        "load_average": {"before": load_before, "after": os.getloadavg()},
        "took_seconds": round(time.monotonic() - began),
        "repetitions": reps, "seconds_each": seconds, "active": ACTIVE,
        "median": {name: {size: medians(rows) for size, rows in sizes.items()} for name, sizes in cells.items()},
        "runs": cells, "herd": herd,
    }


def rounded(value):
    """Four significant digits; the data is read by people too."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def write(data, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models.json").write_text(json.dumps(data, indent=1) + "\n")
    (folder / "models.svg").write_text(plot.picture(data))
    page = folder / "models.md"
    if page.exists():
        page.write_text(plot.with_tables(page.read_text(), data))
    print(plot.tables(data))


def build_release():
    folder = TOP / "build/release"
    subprocess.run(["cmake", "--preset", "release"], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", folder, "--target", "models", "millrace-load"], check=True,
                   stdout=subprocess.DEVNULL)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, help="a build directory to take the programs from as they are")
    parser.add_argument("--out", type=pathlib.Path, help="folder of models.json and models.svg")
    parser.add_argument("--quick", action="store_true", help="one short round, three sizes")
    parser.add_argument("--draw", action="store_true", help="picture and tables from the data that is there")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    args = parser.parse_args()
    out = args.out or (TOP / "build/models" if args.quick else TOP / "docs")
    if args.draw:
        return write(json.loads((out / "models.json").read_text()), out)
    args.build = args.build or build_release()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    write(rounded(run(args)), out)


if __name__ == "__main__":
    main()
