#!/usr/bin/env python3
"""redis-benchmark and redis-cli, as Debian ships them, against Millrace on every event backend and with IO threads.

    tests/compat/redis_tools.py [--requests N]
"""
import argparse
import fcntl
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import Servers, encode  # noqa: E402

SERVERS = [("epoll", ()), ("poll", ("--event-backend", "poll")), ("select", ("--event-backend", "select")),
           ("io_uring", ("--event-backend", "io_uring")),
           # 1, 2 and 4 IO threads beside the main one, each way of accepting once.
           ("1 IO thread", ("--io-threads", "2")),
           ("2 IO threads", ("--io-threads", "3", "--io-threads-accept", "exclusive")),
           ("4 IO threads", ("--io-threads", "5", "--io-threads-accept", "reuse-port")),
           ("2 IO threads, io_uring", ("--io-threads", "3", "--event-backend", "io_uring"))]


def tool(name, server, *arguments, stdin=None, seconds=120):
    result = subprocess.run([name, "-p", str(server.port), *arguments], input=stdin,
                            stdin=subprocess.DEVNULL if stdin is None else None,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
    assert result.returncode == 0, (name, arguments, result.stdout[-500:])
    return result.stdout


def benchmark(server, requests, *arguments):
    text = tool("redis-benchmark", server, "-q", "-n", str(requests), "-r", "100000", *arguments).decode()
    bad = [line for line in re.split(r"[\r\n]+", text) if re.search(r"error|err|WARN", line, re.I)]
    assert not bad, bad
    done = re.findall(r"([^\r\n:]+): ([\d.]+) requests per second", text)
    assert done, text[-300:]
    return done


def benchmarks(servers, requests):
    shapes = {"plain": (), "pipelined": ("-P", "16"), "1000 clients": ("-c", "1000"),
              "two threads": ("--threads", "2"), "RESP3": ("-3",)}
    for name, arguments_of_server in SERVERS:
        server = servers.millrace(*arguments_of_server)
        for shape, arguments in shapes.items():
            if "IO thread" in name and shape in ("two threads", "RESP3"):
                continue  # the client's affair, tried above
            if name == "select" and shape == "1000 clients":
                arguments = ("-c", "900")  # FD_SETSIZE
            start = time.monotonic()
            done = benchmark(server, requests, *arguments)
            print(f"redis-benchmark {shape} on {name}: {len(done)} tests, {time.monotonic() - start:.1f} s", flush=True)
        assert server.ask(b"PING") == b"+PONG"
        assert server.stop() == 0


def cli(servers):
    server = servers.millrace()
    assert tool("redis-cli", server, "SET", "k", "v") == b"OK\n"
    assert tool("redis-cli", server, "-3", "HELLO", "3").find(b"proto") >= 0
    assert tool("redis-cli", server, "-x", "SET", "from-stdin", stdin=b"text") == b"OK\n"
    tool("redis-cli", server, "RPUSH", "l", "a", "b", "c")
    assert tool("redis-cli", server, "--csv", "LRANGE", "l", "0", "-1") == b'"a","b","c"\n'
    assert b"from-stdin" in tool("redis-cli", server, "--scan", "--pattern", "from*")
    assert b"millrace_version" in tool("redis-cli", server, "INFO")
    mass = b"".join(encode(b"SET", b"mass:%d" % i, b"x") for i in range(100_000))
    assert b"replies: 100000" in tool("redis-cli", server, "--pipe", stdin=mass)
    assert b"100003" in tool("redis-cli", server, "DBSIZE")
    assert b"Biggest" in tool("redis-cli", server, "--bigkeys")
    assert b"Biggest" in tool("redis-cli", server, "--memkeys")
    print("redis-cli: commands, RESP3, stdin, csv, scan, pipe, bigkeys, memkeys", flush=True)
    for mode, wanted in (("--stat", rb"keys +mem"), ("--latency", rb"min: \d+, max: \d+, avg")):
        watch(server, mode, wanted)


def watch(server, mode, wanted):
    """A mode that goes on until it is stopped, on a terminal: it must show what is wanted, and no error."""
    master, terminal = pty.openpty()
    process = subprocess.Popen(["redis-cli", "-p", str(server.port), mode], stdout=terminal,
                               stderr=terminal, stdin=terminal)
    got = b""
    end = time.monotonic() + 20
    while not re.search(wanted, got) and time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            got += os.read(master, 4096)
    process.terminate()
    process.wait()
    os.close(master)
    os.close(terminal)
    assert re.search(wanted, got) and b"ERR" not in got, (mode, got)
    print(f"redis-cli {mode}", flush=True)


def monitor(servers):
    server = servers.millrace()
    watcher = server.client()
    assert watcher.ask(b"MONITOR") == b"+OK"
    server.ask(b"SET", b"watched", b"\x00\n")
    assert re.match(rb'\+\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "SET" "watched" "\\x00\\n"', watcher.read())
    print("MONITOR", flush=True)


def interactive_help(servers):
    """A person at a terminal types SET and a space, and redis-cli shows the arguments in grey."""
    server = servers.millrace()
    pid, terminal = pty.fork()
    if pid == 0:
        # linenoise asks a terminal without a size where its cursor is, and nobody would answer.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        os.environ["TERM"] = "xterm"
        os.execvp("redis-cli", ["redis-cli", "-p", str(server.port)])
    got = b""

    def read_until(text):
        nonlocal got
        end = time.monotonic() + 20
        while text not in got and time.monotonic() < end:
            if select.select([terminal], [], [], 0.1)[0]:
                got += os.read(terminal, 65536)
        assert text in got, got[-600:]
        got = got[got.index(text) + len(text):]

    read_until(b"> ")
    os.write(terminal, b"set ")
    read_until(b"key value")
    os.write(terminal, b"\x15help incrby\r")
    read_until(b"summary")
    read_until(b"> ")  # what is typed before the prompt is there is thrown away: it comes with TCSAFLUSH
    os.write(terminal, b"exit\r")
    read_to_end(terminal)
    os.waitpid(pid, 0)
    print("redis-cli: hints and help from COMMAND DOCS", flush=True)


def read_to_end(terminal):
    """A process at a terminal may not end before what it wrote has been read: it drains as it restores its settings."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:  # EIO: nobody has the other side open any more
        os.close(terminal)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=5_000)
    args = parser.parse_args()
    with Servers() as servers:
        cli(servers)
        monitor(servers)
        interactive_help(servers)
        benchmarks(servers, args.requests)
    print("4 passed, 0 failed")


if __name__ == "__main__":
    main()
