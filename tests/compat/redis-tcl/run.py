#!/usr/bin/env python3
"""Redis' own test suite, test by test, against Millrace; what counts are the tests that Redis itself passes.

    tests/compat/redis-tcl/run.py [--mode external|own] [--jobs N] [unit/type/list ...]

Mode `external`: a server of ours for each file, which the suite reaches by host and port. Mode `own`: the suite starts
servers itself, as often and with the configuration it wants; that includes every test that `external` leaves out.
What redis-server passes is measured once and kept in build/redis-tcl/ (again with --measure-redis); so are our
results, with the message of each test that failed.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import queue
import re
import select
import signal
import subprocess
import sys
import time

import suite

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from servers import MILLRACE, Client, Server  # noqa: E402

TEST_SECONDS = 120  # without a word from the suite, its connections are closed; after as much again, it is ended
FILE_SECONDS = 900
DRIVER = pathlib.Path(__file__).resolve().parent / "driver.tcl"
ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\t": "\t", "\\r": "\r"}


class Outcome:
    """What became of a file's tests: names with a count of their appearances, so that repeated ones are apart."""

    def __init__(self):
        self.passed, self.failed, self.outside = [], {}, []
        self.aborts, self.deaths, self.hangs = [], 0, []
        self.seen = collections.Counter()
        self.current, self.messages, self.ok = None, [], False

    def packet(self, status, text):
        if status == "testing":
            self.seen[text] += 1
            self.current = text if self.seen[text] == 1 else f"{text} #{self.seen[text]}"
            self.messages, self.ok = [], False
        elif status == "ok":
            self.ok = True
        elif status == "err" and self.current:
            self.messages.append(text)
        elif status in ("err", "reason"):
            self.aborts.append(text)
        elif status == "outside":
            self.outside.append(text)
        elif status == "death":
            self.deaths += 1
        elif status == "end" and self.current:
            self.close()

    def close(self):
        if self.ok and not self.messages:
            self.passed.append(self.current)
        else:
            self.failed[self.current] = "\n".join(self.messages)
        self.current = None

    def as_dict(self, seconds):
        return {"passed": self.passed, "failed": self.failed, "aborts": self.aborts, "deaths": self.deaths,
                "hangs": self.hangs, "outside": self.outside, "seconds": round(seconds, 1)}


def kick(ports):
    """Ends whatever the suite waits for: it gets an error instead of a reply. False: a server does not answer."""
    for port in ports:
        try:
            client = Client(("127.0.0.1", port))
            client.socket.settimeout(3)
            for kind in (b"normal", b"pubsub"):
                client.ask(b"CLIENT", b"KILL", b"TYPE", kind)
            client.close()
        except (OSError, EOFError):
            return False
    return True


class FileRun:
    """One run of one file, watched."""

    running = set()

    def __init__(self, unit, mode, folder, port, start, skip=()):
        self.unit, self.port, self.start = unit, port, start
        self.outcome = Outcome()
        self.server = start() if mode == "external" else None
        self.ports = [port]
        if mode == "external":
            options = ["--host", "127.0.0.1", "--port", str(port)]
        else:
            options = ["--baseport", str(port), "--portcount", "100"]
        for name in skip:
            options += ["--skiptest", name]
        self.reader, writer = os.pipe()
        self.process = subprocess.Popen(
            ["tclsh", str(DRIVER), unit, *options], cwd=folder, pass_fds=[writer], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
            env={**os.environ, "REPORT": f"/dev/fd/{writer}"})
        self.writer, self.buffer = writer, b""
        FileRun.running.add(self)

    def lines(self):
        if not select.select([self.reader], [], [], 0.1)[0]:
            return []
        self.buffer += os.read(self.reader, 1 << 20)
        *whole, self.buffer = self.buffer.split(b"\n")
        return [line.decode("latin-1").partition("\t")[::2] for line in whole]

    def take(self, status, text):
        text = re.sub(r"\\[\\ntr]", lambda found: ESCAPES[found[0]], text)
        if status == "server-spawning":
            self.ports.append(int(text.split()[-1]))
        self.outcome.packet(status, text)
        return status == "over"

    def revive(self):
        if self.server and self.server.process.poll() is not None:
            self.outcome.deaths += 1
            self.server.stop()
            self.server = self.start()

    def watch(self):
        """Returns the test that could not be ended, or None."""
        begin = last = time.monotonic()
        kicked = False
        while True:
            for status, text in self.lines():
                last, kicked = time.monotonic(), False
                if self.take(status, text):
                    return None
            self.revive()
            silent = time.monotonic() - last
            if self.process.poll() is not None and silent > 1:
                self.outcome.aborts.append("tclsh ended: " + self.process.stderr.read().decode("latin-1")[-500:])
                return None
            if silent > 2 * TEST_SECONDS or time.monotonic() - begin > FILE_SECONDS:
                self.outcome.aborts.append(f"{self.outcome.current or 'between tests'}: could not be ended")
                return self.outcome.current or ""
            if silent > TEST_SECONDS and not kicked:
                kicked = True
                self.outcome.hangs.append(self.outcome.current or "between tests")
                if not kick(self.ports if not self.server else [self.port]) and self.server:
                    self.server.process.kill()

    def end(self):
        FileRun.running.discard(self)
        for send in ("terminate", "kill"):
            try:
                getattr(self.process, send)()
                self.process.wait(5)
                break
            except subprocess.TimeoutExpired:
                continue
        try:  # servers that the suite has left behind
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if self.server:
            self.server.stop()
        os.close(self.reader)
        os.close(self.writer)


def run_file(unit, mode, folder, port, start, skip):
    begin, skip = time.monotonic(), list(skip)
    while True:
        run = FileRun(unit, mode, folder, port, start, skip)
        try:
            stuck = run.watch()
        finally:
            run.end()
        if not stuck or len(skip) == 4:
            return run.outcome.as_dict(time.monotonic() - begin)
        skip.append(re.sub(r" #\d+$", "", stuck))


def stop_when_told(pool):
    """SIGTERM and SIGINT end what has been started, too."""
    def stop(*_):
        pool.shutdown(wait=False, cancel_futures=True)
        for run in list(FileRun.running):
            run.end()
        os._exit(1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def measure(side, mode, units, arguments, results, path):
    """Runs the files, a few at a time, into `results`, {unit: outcome}; each is written when it is there."""
    program = "/usr/bin/redis-server" if side == "redis" else MILLRACE
    folder = suite.tree(side, mode, program)
    ports = queue.Queue()
    for i in range(arguments.jobs):
        ports.put(arguments.port + 100 * i)

    def one(unit):
        port = ports.get()

        def start():
            return Server(side, [program, "--port", str(port), "--bind", "127.0.0.1", *suite.settings(folder)], port)
        try:
            skip = suite.OLDER.get(unit, []) if side == "ours" else []
            return unit, run_file(unit, mode, folder, port, start, skip)
        finally:
            ports.put(port)

    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        stop_when_told(pool)
        for unit, outcome in pool.map(one, units):
            results[unit] = outcome
            path.write_text(json.dumps(results, indent=1))
            print(f"  {side} {unit}: {len(outcome['passed'])} passed, {len(outcome['failed'])} failed, "
                  f"{outcome['seconds']} s", file=sys.stderr, flush=True)


def kept(path):
    return json.loads(path.read_text()) if path.exists() else {}


def report(redis, ours, units):
    total = collections.Counter()
    print(f"{'file':38} {'passed':>6} {'of':>5} {'aborts':>6} {'deaths':>6} {'hangs':>5}")
    for unit in units:
        wanted, got = set(redis[unit]["passed"]), ours[unit]
        row = {"passed": len(wanted & set(got["passed"])), "of": len(wanted), "aborts": len(got["aborts"]),
               "deaths": got["deaths"], "hangs": len(got["hangs"])}
        total.update(row)
        print(f"{unit:38} {row['passed']:6} {row['of']:5} {row['aborts']:6} {row['deaths']:6} {row['hangs']:5}")
    print(f"{'all':38} {total['passed']:6} {total['of']:5} {total['aborts']:6} {total['deaths']:6} {total['hangs']:5}")


def failures(redis, ours, units):
    for unit in units:
        for text in ours[unit]["aborts"]:
            yield f"{unit}: ABORT: {text}"
        for name in redis[unit]["passed"]:
            if name not in ours[unit]["passed"]:
                message = ours[unit]["failed"].get(name, "did not run")
                yield f"{unit}: {name}: {message.partition(chr(10))[2] or message}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("units", nargs="*")
    parser.add_argument("--mode", choices=("external", "own"), default="external")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--port", type=int, default=22100, help="the first of 100 ports for each job")
    parser.add_argument("--measure-redis", action="store_true", help="measure again what redis-server passes")
    parser.add_argument("--report", action="store_true", help="run nothing: tell what the last runs have found")
    arguments = parser.parse_args()

    units = arguments.units or suite.units(suite.fetch())
    paths = {side: suite.WORK / f"{side}-{arguments.mode}.json" for side in ("redis", "ours")}
    results = {side: kept(path) for side, path in paths.items()}
    if arguments.report:
        units = [unit for unit in units if all(unit in side for side in results.values())]
    missing = [unit for unit in units if arguments.measure_redis or unit not in results["redis"]]
    for side, wanted in (("redis", missing), ("ours", units)):
        if wanted and not arguments.report:
            measure(side, arguments.mode, wanted, arguments, results[side], paths[side])
    report(results["redis"], results["ours"], units)
    list_path = suite.WORK / f"failures-{arguments.mode}.txt"
    list_path.write_text("\n".join(failures(results["redis"], results["ours"], units)) + "\n")
    print(f"what failed, with its message: {list_path.relative_to(suite.TOP)}")


if __name__ == "__main__":
    main()
