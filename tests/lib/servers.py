"""Starts and ends the servers that the Python tests talk to. Standard library only.

    with Servers() as servers:
        ours = servers.millrace("--event-backend", "poll")
        redis = servers.redis()
        print(ours.ask(b"SET", b"k", b"v"), redis.ask(b"GET", b"k"))

Every server listens on a free loopback port, has a directory of its own, keeps nothing on disk unless it is
told to, and is ended by its own pid.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
MILLRACE = os.environ.get("MILLRACE_SERVER", str(TOP / "build/release/src/server/millrace-server"))
START_SECONDS = 30  # an AddressSanitizer build on a loaded machine


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def encode(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Client:
    """One connection, RESP2 and RESP3. A reply is bytes with its type byte, a list, or None."""

    def __init__(self, address):
        family = socket.AF_UNIX if isinstance(address, (str, bytes)) else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(30)
        self.socket.connect(address)
        self.reader = self.socket.makefile("rb", 1 << 16)

    def send(self, *words):
        self.socket.sendall(encode(*words))

    def ask(self, *words):
        self.send(*words)
        return self.read()

    def read(self):
        line = self.reader.readline()
        if not line:
            raise EOFError
        kind, rest = line[:1], line[1:-2]
        if kind in b"$=":
            size = int(rest)
            return None if size < 0 else b"$" + self.reader.read(size + 2)[:-2]
        if kind in b"*~>":
            size = int(rest)
            return None if size < 0 else [self.read() for _ in range(size)]
        if kind == b"%":
            return [self.read() for _ in range(2 * int(rest))]
        if kind == b"_":
            return None
        return line[:-2]

    def close(self):
        self.reader.close()
        self.socket.close()


class Server:
    def __init__(self, name, command, port, directory=None):
        self.name, self.port = name, port
        self.directory = directory or tempfile.mkdtemp(prefix=name + "-")
        self.log_path = os.path.join(self.directory, "log")
        self.process = subprocess.Popen(command, cwd=self.directory, stdin=subprocess.DEVNULL,
                                        stdout=open(self.log_path, "w"), stderr=subprocess.STDOUT)
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self.client().close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{name} did not start:\n{self.log()}")
                time.sleep(0.02)

    def client(self):
        return Client(("127.0.0.1", self.port))

    def ask(self, *words):
        client = self.client()
        try:
            return client.ask(*words)
        finally:
            client.close()

    def log(self):
        return open(self.log_path).read()

    def stop(self):
        """Orderly; returns the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Servers:
    def __enter__(self):
        self.running = []
        return self

    def __exit__(self, *_):
        for server in self.running:
            server.stop()
            shutil.rmtree(server.directory, ignore_errors=True)

    def start(self, name, program, arguments, directory=None, port=None):
        port = port or free_port()
        server = Server(name, [program, "--port", str(port), "--bind", "127.0.0.1", *arguments], port, directory)
        self.running.append(server)
        return server

    def wrapped(self, command, port, *arguments):
        """Our server, started by a command of one's own (a shell with a limit)."""
        server = Server("millrace", [*command, "--port", str(port), "--bind", "127.0.0.1", "--save", "", *arguments],
                        port)
        self.running.append(server)
        return server

    def millrace(self, *arguments, directory=None, port=None):
        return self.start("millrace", MILLRACE, ["--save", "", *arguments], directory, port)

    def redis(self, *arguments, directory=None, port=None):
        return self.start("redis", "redis-server", ["--save", "", "--appendonly", "no", *arguments], directory, port)


def run_tests(tests):
    """Each test with servers of its own, those named on the command line or all; returns the exit status."""
    failed = 0
    wanted = [test for test in tests if not sys.argv[1:] or test.__name__ in sys.argv[1:]]
    for test in wanted:
        try:
            with Servers() as servers:
                test(servers)
            print(f"ok      {test.__name__}", flush=True)
        except Exception as error:  # noqa: BLE001: every failure is a result
            failed += 1
            print(f"FAILED  {test.__name__}: {type(error).__name__}: {str(error)[:600]}", flush=True)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return 1 if failed else 0
