#!/usr/bin/env python3
"""What a snapshot costs those who are served meanwhile: BGSAVE under a load of writes, here and in Redis, by turns.

    redis-bench-configs/bgsave.py [--keys 1000000] [--size 100] [--seconds 10]

Both servers get the same keys (DEBUG POPULATE) and the same load (redis-benchmark SET, 20 clients, over as many random
keys). Read: `p99` and `max` while it saves beside those without a snapshot: the fork and the copied pages; `copied`:
memory that the child and the server no longer share at its end (rdb_last_cow_size); `took`: how long the snapshot
took, with the load beside it; `fork`: how long the server stood still. Run it on an idle machine: everything here
shares its processors.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "lib"))
from servers import Servers  # noqa: E402


def info(server, field):
    text = server.ask(b"INFO").decode(errors="replace")
    return re.search(rf"^{field}:(.*?)\r$", text, re.M).group(1)


def load(server, args, seconds):
    """redis-benchmark for about so long; requests per second, p99 and max in ms."""
    command = ["redis-benchmark", "-p", str(server.port), "-t", "set", "-c", "20", "-d", str(args.size), "-r",
               str(args.keys), "-n", str(args.rate * seconds), "--csv"]
    row = subprocess.run(command, capture_output=True, text=True, timeout=20 * seconds + 60).stdout.splitlines()[-1]
    columns = [column.strip('"') for column in row.split(",")]
    return float(columns[1]), float(columns[6]), float(columns[7])


def measure(server, args):
    server.ask(b"DEBUG", b"POPULATE", b"%d" % args.keys, b"key", b"%d" % args.size)
    without = load(server, args, args.seconds)
    server.ask(b"BGSAVE")
    during = load(server, args, args.seconds)
    end = time.monotonic() + 300
    while info(server, "rdb_bgsave_in_progress") != "0" and time.monotonic() < end:
        time.sleep(0.1)
    assert info(server, "rdb_last_bgsave_status") == "ok"
    return without, during


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rate", type=int, default=40_000, help="requests per second that are expected")
    args = parser.parse_args()
    print(f"{'':10}{'':9}{'req/s':>9}{'p99 ms':>9}{'max ms':>9}{'took s':>8}{'fork ms':>9}{'copied MB':>11}{'used MB':>9}")
    for name in ("redis", "millrace"):
        with Servers() as servers:
            server = getattr(servers, name)("--enable-debug-command", "yes")
            without, during = measure(server, args)
            for label, (rate, p99, worst) in (("idle", without), ("saving", during)):
                tail = ""
                if label == "saving":
                    tail = (f"{info(server, 'rdb_last_bgsave_time_sec'):>8}"
                            f"{int(info(server, 'latest_fork_usec')) / 1000:>9.1f}"
                            f"{int(info(server, 'rdb_last_cow_size')) / 2 ** 20:>11.1f}"
                            f"{int(info(server, 'used_memory')) / 2 ** 20:>9.1f}")
                print(f"{name:10}{label:9}{rate:>9.0f}{p99:>9.2f}{worst:>9.2f}{tail}", flush=True)


if __name__ == "__main__":
    main()
