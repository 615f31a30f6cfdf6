#!/usr/bin/env python3
"""Runs the programs of examples/ and holds them to what they say.

    tests/e2e/examples_test.py BUILD_DIRECTORY     (the one that holds examples/echo)
"""
import contextlib
import os
import pathlib
import random
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

BUILD = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "build/dev"


def program(name):
    return os.path.join(BUILD, "examples", name)


class Server:
    """An example that listens on a free port; ended with the test."""

    def __init__(self, test, name, *arguments):
        self.test = test
        self.process = subprocess.Popen([program(name), "--port", "0", *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        test.addCleanup(self.stop)
        line = self.process.stdout.readline()
        test.assertTrue(line.startswith("listening on 127.0.0.1:"), line)
        self.port = int(line.rsplit(":", 1)[1])

    def connect(self, timeout=10):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout)
        self.test.addCleanup(connection.close)
        return connection

    def cpu_seconds(self):
        total = 0
        for pid in (self.process.pid, *self.children()):
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def children(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            return [int(pid) for pid in children.read().split()]

    def connections(self):
        """Sockets of this process and its children that do not listen."""
        with open("/proc/net/tcp") as table:
            listening = {line.split()[9] for line in table if line.split()[3] == "0A"}
        found = 0
        for pid in (self.process.pid, *self.children()):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                try:
                    target = os.readlink(entry.path)
                except FileNotFoundError:  # closed since
                    continue
                found += target.startswith("socket:") and target[8:-1] not in listening
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=10)
        assert "Sanitizer" not in errors and "assertion failed" not in errors, errors


def read_all(connection):
    data = bytearray()
    while chunk := connection.recv(1 << 16):
        data += chunk
    return bytes(data)


def read_until(connection, ending):
    data = bytearray()
    while not data.endswith(ending):
        chunk = connection.recv(1 << 16)
        if not chunk:
            raise EOFError(bytes(data))
        data += chunk
    return bytes(data)


def exchange(connection, payload):
    """Sends everything and FIN while reading until FIN."""
    def send():
        connection.sendall(payload)
        connection.shutdown(socket.SHUT_WR)
    sender = threading.Thread(target=send)
    sender.start()
    answer = read_all(connection)
    sender.join()
    return answer


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


class HelpTest(unittest.TestCase):
    def test_every_example_explains_itself(self):
        for name in ("echo", "chat", "timer", "relay"):
            out = subprocess.run([program(name), "--help"], capture_output=True, text=True, timeout=10)
            self.assertEqual(out.returncode, 0)
            self.assertTrue(out.stdout.startswith(name + ":"), out.stdout)


class EchoTest(unittest.TestCase):
    def test_echoes_on_every_backend(self):
        payload = random.Random(1).randbytes(3_000_000)
        for backend in ("epoll", "poll", "select"):
            with self.subTest(backend):
                server = Server(self, "echo", "--backend", backend)
                with server.connect() as connection:
                    self.assertTrue(exchange(connection, payload) == payload)

    def test_a_hundred_clients_leave_no_descriptor(self):
        server = Server(self, "echo")
        before = server.descriptors()
        connections = [server.connect() for _ in range(100)]
        for number, connection in enumerate(connections):
            connection.sendall(b"number %d\n" % number)
        for number, connection in enumerate(connections):
            self.assertEqual(read_until(connection, b"\n"), b"number %d\n" % number)
            connection.close()
        self.assertTrue(wait_until(lambda: server.descriptors() == before))

    def test_who_does_not_read_is_stopped_and_costs_nothing(self):
        server = Server(self, "echo")
        with server.connect() as deaf, server.connect() as other:
            deaf.settimeout(0.5)
            sent = 0
            try:
                while sent < 200_000_000:
                    sent += deaf.send(b"x" * 65536)
            except TimeoutError:
                pass
            self.assertLess(sent, 100_000_000)
            before = server.cpu_seconds()
            other.sendall(b"still served\n")
            self.assertEqual(read_until(other, b"\n"), b"still served\n")
            time.sleep(0.5)
            self.assertLess(server.cpu_seconds() - before, 0.2)


class TimerTest(unittest.TestCase):
    def test_says_what_it_should(self):
        out = subprocess.run([program("timer"), "--ticks", "3", "--interval-ms", "50"],
                             capture_output=True, text=True, timeout=20)
        self.assertEqual(out.returncode, 0, out.stderr)
        lines = out.stdout.splitlines()
        self.assertEqual(lines[:2], ["cancelled: yes", "cancelled twice: no"])
        self.assertEqual([line.split(" after")[0] for line in lines if line.startswith("tick")],
                         ["tick 1", "tick 2", "tick 3"])
        self.assertIn("posted by another thread", lines)
        self.assertLess(lines.index("once"), [l.startswith("tick 1") for l in lines].index(True))
        self.assertNotIn("never", lines)


class ChatTest(unittest.TestCase):
    def test_lines_go_to_everybody(self):
        server = Server(self, "chat")
        ada = server.connect()
        self.assertEqual(read_until(ada, b"\n"), b"guest-1 has come\n")
        bob = server.connect()
        self.assertEqual(read_until(bob, b"\n"), b"guest-2 has come\n")
        read_until(ada, b"guest-2 has come\n")
        for piece in (b"/na", b"me ada\r", b"\nhel", b"lo\nwor", b"ld\n"):
            ada.sendall(piece)
            time.sleep(0.01)
        self.assertEqual(read_until(bob, b"world\n"), b"ada: hello\nada: world\n")
        read_until(ada, b"world\n")
        ada.sendall(b"/quit\nbehind\n")
        self.assertEqual(read_all(ada), b"bye\n")
        self.assertEqual(read_until(bob, b")\n"), b"ada has left (requested)\n")

    def test_too_long_a_line_closes(self):
        server = Server(self, "chat")
        with server.connect() as guest:
            read_until(guest, b"come\n")
            guest.sendall(b"x" * 2000)
            self.assertRaises((EOFError, ConnectionResetError), read_until, guest, b"never")

    def test_the_room_asks_and_drops_who_is_silent(self):
        server = Server(self, "chat", "--probe-ms", "200")
        silent, lively = server.connect(), server.connect()
        read_until(lively, b"guest-2 has come\n")
        seen = bytearray()
        lively.settimeout(5)
        while b"guest-1 has left (heartbeat-lost)\n" not in seen:
            seen += lively.recv(65536)
            lively.sendall(b"\n")  # an empty line is an answer
        self.assertEqual(read_all(silent).count(b"are you there?"), 3)


class RelayTest(unittest.TestCase):
    def upstream(self, serve):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def run():
            try:
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()
            except OSError:
                pass
        threading.Thread(target=run, daemon=True).start()
        return listener.getsockname()[1]

    def test_both_ways_with_half_close(self):
        def reverse(connection):  # reads until FIN, only then answers
            with connection:
                connection.sendall(read_all(connection)[::-1])
        port = self.upstream(reverse)
        relay = Server(self, "relay", "--to", f"localhost:{port}")
        before = relay.descriptors()
        payload = random.Random(2).randbytes(5_000_000)
        for _ in range(3):
            with relay.connect() as client:
                self.assertTrue(exchange(client, payload) == payload[::-1])
        self.assertTrue(wait_until(lambda: relay.descriptors() == before))

    def test_slow_upstream_holds_the_client_back(self):
        release = threading.Event()
        received = []

        def lazy(connection):
            with connection:
                release.wait()
                received.append(len(read_all(connection)))
                connection.sendall(b"done")
        port = self.upstream(lazy)
        relay = Server(self, "relay", "--to", f"127.0.0.1:{port}")
        with relay.connect() as client:
            client.settimeout(1)
            sent = 0
            try:
                while sent < 200_000_000:
                    sent += client.send(b"x" * 65536)
            except TimeoutError:
                pass
            self.assertLess(sent, 100_000_000)  # the kernel's buffers and one watermark
            with open(f"/proc/{relay.process.pid}/status") as status:
                rss_kb = int(next(l for l in status if l.startswith("VmRSS")).split()[1])
            self.assertLess(rss_kb, 150_000)
            release.set()
            client.settimeout(20)
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(read_all(client), b"done")
            self.assertEqual(received, [sent])

    def test_no_upstream_closes_the_client(self):
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
        relay = Server(self, "relay", "--to", f"127.0.0.1:{port}")
        with relay.connect() as client:
            try:
                self.assertEqual(client.recv(1), b"")
            except ConnectionResetError:
                pass

    def test_idle_pair_is_closed_on_both_ends(self):
        ended = threading.Event()

        def watch(connection):
            with connection:
                if read_all(connection) == b"hello":
                    ended.set()
        port = self.upstream(watch)
        relay = Server(self, "relay", "--to", f"127.0.0.1:{port}", "--idle-ms", "300")
        with relay.connect() as client:
            client.sendall(b"hello")
            self.assertEqual(client.recv(1), b"")
        self.assertTrue(ended.wait(10))


def request(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class ModelsTest(unittest.TestCase):
    """examples/models: the same service, whatever the model; and each is a page."""

    MODELS = [("single_reactor",), ("single_reactor", "--backend", "poll"), ("single_reactor", "--backend", "select"),
              ("single_reactor", "--backend", "io_uring"), ("triggers", "--trigger", "level"),
              ("triggers", "--trigger", "edge"), ("triggers", "--trigger", "edge-short"), ("worker_pool",),
              ("dealt_loops",), ("reuseport_loops",), ("prefork", "--wake", "exclusive"), ("prefork", "--wake", "lock"),
              ("prefork", "--wake", "all"), ("thread_per_connection",)]

    @contextlib.contextmanager
    def running(self, name, *flags):
        with self.subTest(" ".join([name, *flags])):
            server = Server(self, "models/" + name, *flags)
            yield server
            server.stop()

    def ask(self, connection, data, answer):
        connection.sendall(data)
        self.assertEqual(read_until(connection, answer), answer)

    def test_ping_set_get_on_several_connections(self):
        for model in self.MODELS:
            with self.running(*model) as server:
                connections = [server.connect() for _ in range(8)]
                self.ask(connections[0], request(b"SET", b"key", b"value"), b"+OK\r\n")
                for connection in connections:  # whichever thread or process has it
                    self.ask(connection, request(b"PING"), b"+PONG\r\n")
                    self.ask(connection, request(b"get", b"key"), b"$5\r\nvalue\r\n")
                    self.ask(connection, request(b"GET", b"none"), b"$-1\r\n")
                    self.ask(connection, b"PING inline\r\n", b"$6\r\ninline\r\n")
                self.ask(connections[0], request(b"DEL", b"key"),
                         b"-ERR only PING, SET key value and GET key are known here\r\n")

    def test_half_packets_and_many_at_once(self):
        for model in self.MODELS:
            with self.running(*model) as server:
                payload = request(b"SET", b"half", b"x" * 900) + request(b"GET", b"half")
                with server.connect() as connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for cut in (1, 3, 14, 40, len(payload) - 1):
                        for piece in (payload[:cut], payload[cut:cut + 7], payload[cut + 7:]):
                            connection.sendall(piece)
                            time.sleep(0.002)  # or the pieces would meet in the server's socket
                        read_until(connection, b"+OK\r\n$900\r\n" + b"x" * 900 + b"\r\n")
                    # More replies than the sockets hold: the server has to wait for Writable, and to go on reading.
                    answer = exchange(connection, payload * 5000)
                    self.assertEqual(answer.count(b"+OK\r\n"), 5000)
                    self.assertEqual(answer.count(b"x" * 900), 5000)

    def test_who_does_not_read_costs_nobody_anything_and_gets_all_of_it_later(self):
        batch = request(b"GET", b"k") * 1000
        for model in self.MODELS:
            with self.running(*model) as server:
                deaf, other = server.connect(), server.connect()
                self.ask(other, request(b"SET", b"k", b"x" * 1000), b"+OK\r\n")
                deaf.settimeout(0.3)
                sent = 0
                try:
                    while True:  # until the server has stopped reading
                        sent += deaf.send(batch[sent % len(batch):])
                except TimeoutError:
                    pass
                self.ask(other, request(b"PING"), b"+PONG\r\n")
                before = server.cpu_seconds()
                time.sleep(0.2)
                self.assertLess(server.cpu_seconds() - before, 0.1)
                deaf.settimeout(10)
                answer = exchange(deaf, batch[sent % len(batch):])
                self.assertEqual(answer.count(b"$1000\r\n"), (sent // len(batch) + 1) * 1000)

    def test_disconnects_leave_nothing(self):
        for model in self.MODELS:
            with self.running(*model) as server:
                with server.connect() as connection:
                    self.ask(connection, request(b"PING"), b"+PONG\r\n")
                self.assertTrue(wait_until(lambda: server.connections() == 0))
                for end in ("fin", "reset", "unread", "half"):
                    connections = [server.connect() for _ in range(20)]
                    for connection in connections:
                        connection.sendall(request(b"PING") * 3 if end != "half" else b"*2\r\n$3\r\nGE")
                        if end == "fin":
                            connection.shutdown(socket.SHUT_WR)
                            self.assertEqual(read_all(connection), b"+PONG\r\n" * 3)
                        if end == "reset":
                            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        connection.close()
                    self.assertTrue(wait_until(lambda: server.connections() == 0), end)
                with server.connect() as connection:
                    self.ask(connection, request(b"PING"), b"+PONG\r\n")

    def test_what_is_not_the_protocol_is_said_and_ends(self):
        for model in self.MODELS:
            with self.running(*model) as server:
                with server.connect() as connection:
                    connection.sendall(request(b"PING") + b"*1\r\n$-5\r\n")
                    self.assertEqual(read_all(connection), b"+PONG\r\n-ERR Protocol error: invalid bulk length\r\n")

    def test_select_closes_whom_it_cannot_watch(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limit = min(hard, 4096)
        if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        server = Server(self, "models/single_reactor", "--backend", "select")
        connections = [server.connect() for _ in range(1100)]
        self.ask(connections[0], request(b"PING"), b"+PONG\r\n")
        self.assertEqual(connections[-1].recv(1), b"")

    def test_a_process_that_dies_takes_its_own_connections_and_is_replaced(self):
        for wake in ("exclusive", "lock"):
            server = Server(self, "models/prefork", "--wake", wake)
            for child in server.children():
                os.kill(child, signal.SIGKILL)
            for _ in range(4):
                with server.connect() as connection:
                    self.ask(connection, request(b"PING"), b"+PONG\r\n")
            server.stop()

    def test_each_is_a_page(self):
        sources = sorted((pathlib.Path(__file__).resolve().parents[2] / "examples/models").glob("*.cc"))
        self.assertEqual({source.stem for source in sources}, {model[0] for model in self.MODELS})
        for source in sources:
            self.assertLess(len(source.read_text().splitlines()), 150, source.name)
            out = subprocess.run([program("models/" + source.stem), "--help"], capture_output=True, text=True,
                                 timeout=10)
            self.assertTrue(out.stdout.startswith(source.stem + ":"), out.stdout)


if __name__ == "__main__":
    unittest.main()
