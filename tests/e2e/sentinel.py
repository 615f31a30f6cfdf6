#!/usr/bin/env python3
"""Debian's redis-sentinel, three of them, with our master and two replicas (one ours, one Redis).

The master is killed under load. A client that follows Sentinel goes on writing; printed are the time until it could
write again and how many acknowledged writes are gone, beside the same run with three Redis. Asynchronous replication
may lose what the master had acknowledged in its last moment; that is Redis' promise, and ours.
"""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from replication import COMMON, digest, follow, in_sync, info, wait_until  # noqa: E402
from servers import Client, Server, free_port, run_tests  # noqa: E402

TESTS = []
DOWN_AFTER_MS = 1000


def test(function):
    TESTS.append(function)
    return function


def start_sentinels(servers, master):
    sentinels = []
    for _ in range(3):
        port = free_port()
        path = pathlib.Path(servers.running[0].directory) / f"sentinel-{port}.conf"
        path.write_text(f"port {port}\nbind 127.0.0.1\nsentinel monitor mill 127.0.0.1 {master.port} 2\n"
                        f"sentinel down-after-milliseconds mill {DOWN_AFTER_MS}\n"
                        "sentinel failover-timeout mill 10000\nsentinel parallel-syncs mill 1\n")
        sentinel = Server("sentinel", ["redis-sentinel", str(path)], port)
        servers.running.append(sentinel)
        sentinels.append(sentinel)
    return sentinels


def master_port(sentinel):
    return int(sentinel.ask(b"SENTINEL", b"get-master-addr-by-name", b"mill")[1][1:])


def settled(sentinel, servers):
    """Whether Sentinel names one of `servers` as master and the others are in sync with it.

    Who was promoted may not stay it: on a loaded machine it can stall for longer than `down-after`, and be replaced.
    """
    port = master_port(sentinel)
    master = next((server for server in servers if server.port == port), None)
    others = [server for server in servers if server is not master]
    return master and info(master)["role"] == "master" and all(in_sync(master, other) for other in others)


def fields(reply):
    return dict(zip((r[1:].decode() for r in reply[::2]), (r[1:].decode() for r in reply[1::2])))


def sees_everybody(sentinel):
    facts = fields(sentinel.ask(b"SENTINEL", b"master", b"mill"))
    return facts["num-slaves"] == "2" and facts["num-other-sentinels"] == "2"


class Follower:
    """A client that asks Sentinel where the master is, and writes numbers there."""

    def __init__(self, sentinel):
        self.sentinel, self.client = sentinel, None
        self.acknowledged = []
        self.next = 0

    def write_once(self):
        try:
            if not self.client:
                self.client = Client(("127.0.0.1", master_port(self.sentinel)))
                self.client.socket.settimeout(1)
            if self.client.ask(b"ZADD", b"log", b"%d" % self.next, b"%d" % self.next) == b":1":
                self.acknowledged.append(self.next)
                self.next += 1
                return True
        except (OSError, EOFError):
            pass
        self.client = None
        self.next += 1  # it may have been written or not
        return False

    def write_for(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.write_once() or time.sleep(0.01)


def failover(servers, make_master, make_one, make_other, *of_one):
    """Returns who was promoted, and the first of the replicas, which alone is started with `of_one`."""
    master, one, other = make_master(*COMMON), make_one(*COMMON, *of_one), make_other(*COMMON)
    follow(one, master.port)
    follow(other, master.port)
    wait_until(lambda: in_sync(master, one) and in_sync(master, other), "sync")
    sentinels = start_sentinels(servers, master)
    wait_until(lambda: all(sees_everybody(s) for s in sentinels), "discovery by Sentinel")
    follower = Follower(sentinels[0])
    follower.write_for(2)
    before = len(follower.acknowledged)
    assert before > 100
    master.process.kill()
    master.process.wait()
    killed = time.monotonic()
    while not follower.write_once():
        assert time.monotonic() - killed < 60, "nobody took over"
        time.sleep(0.01)
    recovered = time.monotonic() - killed
    promoted = next(s for s in (one, other) if s.port == master_port(sentinels[0]))
    follower.write_for(1)
    wait_until(lambda: settled(sentinels[0], (one, other)), "one replica follows the other")
    present = {int(m[1:]) for m in one.ask(b"ZRANGE", b"log", b"0", b"-1")}
    lost = [n for n in follower.acknowledged if n not in present]
    # The old master returns, empty, and Sentinel makes it a replica.
    servers.running.remove(master)
    program = master.process.args[0]
    back = Server("back", [program, "--port", str(master.port), "--bind", "127.0.0.1", *COMMON], master.port)
    servers.running.append(back)
    wait_until(lambda: settled(sentinels[0], (one, other, back)), "the old master's return", 60)
    assert len({digest(server) for server in (one, other, back)}) == 1
    print(f"  promoted: {promoted.name}; writes again after {recovered:.2f} s (down-after {DOWN_AFTER_MS} ms); "
          f"acknowledged {len(follower.acknowledged)}, lost {len(lost)}")
    return promoted, one


@test
def ours_with_a_replica_of_each(servers):
    failover(servers, servers.millrace, servers.millrace, servers.redis)


@test
def ours_is_promoted_where_it_is_preferred(servers):
    promoted, ours = failover(servers, servers.redis, servers.millrace, servers.redis, "--replica-priority", "10")
    assert promoted is ours, promoted.name


@test
def three_redis(servers):
    failover(servers, servers.redis, servers.redis, servers.redis)


if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
