#!/usr/bin/env python3
"""Runs the programs of examples/ and holds them to what they say.

    tests/e2e/examples_test.py BUILD_DIRECTORY     (the one that holds examples/echo)
"""
import os
import random
import signal
import socket
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
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

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


if __name__ == "__main__":
    unittest.main()
