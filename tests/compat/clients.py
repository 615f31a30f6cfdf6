#!/usr/bin/env python3
"""Clients nobody here wrote, each with a workload of all families, and BullMQ with 10,000 jobs: python3-redis, ioredis,
node-redis, BullMQ (npm, versions pinned by clients/package-lock.json), and hiredis' own test program (Debian's source).

    tests/compat/clients.py [NAME ...] [--against redis] [--jobs N]
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
WORK = TOP / "build/compat-clients"
sys.path.insert(0, str(HERE.parent / "lib"))
from servers import Servers  # noqa: E402

SECONDS = 300


def run(command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, **options)
    text = result.stdout.decode(errors="replace")
    assert result.returncode == 0, f"{command}: {result.returncode}\n{text[-3000:]}"
    return text


def node(script, *arguments):
    """Runs a script of clients/, with the packages of the lock file beside it."""
    lock = (HERE / "clients/package-lock.json").read_bytes()
    WORK.mkdir(parents=True, exist_ok=True)
    for source in (HERE / "clients").iterdir():
        shutil.copy(source, WORK)
    done = WORK / "node_modules/.lock"
    if not done.exists() or done.read_bytes() != lock:
        run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=WORK)
        done.write_bytes(lock)
    return run(["node", script, *map(str, arguments)], cwd=WORK).strip()


def python_redis(server, args):
    return run(["/usr/bin/python3", str(HERE / "clients/python_redis.py"), str(server.port)]).strip()


def ioredis(server, args):
    return node("ioredis.mjs", server.port)


def node_redis(server, args):
    return node("node_redis.mjs", server.port)


def bullmq(server, args):
    return node("bullmq.mjs", server.port, args.jobs)


def hiredis(server, args):
    """hiredis-test, built from Debian's source package as its makefile does, against our server and a unix socket."""
    source = hiredis_source()
    program = WORK / "hiredis-test"
    if not program.exists():
        run(["gcc", "-O1", "-I.", "test.c", "-o", str(program), "-lhiredis", "-lpthread"], cwd=source)
    return run([str(program), "-h", "127.0.0.1", "-p", str(server.port), "-s", server.socket_path],
               cwd=source).strip().splitlines()[-1]


def hiredis_source():
    found = list(WORK.glob("hiredis-*/test.c"))
    if not found:
        fetch_source("hiredis")
        found = list(WORK.glob("hiredis-*/test.c"))
    return found[0].parent


def fetch_source(package):
    """apt-get source, with a list of sources that lives only for this call."""
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        listed = pathlib.Path(folder) / "src.list"
        listed.write_text("deb-src http://deb.debian.org/debian bookworm main\n")
        options = ["-o", f"Dir::Etc::sourcelist={listed}", "-o", "Dir::Etc::sourceparts=-",
                   "-o", f"Dir::State::lists={folder}/lists"]
        os.makedirs(f"{folder}/lists/partial")
        run(["apt-get", *options, "update", "-qq"])
        run(["apt-get", *options, "source", "-qq", package], cwd=WORK)


TESTS = [python_redis, ioredis, node_redis, bullmq, hiredis]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="of " + ", ".join(test.__name__ for test in TESTS))
    parser.add_argument("--against", choices=["millrace", "redis"], default="millrace")
    parser.add_argument("--jobs", type=int, default=10_000)
    args = parser.parse_args()
    failed = 0
    for test in TESTS:
        if args.names and test.__name__ not in args.names:
            continue
        start = time.monotonic()
        try:
            with Servers() as servers, tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "socket")
                server = getattr(servers, args.against)("--unixsocket", path, "--enable-debug-command", "yes")
                server.socket_path = path
                said = test(server, args)
            print(f"ok      {test.__name__}: {said} ({time.monotonic() - start:.1f} s)", flush=True)
        except Exception as error:  # noqa: BLE001: every failure is a result
            failed += 1
            print(f"FAILED  {test.__name__}: {type(error).__name__}: {str(error)[:3000]}", flush=True)
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
