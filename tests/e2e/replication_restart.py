#!/usr/bin/env python3
"""A server that restarts from its snapshot goes on where it was in its master's history, in either role and with
Debian's redis-server on the other side: a partial resync, no full copy."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from replication import COMMON, SEED, expect_equal, follow, in_sync, info, load_for, wait_until  # noqa: E402
from servers import run_tests  # noqa: E402

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def syncs(master):
    stats = info(master, b"stats")
    return int(stats["sync_full"]), int(stats["sync_partial_ok"])


def end(server):
    """SHUTDOWN SAVE, as an operator does it."""
    try:
        server.ask(b"SHUTDOWN", b"SAVE")
    except (EOFError, OSError):
        pass
    assert server.process.wait(30) == 0, server.log()


def again(make, server):
    """The same server: its directory, its port."""
    return make(*COMMON, directory=server.directory, port=server.port)


def replica_restarts(servers, make_master, make_replica):
    master, replica = make_master(*COMMON), make_replica(*COMMON)
    load_for(master, 0.5, SEED)
    follow(replica, master.port)
    wait_until(lambda: in_sync(master, replica), "sync")
    master_client = master.client()
    master_client.ask(b"SELECT", b"5")  # the stream's database when the replica goes
    for i in range(100):
        master_client.ask(b"SET", b"before%d" % i, b"v")
    wait_until(lambda: in_sync(master, replica), "sync")
    end(replica)
    for i in range(100):
        master_client.ask(b"SET", b"meanwhile%d" % i, b"v")
    full, partial = syncs(master)
    replica = make_replica(*COMMON, "--replicaof", "127.0.0.1", str(master.port), directory=replica.directory)
    wait_until(lambda: in_sync(master, replica), "sync after the restart")
    expect_equal(master, replica)
    assert syncs(master) == (full, partial + 1), (syncs(master), replica.log())


@test
def our_replica_of_redis_restarts(servers):
    replica_restarts(servers, servers.redis, servers.millrace)


@test
def our_replica_of_ours_restarts(servers):
    replica_restarts(servers, servers.millrace, servers.millrace)


@test
def redis_replica_of_ours_restarts(servers):
    replica_restarts(servers, servers.millrace, servers.redis)


def master_restarts(servers, make_master, make_replica):
    """Its replica goes on; and a key whose time passes while the master is away is gone from both."""
    master, replica = make_master(*COMMON), make_replica(*COMMON)
    load_for(master, 0.5, SEED)
    follow(replica, master.port)
    wait_until(lambda: in_sync(master, replica), "sync")
    master.ask(b"SET", b"short", b"v", b"PX", b"1500")
    for i in range(50):
        master.ask(b"SET", b"k%d" % i, b"v")
    wait_until(lambda: in_sync(master, replica), "sync")
    end(master)
    time.sleep(1.6)  # the key's time, which is the machine's
    master = again(make_master, master)
    wait_until(lambda: in_sync(master, replica), "sync after the restart")
    assert master.ask(b"SET", b"after", b"v") == b"+OK"
    expect_equal(master, replica)
    assert syncs(master) == (0, 1), (syncs(master), master.log(), replica.log())
    assert info(master)["master_replid2"] != "0" * 40
    assert b"short" not in b"".join(replica.ask(b"KEYS", b"short"))


@test
def our_master_of_redis_restarts(servers):
    master_restarts(servers, servers.millrace, servers.redis)


@test
def our_master_of_ours_restarts(servers):
    master_restarts(servers, servers.millrace, servers.millrace)


@test
def redis_master_of_ours_restarts(servers):
    master_restarts(servers, servers.redis, servers.millrace)


@test
def reload_leaves_the_link(servers):
    master, replica = servers.redis(*COMMON), servers.millrace(*COMMON)
    load_for(master, 0.3, SEED)
    follow(replica, master.port)
    wait_until(lambda: in_sync(master, replica), "sync")
    before = syncs(master)
    assert replica.ask(b"DEBUG", b"RELOAD") == b"+OK"
    load_for(master, 0.3, SEED + 1)
    expect_equal(master, replica)
    assert syncs(master) == before


@test
def without_a_snapshot_everything_is_copied(servers):
    master = servers.redis(*COMMON)
    master.ask(b"SET", b"k", b"v")
    replica = servers.millrace(*COMMON, "--replicaof", "127.0.0.1", str(master.port))
    wait_until(lambda: in_sync(master, replica), "sync")
    assert syncs(master) == (1, 0)
    assert info(master, b"stats")["sync_partial_err"] == "0"


@test
def who_changes_to_a_sibling_stays_in_the_streams_database(servers):
    """The stream says SELECT once; whoever takes it from elsewhere in its middle must still know."""
    master, first, second = (servers.millrace(*COMMON) for _ in range(3))
    follow(first, master.port)
    follow(second, master.port)
    client = master.client()
    client.ask(b"SELECT", b"5")
    client.ask(b"SET", b"a", b"1")
    wait_until(lambda: in_sync(master, first) and in_sync(master, second), "sync")
    follow(second, first.port)
    wait_until(lambda: info(second).get("master_link_status") == "up", "the sibling")
    client.ask(b"SET", b"b", b"1")
    expect_equal(master, first, second)
    assert syncs(first) == (0, 1)


if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
