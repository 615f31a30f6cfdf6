#!/usr/bin/env python3
"""Runs the figures of this folder: Millrace and Debian's redis-server side by side, in one run.

    redis-bench-configs/run.py [FIGURE.toml ...] [--reps 3] [--json FILE]

A figure is one TOML file: purpose, server flags, the redis-benchmark command line, how to read it. The two
servers run pinned to core 0, the client to core 1, in turn A B A B ..., and medians are reported. The
number to trust on a shared machine is server CPU per request, from the scheduler's own account
(/proc/PID/task/*/schedstat): requests per second measure the client as soon as the client is the slower
one. A ratio below 1 means that Millrace costs less.
"""
import argparse
import glob
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/lib"))
from servers import Servers, encode  # noqa: E402


def pin(server):
    subprocess.run(["taskset", "-acp", "0", str(server.process.pid)], stdout=subprocess.DEVNULL, check=True)


def cpu_ns(server):
    total = 0
    for path in glob.glob(f"/proc/{server.process.pid}/task/*/schedstat"):
        total += int(open(path).read().split()[0])
    return total


def preload(server, keys):
    client = server.client()
    for start in range(0, keys, 5000):
        count = min(5000, keys - start)
        client.socket.sendall(b"".join(encode(b"SET", b"key:%012d" % k, b"x" * 16) for k in range(start, start + count)))
        for _ in range(count):
            assert client.read() == b"+OK"
    client.ask(b"RPUSH", b"mylist", *[b"x" * 16] * 500)
    client.close()


def measure(server, figure):
    words = ["taskset", "-c", "1", "redis-benchmark", "-h", "127.0.0.1", "-p", str(server.port), "-q", *figure["client"].split()]
    before = cpu_ns(server)
    text = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600).stdout
    spent = cpu_ns(server) - before
    rates = re.findall(r"([\d.]+) requests per second", text)
    if not rates:
        sys.exit(f"no result: {' '.join(words)}\n{text[-500:]}")
    return {"cpu_us": spent / 1000 / figure["requests"], "rps": float(rates[-1])}


def run_figure(path, reps):
    figure = tomllib.load(open(path, "rb"))
    with Servers() as servers:
        flags = figure.get("server", "").split()
        sides = {"millrace": servers.millrace(*flags, *figure.get("millrace", "").split()), "redis": servers.redis(*flags)}
        for server in sides.values():
            pin(server)
            preload(server, figure.get("keys", 1_000_000))
        runs = {name: [] for name in sides}
        for _ in range(reps):
            for name, server in sides.items():
                runs[name].append(measure(server, figure))
    middle = {name: {k: statistics.median(r[k] for r in rows) for k in ("cpu_us", "rps")} for name, rows in runs.items()}
    return {"figure": pathlib.Path(path).stem, "purpose": figure["purpose"], "runs": runs, "median": middle,
            "cpu_ratio": middle["millrace"]["cpu_us"] / middle["redis"]["cpu_us"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="*", default=sorted(map(str, HERE.glob("*.toml"))))
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--json")
    args = parser.parse_args()
    rows = []
    print("| figure | what | CPU µs/request, Millrace | Redis | ratio |\n|---|---|---|---|---|")
    for path in args.figures:
        row = run_figure(path, args.reps)
        rows.append(row)
        print(f"| {row['figure']} | {row['purpose']} | {row['median']['millrace']['cpu_us']:.3f} | "
              f"{row['median']['redis']['cpu_us']:.3f} | {row['cpu_ratio']:.2f} |", flush=True)
    if args.json:
        json.dump(rows, open(args.json, "w"), indent=1)


if __name__ == "__main__":
    main()
