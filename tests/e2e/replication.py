#!/usr/bin/env python3
"""Live replication with Debian's redis-server, in both directions and in chains, under load, with the link cut.

Data is compared by DEBUG DIGEST, whose algorithm both share. Each test prints its seed.
"""
import os
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from relay import Relay  # noqa: E402
from servers import run_tests  # noqa: E402
from write_load import WriteLoad  # noqa: E402

TESTS = []
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
CUTS = int(os.environ.get("CUTS", 100))
COMMON = ["--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]


def test(function):
    TESTS.append(function)
    return function


def wait_until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out: " + what
        time.sleep(0.02)


def info(server, section=b"replication"):
    lines = server.ask(b"INFO", section)[1:].decode().split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


def digest(server):
    return server.ask(b"DEBUG", b"DIGEST")


def follow(replica, port):
    assert replica.ask(b"REPLICAOF", b"127.0.0.1", b"%d" % port) == b"+OK"


def in_sync(master, replica):
    return (info(replica).get("master_link_status") == "up"
            and info(replica)["slave_repl_offset"] == info(master)["master_repl_offset"])


def expect_equal(master, *replicas):
    """After the writes have ended. Keys that expire meanwhile would make the digests race, so they go first."""
    for replica in replicas:
        wait_until(lambda: info(replica).get("master_link_status") == "up", f"{replica.name} is not up")
    end = time.monotonic() + 30
    while True:
        digests = [digest(server) for server in (master, *replicas)]
        if len(set(digests)) == 1:
            return
        assert time.monotonic() < end, f"digests differ: {digests} {[dbsizes(s) for s in (master, *replicas)]}"
        time.sleep(0.2)


def dbsizes(server):
    return {k: v for k, v in info(server, b"keyspace").items()}


def load_for(server, seconds, seed):
    load = WriteLoad(server, seed).start()
    time.sleep(seconds)
    return load.stop()


def live(servers, make_master, make_replica, *extra):
    """A full copy under load, more load, equal data."""
    print(f"  seed {SEED}")
    master, replica = make_master(*COMMON, *extra), make_replica(*COMMON)
    load_for(master, 1, SEED)
    load = WriteLoad(master, SEED + 1).start()
    follow(replica, master.port)
    wait_until(lambda: info(replica).get("master_link_status") == "up", "the copy")
    time.sleep(2)
    load.stop()
    strange = [error for error in load.errors if b"no such key" not in error[1] and b"the same" not in error[1]]
    assert not strange, strange[:3]
    expect_equal(master, replica)
    print(f"  {load.count} writes while it copied and after")
    return master, replica


@test
def ours_follows_redis(servers):
    live(servers, servers.redis, servers.millrace)


@test
def ours_follows_redis_that_sends_a_file(servers):
    live(servers, servers.redis, servers.millrace, "--repl-diskless-sync", "no")


@test
def redis_follows_ours(servers):
    live(servers, servers.millrace, servers.redis)


@test
def redis_follows_ours_that_sends_a_file(servers):
    live(servers, servers.millrace, servers.redis, "--repl-diskless-sync", "no")


@test
def ours_follows_ours(servers):
    live(servers, servers.millrace, servers.millrace)


@test
def ours_follows_ours_with_io_threads(servers):
    live(servers, lambda *a: servers.millrace("--io-threads", "2", *a), servers.millrace)


def cut_often(servers, make_master, make_replica):
    """The link goes through a relay that is cut CUTS times, at random moments, while writes go on."""
    print(f"  seed {SEED}")
    chance = random.Random(SEED)
    master, replica = make_master(*COMMON), make_replica(*COMMON)
    relay = Relay(master.port)
    load_for(master, 0.5, SEED)
    load = WriteLoad(master, SEED + 1).start()
    follow(replica, relay.port)
    for _ in range(CUTS):
        if chance.random() < 0.8:
            wait_until(lambda: info(replica).get("master_link_status") == "up", "the link")
        time.sleep(chance.uniform(0, 0.1))
        relay.cut()
    load.stop()
    expect_equal(master, replica)
    stats = info(master, b"stats")
    print(f"  {load.count} writes, {relay.accepted} connections, partial resyncs {stats['sync_partial_ok']}, "
          f"full {stats['sync_full']}, refused {stats['sync_partial_err']}")
    assert int(stats["sync_partial_ok"]) >= CUTS // 4, stats
    relay.close()


@test
def cut_often_ours_follows_redis(servers):
    cut_often(servers, servers.redis, servers.millrace)


@test
def cut_often_redis_follows_ours(servers):
    cut_often(servers, servers.millrace, servers.redis)


@test
def cut_often_ours_follows_ours(servers):
    cut_often(servers, servers.millrace, servers.millrace)


def chain(servers, first, second, third):
    print(f"  seed {SEED}")
    a, b, c = first(*COMMON), second(*COMMON), third(*COMMON)
    load_for(a, 0.5, SEED)
    follow(b, a.port)
    follow(c, b.port)
    load = load_for(a, 2, SEED + 1)
    wait_until(lambda: info(c).get("master_link_status") == "up", "the end of the chain")
    load_for(a, 1, SEED + 2)
    expect_equal(a, b, c)
    assert info(a)["master_replid"] == info(b)["master_replid"] == info(c)["master_replid"]
    # The middle is promoted: its replica goes on with it, without a full copy.
    full = int(info(b, b"stats")["sync_full"])
    assert b.ask(b"REPLICAOF", b"NO", b"ONE") == b"+OK"
    b.ask(b"SET", b"after", b"promotion")
    wait_until(lambda: c.ask(b"GET", b"after") == b"$promotion", "the stream of the promoted")
    expect_equal(b, c)
    assert int(info(b, b"stats")["sync_full"]) == full, "a full copy was not needed"
    # The old master comes back as its replica: partial, for it has the same history up to there.
    follow(a, b.port)
    wait_until(lambda: in_sync(b, a), "the old master")
    expect_equal(b, a, c)
    print(f"  {load.count} writes; full copies of the middle {info(b, b'stats')['sync_full']}, "
          f"partial {info(b, b'stats')['sync_partial_ok']}")


@test
def chain_redis_ours_redis(servers):
    chain(servers, servers.redis, servers.millrace, servers.redis)


@test
def chain_ours_redis_ours(servers):
    chain(servers, servers.millrace, servers.redis, servers.millrace)


@test
def chain_ours_ours_ours(servers):
    chain(servers, servers.millrace, servers.millrace, servers.millrace)


@test
def wait_counts_replicas(servers):
    for make in (servers.redis, servers.millrace):
        master, replica = servers.millrace(*COMMON), make(*COMMON)
        assert master.ask(b"WAIT", b"0", b"0") == b":0"
        assert master.ask(b"WAIT", b"1", b"50") == b":0"
        follow(replica, master.port)
        wait_until(lambda: in_sync(master, replica), "sync")
        client = master.client()
        for i in range(20):
            client.ask(b"SET", b"k", b"%d" % i)
            assert client.ask(b"WAIT", b"1", b"5000") == b":1"
        begun = time.monotonic()
        assert client.ask(b"WAIT", b"2", b"200") == b":1"
        assert 0.15 < time.monotonic() - begun < 3
        role = master.ask(b"ROLE")
        assert role[0] == b"$master" and role[2][0][1] == b"$%d" % replica.port, role
        assert replica.ask(b"ROLE")[:4] == [b"$slave", b"$127.0.0.1", b":%d" % master.port, b"$connected"]


@test
def min_replicas_to_write(servers):
    master, replica = servers.millrace(*COMMON, "--min-replicas-to-write", "1"), servers.redis(*COMMON)
    assert master.ask(b"SET", b"a", b"1").startswith(b"-NOREPLICAS")
    follow(replica, master.port)
    wait_until(lambda: master.ask(b"SET", b"a", b"1") == b"+OK", "writes with a replica")
    replica.ask(b"REPLICAOF", b"NO", b"ONE")
    wait_until(lambda: master.ask(b"SET", b"a", b"1").startswith(b"-NOREPLICAS"), "no writes without")


@test
def replicas_are_read_only_and_say_when_they_are_stale(servers):
    master, replica = servers.redis(*COMMON), servers.millrace(*COMMON)
    master.ask(b"SET", b"a", b"1")
    follow(replica, master.port)
    wait_until(lambda: in_sync(master, replica), "sync")
    assert replica.ask(b"SET", b"a", b"2").startswith(b"-READONLY")
    assert replica.ask(b"GET", b"a") == b"$1"
    replica.ask(b"CONFIG", b"SET", b"replica-serve-stale-data", b"no")
    master.stop()
    wait_until(lambda: replica.ask(b"GET", b"a").startswith(b"-MASTERDOWN"), "stale")
    assert replica.ask(b"REPLICAOF", b"NO", b"ONE") == b"+OK"
    assert replica.ask(b"SET", b"a", b"2") == b"+OK"


@test
def passwords(servers):
    for make in (servers.redis, servers.millrace):
        master = make(*COMMON, "--requirepass", "secret")
        replica = servers.millrace(*COMMON, "--masterauth", "wrong")
        follow(replica, master.port)
        wait_until(lambda: "Unable to AUTH to MASTER" in replica.log(), "a refusal in the log")
        replica.ask(b"CONFIG", b"SET", b"masterauth", b"secret")
        wait_until(lambda: info(replica)["master_link_status"] == "up", "the right password")


@test
def failover_hands_over_without_a_loss(servers):
    for make in (servers.millrace, servers.redis):
        master, replica = servers.millrace(*COMMON), make(*COMMON)
        follow(replica, master.port)
        wait_until(lambda: in_sync(master, replica), "sync")
        load_for(master, 0.5, SEED)
        assert master.ask(b"FAILOVER", b"TO", b"127.0.0.1", b"1").startswith(b"-ERR FAILOVER target HOST")
        assert master.ask(b"FAILOVER", b"TIMEOUT", b"10000") == b"+OK"
        wait_until(lambda: info(replica)["role"] == "master", "the replica's promotion")
        wait_until(lambda: in_sync(replica, master), "the old master follows")
        assert info(master)["master_failover_state"] == "no-failover"
        expect_equal(replica, master)
        assert info(replica, b"stats")["sync_full"] == "0"


@test
def sync_of_old_is_answered_by_the_snapshot_alone(servers):
    """SYNC: no offset, "$<length>", the file, the stream. redis-cli --rdb takes the file and no more."""
    for make in (servers.redis, servers.millrace):
        master = make(*COMMON)
        master.ask(b"SET", b"k", b"v")
        old = master.client()
        old.socket.sendall(b"SYNC\r\n")
        line = b"\n"
        while line == b"\n":  # a sign of life
            line = old.reader.readline()
        assert line.startswith(b"$") and not line.startswith(b"$EOF"), line
        assert old.reader.read(int(line[1:])).startswith(b"REDIS0")
        master.ask(b"SET", b"k", b"w")
        seen = b""
        while not seen.endswith(b"$3\r\nSET\r\n$1\r\nk\r\n$1\r\nw\r\n"):
            seen += old.reader.read(1)
            assert len(seen) < 10_000, seen


@test
def who_wants_the_snapshot_alone_is_let_go(servers):
    master = servers.millrace(*COMMON)
    tool = master.client()
    assert tool.ask(b"REPLCONF", b"rdb-only", b"1") == b"+OK"
    tool.socket.sendall(b"SYNC\r\n")
    assert b"REDIS0" in tool.reader.read()  # up to the end of the connection
    wait_until(lambda: info(master)["connected_slaves"] == "0", "it is forgotten")


@test
def a_snapshot_has_what_was_asked_for(servers):
    """A replica and a tool that wait at once: each gets its own."""
    master = servers.millrace(*COMMON)
    master.ask(b"SET", b"a-key", b"v")
    master.ask(b"FUNCTION", b"LOAD", b"#!lua name=a_library\nredis.register_function('f', function() return 1 end)")

    def snapshot(*words):
        tool = master.client()
        assert tool.ask(b"REPLCONF", b"rdb-only", b"1", *words) == b"+OK"
        tool.socket.sendall(b"SYNC\r\n")
        return tool

    tools = [snapshot(), snapshot(b"rdb-filter-only", b"functions"), snapshot(b"rdb-filter-only", b"")]
    texts = [tool.reader.read() for tool in tools]
    assert [b"a-key" in text for text in texts] == [True, False, False], texts
    assert [b"a_library" in text for text in texts] == [True, True, False], texts


@test
def a_replica_whose_clients_are_paused_changes_nothing(servers):
    master = servers.millrace(*COMMON)
    replica = servers.millrace(*COMMON)
    follow(replica, master.port)
    wait_until(lambda: info(replica)["master_link_status"] == "up", "the link")
    replica.ask(b"CLIENT", b"PAUSE", b"100000", b"WRITE")
    master.ask(b"SET", b"k", b"v")
    wait_until(lambda: info(replica)["slave_read_repl_offset"] == info(master)["master_repl_offset"], "it is read")
    assert replica.ask(b"EXISTS", b"k") == b":0"
    replica.ask(b"CLIENT", b"UNPAUSE")
    wait_until(lambda: replica.ask(b"GET", b"k") == b"$v", "it is applied")


@test
def client_kill_knows_the_master_by_its_address(servers):
    master = servers.millrace(*COMMON)
    replica = servers.millrace(*COMMON)
    follow(replica, master.port)
    wait_until(lambda: info(replica)["master_link_status"] == "up", "the link")
    assert replica.ask(b"CLIENT", b"KILL", b"127.0.0.1:%d" % master.port) == b"+OK"
    wait_until(lambda: info(master, b"stats")["sync_partial_ok"] == "1", "it comes back")


@test
def a_failing_master_leaves_the_data(servers):
    """Garbage instead of a snapshot: the old data is served on."""
    import socket
    import threading
    replica = servers.millrace(*COMMON)
    replica.ask(b"SET", b"mine", b"1")
    listener = socket.create_server(("127.0.0.1", 0))

    def lie():
        for what in (b"$100\r\nREDIS", b"$5\r\nhello", b"$EOF:" + b"a" * 40 + b"\r\nREDIS0011", b"rubbish\r\n"):
            peer, _ = listener.accept()
            peer.recv(1000)
            peer.sendall(b"+PONG\r\n")
            peer.recv(1000)
            peer.sendall(b"+OK\r\n+OK\r\n")
            peer.recv(1000)
            peer.sendall(b"+FULLRESYNC " + b"b" * 40 + b" 1\r\n" + what)
            time.sleep(0.1)
            peer.close()

    threading.Thread(target=lie, daemon=True).start()
    follow(replica, listener.getsockname()[1])
    time.sleep(0.3)
    assert replica.ask(b"GET", b"mine") == b"$1"
    wait_until(lambda: "rubbish" in replica.log(), "the last lie")
    assert replica.ask(b"PING") == b"+PONG"
    listener.close()


@test
def a_replica_that_takes_nothing_is_left_behind(servers):
    """It asks for a snapshot and does not read: the child is free again after repl-timeout."""
    master = servers.millrace(*COMMON, "--repl-timeout", "2")
    client = master.client()
    for i in range(60):
        client.ask(b"SET", b"k%d" % i, os.urandom(1 << 19))
    lazy = master.client()
    lazy.send(b"REPLCONF", b"capa", b"eof")
    lazy.send(b"PSYNC", b"?", b"-1")
    wait_until(lambda: info(master)["connected_slaves"] == "1", "the lazy one")
    wait_until(lambda: "timedout replica (full sync)" in master.log(), "its end")
    replica = servers.redis(*COMMON)
    follow(replica, master.port)
    expect_equal(master, replica)


def clients_of(server, kind):
    lines = server.ask(b"CLIENT", b"LIST", b"TYPE", kind)[1:].decode().splitlines()
    return [dict(word.split("=", 1) for word in line.split(" ")) for line in lines]


@test
def links_are_clients_of_both_ends(servers):
    """Flags, types and what INFO counts, beside the same of Redis."""
    for make_master, make_replica in ((servers.redis, servers.redis), (servers.redis, servers.millrace),
                                      (servers.millrace, servers.redis), (servers.millrace, servers.millrace)):
        master, replica = make_master(*COMMON), make_replica(*COMMON)
        assert clients_of(replica, b"master") == []
        follow(replica, master.port)
        wait_until(lambda: in_sync(master, replica), "sync")
        (of_master,), (of_replica,) = clients_of(replica, b"master"), clients_of(master, b"replica")
        assert (of_master["flags"], of_replica["flags"]) == ("M", "S")
        assert of_master["addr"] == f"127.0.0.1:{master.port}" == of_replica["laddr"]
        assert of_master["laddr"] == of_replica["addr"]
        assert of_master["user"] == "(superuser)" and int(of_master["fd"]) > 0
        # Who asks is one; those who asked before may not be gone yet.
        wait_until(lambda: info(master, b"clients")["connected_clients"] == "1", "the replica is none")
        wait_until(lambda: info(replica, b"clients")["connected_clients"] == "2", "the master is one")


@test
def config_rewrite_knows_the_master(servers):
    master = servers.redis(*COMMON)
    directory = servers.running[0].directory
    path = os.path.join(directory, "millrace.conf")
    open(path, "w").write("")
    port = master.port
    replica = servers.millrace(*COMMON)
    follow(replica, port)
    assert replica.ask(b"CONFIG", b"GET", b"replicaof") == [b"$replicaof", b"$127.0.0.1 %d" % port]
    replica.ask(b"REPLICAOF", b"NO", b"ONE")
    assert replica.ask(b"CONFIG", b"GET", b"replicaof") == [b"$replicaof", b"$"]


if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
