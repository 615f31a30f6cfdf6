#!/usr/bin/env python3
"""What an append-only file costs: SETs per second with `appendfsync everysec` as a part of those without a file.

    redis-bench-configs/append_only.py [--rounds 5] [--pipeline 1 16] [--redis]

Both servers run side by side on the same disk and are asked by turns, so that a slow moment of the machine meets both; printed is
the median of the ratios of a round. --redis does the same with Debian's redis-server. Aim: 0.85 or more.
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "lib"))
from servers import Servers  # noqa: E402

KEYS, SIZE, CLIENTS = 100_000, 64, 50


def sets_per_second(server, pipeline):
    requests = 200_000 if pipeline == 1 else 1_000_000
    done = subprocess.run(["redis-benchmark", "-p", str(server.port), "-t", "set", "-n", str(requests), "-r", str(KEYS),
                           "-d", str(SIZE), "-c", str(CLIENTS), "-P", str(pipeline), "-q"],
                          capture_output=True, text=True, timeout=300, check=True)
    return float(re.findall(r"([\d.]+) requests per second", done.stdout)[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pipeline", type=int, nargs="*", default=[1, 16])
    parser.add_argument("--redis", action="store_true")
    options = parser.parse_args()
    with Servers() as servers:
        start = servers.redis if options.redis else servers.millrace
        plain = start("--save", "", "--appendonly", "no")
        kept = start("--save", "", "--appendonly", "yes", "--appendfsync", "everysec")
        for pipeline in options.pipeline:
            ratios = []
            for _ in range(options.rounds):
                without, with_file = sets_per_second(plain, pipeline), sets_per_second(kept, pipeline)
                ratios.append(with_file / without)
                print(f"  pipeline {pipeline:3}: {without:10.0f}/s without, {with_file:10.0f}/s with", flush=True)
            print(f"pipeline {pipeline:3}: everysec runs at {statistics.median(ratios):.2f} of the speed without", flush=True)
        delayed = kept.ask(b"INFO", b"persistence").split(b"aof_delayed_fsync:")[1].split()[0]
        print(f"aof_delayed_fsync: {int(delayed)}")


if __name__ == "__main__":
    main()
