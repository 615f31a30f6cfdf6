#!/usr/bin/env python3
"""The server as an operator and a hostile client meet it: start, refusals, limits, signals, end.

Where Redis has a word on it, Debian's redis-server is asked the same and must say the same bytes.
"""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import MILLRACE, Client, Servers, encode, free_port, run_tests  # noqa: E402

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def run(*arguments, **options):
    return subprocess.run([MILLRACE, *arguments], capture_output=True, text=True, timeout=30, **options)


def answer_to(server, raw):
    """What comes back for raw bytes, until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
        sock.sendall(raw)
        got = b""
        try:
            while chunk := sock.recv(65536):
                got += chunk
        except (ConnectionResetError, TimeoutError):
            got += b"<reset or silence>"
        return got


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.01)


@test
def version_and_help(servers):
    assert run("--version").stdout.startswith("Millrace server v=")
    assert "--port" in run("--help").stdout


@test
def port_in_use_is_a_sentence_and_exit_1(servers):
    taken = servers.millrace()
    result = run("--port", str(taken.port), "--bind", "127.0.0.1")
    assert result.returncode == 1, result
    assert "Address already in use" in result.stdout, result.stdout


@test
def configuration_mistakes_name_the_line(servers):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("port 7000\nmaxmemori 100mb\n")
        file.flush()
        result = run(file.name)
    assert result.returncode == 1
    text = result.stdout + result.stderr
    assert "maxmemori" in text and "line 2" in text and "maxmemory" in text, text


@test
def protocol_errors_are_redis(servers):
    ours, redis = servers.millrace(), servers.redis()
    for raw in (b"*3\r\n$3\r\nSET\r\n$-5\r\n", b"*3\r\nSET\r\n", b"*99999999999\r\n", b"*2\r\n$99999999999\r\n",
                b"*x\r\n", b"GET 'unbalanced\r\n", b"*1\r\n$4\r\nPING\r\n*1\r\n+x\r\n", b"*-2147483649\r\n"):
        assert answer_to(ours, raw) == answer_to(redis, raw), (raw, answer_to(ours, raw), answer_to(redis, raw))
    for raw in (b"POST / HTTP/1.1\r\nHost: x\r\n\r\nSET k v\r\n", b"Host: evil\r\n"):
        assert answer_to(ours, raw) == answer_to(redis, raw) == b"", raw
    assert ours.ask(b"GET", b"k") is None
    assert ours.log().count("SECURITY ATTACK") == 1, "logged once, not per request"


@test
def a_tls_hello_is_refused(servers):
    # Redis waits for the end of a line that a NUL hides, and refuses it when it has grown too long.
    ours, redis = servers.millrace(), servers.redis()
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 300
    # What was not read when the server closes may turn the FIN into a reset, on either side.
    answers = [answer_to(server, hello).removesuffix(b"<reset or silence>") for server in (ours, redis)]
    assert answers[0] == answers[1], answers
    assert ours.ask(b"PING") == b"+PONG"


@test
def at_maxclients_the_refusal_is_said(servers):
    ours = servers.millrace("--maxclients", "3")
    wait_until(lambda: accepted(ours))
    first = ours.client()
    # The connections that asked whether the server is up are gone when it counts one.
    wait_until(lambda: b"connected_clients:1\r" in first.ask(b"INFO", b"clients"))
    held = [first, ours.client(), ours.client()]
    for client in held:
        assert client.ask(b"PING") == b"+PONG"
    extra = ours.client()
    assert extra.read() == b"-ERR max number of clients reached"
    held.pop().close()
    wait_until(lambda: accepted(ours))


def accepted(server):
    try:
        return server.ask(b"PING") == b"+PONG"
    except (EOFError, ConnectionError):
        return False


@test
def port_and_bind_change_while_it_runs(servers):
    for extra in ((), ("--io-threads", "3", "--io-threads-accept", "exclusive"),
                  ("--io-threads", "3", "--io-threads-accept", "reuse-port")):
        ours, taken = servers.millrace(*extra), servers.millrace()
        stays = ours.client()
        moved = free_port()
        assert stays.ask(b"CONFIG", b"SET", b"port", b"%d" % moved) == b"+OK"
        assert Client(("127.0.0.1", moved)).ask(b"PING") == b"+PONG"
        try:
            Client(("127.0.0.1", ours.port)).ask(b"PING")
            raise AssertionError("the old port still answers")
        except (OSError, EOFError):
            pass
        assert stays.ask(b"CONFIG", b"SET", b"port", b"%d" % taken.port) == (
            b"-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. "
            b"Check server logs.")
        assert stays.ask(b"CONFIG", b"SET", b"bind", b"192.0.2.1") == (
            b"-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses. "
            b"Check server logs.")
        assert Client(("127.0.0.1", moved)).ask(b"PING") == b"+PONG"
        assert stays.ask(b"PING") == b"+PONG"


@test
def too_few_descriptors_lower_maxclients_with_a_warning(servers):
    port = free_port()
    process = subprocess.Popen(["sh", "-c", f"ulimit -n 200; exec {MILLRACE} --port {port} --bind 127.0.0.1 --maxclients 5000"],
                               stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ready to accept" in line:
            break
    process.terminate()
    process.wait(20)
    text = "".join(lines)
    assert "maxclients" in text and "5000" in text and "200" in text, text


@test
def requirepass_guards(servers):
    ours = servers.millrace("--requirepass", "secret")
    client = ours.client()
    assert client.ask(b"GET", b"k") == b"-NOAUTH Authentication required."
    assert client.ask(b"AUTH", b"wrong").startswith(b"-WRONGPASS")
    assert client.ask(b"AUTH", b"secret") == b"+OK"
    assert client.ask(b"GET", b"k") is None
    big = ours.client()
    big.socket.sendall(b"*11\r\n")
    assert big.read() == b"-ERR Protocol error: unauthenticated multibulk length"


@test
def unix_sockets_by_path_and_abstract(servers):
    directory = tempfile.mkdtemp()
    path = os.path.join(directory, "m.sock")
    ours = servers.millrace("--unixsocket", path, "--unixsocketperm", "700")
    client = Client(path)
    assert client.ask(b"PING") == b"+PONG"
    assert os.stat(path).st_mode & 0o777 == 0o700
    client.close()
    assert ours.stop() == 0
    assert not os.path.exists(path)
    name = f"@millrace-{os.getpid()}"
    servers.millrace("--unixsocket", name)
    client = Client(b"\0" + name[1:].encode())
    assert client.ask(b"PING") == b"+PONG"
    client.close()


@test
def half_close_still_gets_its_replies(servers):
    ours = servers.millrace()
    with socket.create_connection(("127.0.0.1", ours.port)) as sock:
        sock.sendall(b"SET k v\r\nGET k\r\n")
        sock.shutdown(socket.SHUT_WR)
        got = b""
        while chunk := sock.recv(4096):
            got += chunk
    assert got == b"+OK\r\n$1\r\nv\r\n", got


@test
def byte_by_byte_and_all_at_once(servers):
    ours = servers.millrace()
    client = ours.client()
    request = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n"
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(len(request)):
        client.socket.sendall(request[i:i + 1])
    assert client.read() == b"+OK"
    client.socket.sendall(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" * 10_000)
    for _ in range(10_000):
        assert client.read() == b"$hello"


@test
def a_large_value_goes_in_and_out(servers):
    ours = servers.millrace()
    client = ours.client()
    value = os.urandom(1 << 20) * 40
    assert client.ask(b"SET", b"big", value) == b"+OK"
    assert client.ask(b"GET", b"big") == b"$" + value
    assert client.ask(b"STRLEN", b"big") == b":%d" % len(value)


@test
def who_reads_only_when_all_is_sent_gets_all(servers):
    """More requests than both sockets hold, and forty megabytes of replies: a server that stopped to read would never end."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "socket")
        server = servers.millrace("--unixsocket", path)
        client = Client(path)
        client.ask(b"RPUSH", b"l", *[b"foo"] * 500)
        client.socket.sendall(encode(b"LRANGE", b"l", b"0", b"499") * 10_000)
        reply = b"*500\r\n" + b"$3\r\nfoo\r\n" * 500
        for _ in range(10_000):
            assert client.reader.read(len(reply)) == reply


@test
def a_client_that_does_not_read_costs_its_limit(servers):
    ours = servers.millrace("--client-output-buffer-limit", "normal", "4mb", "0", "0")
    ours.ask(b"SET", b"big", b"x" * 1_000_000)
    hog = ours.client()
    hog.socket.settimeout(10)
    try:
        for _ in range(400):
            hog.socket.sendall(b"*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n")
    except OSError:
        pass  # closed on us: that is the point
    assert ours.ask(b"PING") == b"+PONG"
    info = ours.ask(b"INFO", b"memory").decode()
    used = int(info.split("used_memory:")[1].split()[0])
    assert used < 64 << 20, used


@test
def maxmemory_holds_with_every_policy(servers):
    for policy in ("allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu",
                   "volatile-random", "volatile-ttl", "noeviction"):
        ours = servers.millrace("--maxmemory", "8mb", "--maxmemory-policy", policy)
        client = ours.client()
        errors = 0
        for start in range(0, 30_000, 1000):
            client.socket.sendall(b"".join(
                b"*5\r\n$3\r\nSET\r\n$8\r\nk%07d\r\n$1000\r\n%s\r\n$2\r\nEX\r\n$4\r\n1000\r\n" % (i, b"v" * 1000)
                for i in range(start, start + 1000)))
            errors += sum(client.read().startswith(b"-OOM") for _ in range(1000))
        used = int(ours.ask(b"INFO", b"memory").decode().split("used_memory:")[1].split()[0])
        assert used < 9 << 20, (policy, used)
        assert (errors > 0) == (policy == "noeviction"), (policy, errors)
        assert ours.stop() == 0


@test
def keys_expire_by_themselves(servers):
    ours = servers.millrace()
    client = ours.client()
    for i in range(1000):
        client.send(b"SET", b"k%d" % i, b"v", b"PX", b"50")
    for _ in range(1000):
        client.read()
    wait_until(lambda: client.ask(b"DBSIZE") == b":0")


@test
def sighup_reads_the_configuration_again(servers):
    with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as file:
        file.write("maxmemory 10mb\n")
    port = free_port()
    process = subprocess.Popen([MILLRACE, file.name, "--port", str(port), "--bind", "127.0.0.1"],
                               stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "Ready to accept" in line:
            break
    with open(file.name, "w") as changed:
        changed.write("maxmemory 20mb\n")
    process.send_signal(signal.SIGHUP)
    client = Client(("127.0.0.1", port))
    wait_until(lambda: client.ask(b"CONFIG", b"GET", b"maxmemory")[1] == b"$20971520")
    process.terminate()
    assert process.wait(20) == 0


@test
def pidfile_and_readiness_for_systemd(servers):
    directory = tempfile.mkdtemp()
    notify = os.path.join(directory, "notify")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(notify)
    listener.settimeout(20)
    pidfile = os.path.join(directory, "pid")
    port = free_port()
    process = subprocess.Popen([MILLRACE, "--port", str(port), "--bind", "127.0.0.1", "--pidfile", pidfile,
                                "--supervised", "systemd"], stdout=subprocess.DEVNULL,
                               env={**os.environ, "NOTIFY_SOCKET": notify})
    said = b""
    while b"READY=1" not in said:
        said += listener.recv(4096)
    assert int(open(pidfile).read()) == process.pid
    process.terminate()
    assert process.wait(20) == 0
    assert not os.path.exists(pidfile)


@test
def shutdown_ends_with_0(servers):
    ours = servers.millrace()
    client = ours.client()
    client.send(b"SHUTDOWN", b"NOSAVE")
    assert ours.process.wait(20) == 0


@test
def sigterm_ends_with_0_whatever_the_number_of_threads(servers):
    for threads in ("1", "2", "4"):
        ours = servers.millrace("--io-threads", threads)
        assert ours.ask(b"PING") == b"+PONG"
        assert ours.stop() == 0, threads


if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
