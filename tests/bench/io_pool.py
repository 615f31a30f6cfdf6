#!/usr/bin/env python3
"""What IO threads cost and what they take off the main one: processor time per request by thread.

    tests/bench/io_pool.py [--threads 1,2,3,5] [--tests get,set] [--pipelines 1,16] [--reps 3] [--json FILE]

One server per value of io-threads, all started first; each cell runs A B C ... A B C ..., medians are
printed. Processor time is the scheduler's own account (/proc/PID/task/*/schedstat), per thread by its name.
Servers and redis-benchmark share all processors: with two of them, two IO threads, the main one and the
client are four, so requests per second say little here, microseconds per request do.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import Servers  # noqa: E402


def thread_times(pid):
    """Microseconds of processor time so far: of the main thread, and of the others."""
    main, others = 0, 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        spent = int((task / "schedstat").read_text().split()[0]) / 1000
        if task.name == str(pid):
            main += spent
        elif (task / "comm").read_text().startswith("io-"):
            others += spent
    return main, others


def measure(server, test, pipeline, requests):
    before = thread_times(server.process.pid)
    out = subprocess.run(["redis-benchmark", "-p", str(server.port), "-t", test, "-n", str(requests), "-P",
                          str(pipeline), "-c", "50", "-r", "1000000", "--csv"], capture_output=True, text=True,
                         timeout=300, check=True).stdout
    after = thread_times(server.process.pid)
    rate = float(out.strip().splitlines()[-1].split(",")[1].strip('"'))
    return [(a - b) / requests for a, b in zip(after, before)] + [rate]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", default="1,2,3,5")
    parser.add_argument("--tests", default="get,set")
    parser.add_argument("--pipelines", default="1,16")
    parser.add_argument("--requests", type=int, default=200_000, help="per cell at P=1; four times that beyond")
    parser.add_argument("--backend", default="epoll")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    counts = [int(word) for word in options.threads.split(",")]
    rows = []
    with Servers() as servers:
        running = {n: servers.millrace("--io-threads", str(n), "--event-backend", options.backend) for n in counts}
        print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors, {options.backend}")
        print(f"{'cell':14}{'io-threads':>11}{'us/request':>12}{'of one loop':>12}{'main':>8}{'share':>7}{'req/s':>9}")
        for test in options.tests.split(","):
            for pipeline in map(int, options.pipelines.split(",")):
                requests = options.requests * (1 if pipeline == 1 else 4)
                runs = {n: [] for n in counts}
                for _ in range(options.reps):
                    for n in counts:
                        runs[n].append(measure(running[n], test, pipeline, requests))
                base = None
                for n in counts:
                    main_us, total, rate = (statistics.median(column) for column in
                                            zip(*((m, m + o, r) for m, o, r in runs[n])))
                    base = base or total
                    rows.append({"test": test, "pipeline": pipeline, "io_threads": n, "us": total, "ratio": total / base,
                                 "main_us": main_us, "main_share": main_us / total, "requests_per_second": rate})
                    print(f"{test + ' P=' + str(pipeline):14}{n:11}{total:12.2f}{total / base:12.2f}{main_us:8.2f}"
                          f"{main_us / total:7.0%}{rate:9.0f}", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"load_average": os.getloadavg()[0], "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
