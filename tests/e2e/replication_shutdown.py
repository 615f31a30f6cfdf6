#!/usr/bin/env python3
"""SHUTDOWN of a master waits for replicas that lag, as Redis' does: each test runs with Debian's redis-server as the
master too. A replica lags because it is stopped (SIGSTOP)."""
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from replication import COMMON, follow, in_sync, info, wait_until  # noqa: E402
from servers import run_tests  # noqa: E402

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Lagging:
    """A master whose replica has stopped and lacks a write."""

    def __init__(self, make_master, make_replica, *arguments):
        self.master, self.replica = make_master(*COMMON, *arguments), make_replica(*COMMON)
        follow(self.replica, self.master.port)
        wait_until(lambda: in_sync(self.master, self.replica), "sync")
        self.replica.process.send_signal(signal.SIGSTOP)
        self.master.ask(b"SET", b"late", b"v")

    def shutdown(self, *options):
        client = self.master.client()
        client.send(b"SHUTDOWN", *options)
        return client

    def shutdown_that_waits(self):
        client = self.shutdown(b"NOSAVE")
        wait_until(lambda: "shutdown_in_milliseconds" in info(self.master, b"server"), "the wait")
        return client

    def go_on(self):
        self.replica.process.send_signal(signal.SIGCONT)

    def status(self):
        return self.master.process.wait(10)


def masters(servers, *arguments, makes=None):
    for make in makes or (servers.redis, servers.millrace):
        lagging = Lagging(make, servers.millrace, *arguments)
        try:
            yield lagging
        finally:
            lagging.go_on()


@test
def ends_when_the_replica_has_everything(servers):
    for lagging in masters(servers):
        client = lagging.shutdown_that_waits()
        left_ms = int(info(lagging.master, b"server")["shutdown_in_milliseconds"])
        assert 5000 < left_ms <= 10000, left_ms
        lagging.go_on()
        assert lagging.status() == 0
        assert client.socket.recv(1) == b""
        assert lagging.replica.ask(b"GET", b"late") == b"$v"
        log = lagging.master.log()
        assert "Waiting for replicas before shutting down." in log
        assert "1 of 1 replicas are in sync when shutting down." in log


@test
def what_waits_for_a_replica_is_told(servers):
    for lagging in masters(servers):
        for i in range(8):
            lagging.master.ask(b"SET", b"big%d" % i, b"v" * (1 << 20))
        memory = info(lagging.master, b"memory")
        # A socket may have taken some; Redis counts the blocks of its backlog, too.
        assert int(memory["mem_total_replication_buffers"]) > 2 << 20, memory["mem_total_replication_buffers"]
        assert int(memory["mem_replication_backlog"]) > 0
        assert int(memory["mem_clients_normal"]) < 2 << 20, (lagging.master.name, memory["mem_clients_normal"])
        lagging.go_on()
        wait_until(lambda: in_sync(lagging.master, lagging.replica), "sync")
        assert int(info(lagging.master, b"memory")["mem_clients_slaves"]) < 1 << 20


# Each eviction says so to the replica: counted, what waits for it would have everything evicted, and more waiting.
@test
def what_waits_for_a_replica_evicts_nothing(servers):
    for lagging in masters(servers, "--maxmemory-policy", "allkeys-lru"):
        master = lagging.master
        for i in range(100):
            master.ask(b"SET", b"k%d" % i, b"v")
        used = int(info(master, b"memory")["used_memory"])
        master.ask(b"CONFIG", b"SET", b"maxmemory", b"%d" % (used + (10 << 20)))
        for _ in range(30):
            reply = master.ask(b"SET", b"k0", b"v" * (1 << 20))
            assert reply == b"+OK", (master.name, reply)
        memory = info(master, b"memory")
        assert int(memory["mem_not_counted_for_evict"]) > 10 << 20, memory["mem_not_counted_for_evict"]
        assert info(master, b"stats")["evicted_keys"] == "0", (master.name, info(master, b"stats")["evicted_keys"])


@test
def writes_wait_meanwhile(servers):
    for lagging in masters(servers):
        lagging.shutdown_that_waits()
        writer = lagging.master.client()
        writer.socket.settimeout(0.3)
        writer.send(b"SET", b"later", b"v")
        try:
            raise AssertionError(writer.read())
        except TimeoutError:
            pass
        assert lagging.master.ask(b"GET", b"late") == b"$v"
        lagging.go_on()
        assert lagging.status() == 0
        assert lagging.replica.ask(b"GET", b"later") is None


@test
def ends_when_time_is_up(servers):
    for lagging in masters(servers, "--shutdown-timeout", "1"):
        begun = time.monotonic()
        lagging.master.process.terminate()
        assert lagging.status() == 0
        assert 0.8 < time.monotonic() - begun < 5
        log = lagging.master.log()
        assert f"Lagging replica 127.0.0.1:{lagging.replica.port} reported offset" in log
        assert "state=online." in log and "0 of 1 replicas are in sync when shutting down." in log


@test
def now_does_not_wait(servers):
    for lagging in masters(servers):
        begun = time.monotonic()
        lagging.shutdown(b"NOSAVE", b"NOW")
        assert lagging.status() == 0
        assert time.monotonic() - begun < 3
        assert "Waiting for replicas" not in lagging.master.log()


@test
def no_timeout_does_not_wait(servers):
    for lagging in masters(servers, "--shutdown-timeout", "0"):
        lagging.shutdown(b"NOSAVE")
        assert lagging.status() == 0
        assert "Waiting for replicas" not in lagging.master.log()


@test
def abort_lets_it_go_on(servers):
    """With ours alone: redis-server 7.0.15 crashes when one of two whose SHUTDOWN waited goes on to ask for more."""
    for lagging in masters(servers, makes=[servers.millrace]):
        client, second = lagging.shutdown_that_waits(), lagging.shutdown(b"NOSAVE")
        wait_until(lambda: info(lagging.master, b"clients")["blocked_clients"] == "2", "both")
        assert lagging.master.ask(b"SHUTDOWN", b"ABORT") == b"+OK"
        for asker in (client, second):
            assert asker.read() == b"-ERR Errors trying to SHUTDOWN. Check logs."
            assert asker.ask(b"PING") == b"+PONG"
        assert lagging.master.ask(b"SET", b"k", b"v") == b"+OK"
        assert "shutdown_in_milliseconds" not in info(lagging.master, b"server")
        assert lagging.master.ask(b"SHUTDOWN", b"ABORT") == b"-ERR No shutdown in progress."


@test
def a_snapshot_that_cannot_be_written_calls_it_off(servers):
    """After the wait: who asked is told, and writes go on."""
    for lagging in masters(servers):
        master = lagging.master
        client = lagging.shutdown(b"SAVE")
        wait_until(lambda: "shutdown_in_milliseconds" in info(master, b"server"), "the wait")
        pathlib.Path(master.directory, "dump.rdb").unlink(missing_ok=True)
        pathlib.Path(master.directory, "dump.rdb").mkdir()
        lagging.go_on()
        assert client.read() == b"-ERR Errors trying to SHUTDOWN. Check logs."
        assert master.ask(b"SET", b"k", b"v") == b"+OK"


if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
