#!/usr/bin/env python3
"""Snapshots between real processes: our files in redis-server, its files in ours, old files in both; and what a
server does whose disk, child or own life fails.

    tests/e2e/persistence_test.py [TEST ...]      MILLRACE_SERVER=path/to/millrace-server
"""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from rdb_fixtures import (HASH, HASH_ZIPLIST, HASH_ZIPMAP, LIST, LIST_QUICKLIST, LIST_ZIPLIST, SET,  # noqa: E402
                          SET_INTSET, STRING, ZSET, ZSET2, ZSET_ZIPLIST, RdbFile, intset, length, score, text,
                          zipmap, ziplist)
from servers import MILLRACE, Servers, run_tests  # noqa: E402,F401

TESTS = []
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
DEBUG = ("--enable-debug-command", "yes")
# What decides encodings; the second and third make small collections large and large ones small.
THRESHOLDS = [
    {},
    {"hash-max-listpack-entries": 4, "zset-max-listpack-entries": 4, "set-max-intset-entries": 4,
     "list-max-listpack-size": 2, "stream-node-max-entries": 3},
    {"hash-max-listpack-entries": 5000, "hash-max-listpack-value": 5000, "zset-max-listpack-entries": 5000,
     "zset-max-listpack-value": 5000, "set-max-intset-entries": 5000, "list-max-listpack-size": -5,
     "stream-node-max-bytes": 100},
]


def test(function):
    TESTS.append(function)
    return function


def wait_until(condition, what="", seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"timed out: {what}"
        time.sleep(0.01)


def info(server, field):
    for line in server.ask(b"INFO").decode(errors="replace").split("\r\n"):
        if line.startswith(field + ":"):
            return line.split(":", 1)[1]
    return None


def texts(rng):
    return [b"", b"0", b"-1", b"12", b"127", b"-129", b"65536", b"9223372036854775807", b"00", b"a", b"hello world",
            b"x" * 63, b"y" * 64, b"z" * 65, b"ab" * 700, bytes(rng.randrange(256) for _ in range(300)), b"\r\n\0\xff"]


def fill(server, rng):
    """Keys of every type, of sizes on both sides of every threshold."""
    client = server.client()

    def ask(*words):
        reply = client.ask(*[w if isinstance(w, bytes) else str(w).encode() for w in words])
        assert not (isinstance(reply, bytes) and reply.startswith(b"-")), (words[:3], reply)

    some = texts(rng)
    for i, value in enumerate(some):
        ask("SET", f"string:{i}", value)
        ask("SET", f"volatile:{i}", value, "PXAT", 4_000_000_000_000 + i)
    for db in (0, 7):
        ask("SELECT", db)
        for size in (1, 3, 5, 100, 600, 1500):
            numbers = [rng.randrange(-1 << rng.choice((7, 15, 31, 62)), 1 << rng.choice((7, 15, 31, 62)))
                       for _ in range(size)]
            words = [rng.choice(some) + b":%d" % i for i in range(size)]
            ask("RPUSH", f"list:{size}", *[rng.choice((n, w)) for n, w in zip(numbers, words)])
            ask("SADD", f"intset:{size}", *numbers)
            ask("SADD", f"set:{size}", *words)
            ask("HSET", f"hash:{size}", *[x for n, w in zip(numbers, words) for x in (w, n)])
            ask("ZADD", f"zset:{size}", *[x for n, w in zip(numbers, words) for x in (n, w)])
            ask("ZADD", f"zset:float:{size}", *[x for n, w in zip(numbers, words) for x in (n / 7, w)])
        ask("ZADD", "zset:infinite", "-inf", "low", "inf", "high", "0", "zero")
        ask("RPUSH", "list:large", "small", b"L" * 100_000, "small")
        fill_streams(ask)
    client.close()


def fill_streams(ask):
    for i in range(1, 300):
        ask("XADD", "stream", f"{1000 + i}-{i % 3}", "same", i, "fields", "a" * (i % 90))
        if i % 10 == 0:
            ask("XADD", "stream", f"{1000 + i}-7", "other", i)
    for i in range(10, 50, 3):
        ask("XDEL", "stream", f"{1000 + i}-{i % 3}")
    ask("XGROUP", "CREATE", "stream", "mail", "1100-0")
    ask("XGROUP", "CREATE", "stream", "unread", "$")
    ask("XREADGROUP", "GROUP", "mail", "alice", "COUNT", "20", "STREAMS", "stream", ">")
    ask("XREADGROUP", "GROUP", "mail", "bob", "COUNT", "5", "STREAMS", "stream", ">")
    ask("XACK", "stream", "mail", "1102-1", "1103-2")
    ask("XADD", "stream:empty", "5-5", "a", "b")
    ask("XDEL", "stream:empty", "5-5")


def facts(server):
    """DEBUG DIGEST-VALUE, TTL and, of streams, groups of every key of every database."""
    client, found = server.client(), {}
    for db in range(16):
        client.ask(b"SELECT", b"%d" % db)
        for key in client.ask(b"KEYS", b"*"):
            name = key[1:]
            found[db, name] = (client.ask(b"DEBUG", b"DIGEST-VALUE", name), client.ask(b"PEXPIRETIME", name),
                               groups_of(client, name))
    client.close()
    return found


def groups_of(client, name):
    if client.ask(b"TYPE", name) != b"+stream":
        return None
    full = client.ask(b"XINFO", b"STREAM", name, b"FULL", b"COUNT", b"0")
    whole = dict(zip(full[::2], full[1::2]))
    for shape in (b"$radix-tree-keys", b"$radix-tree-nodes"):
        whole.pop(shape)
    for group in whole[b"$groups"]:  # seen-time and, since 7.2, active-time stand among a consumer's facts
        at = group.index(b"$consumers") + 1
        group[at] = [[c[1], c[c.index(b"$pel-count") + 1], c[-1]] for c in group[at]]
    return whole


def differences(a, b):
    return {key: (a.get(key), b.get(key)) for key in a.keys() | b.keys() if a.get(key) != b.get(key)}


def expect_equal(a, b):
    wrong = differences(a, b)
    assert not wrong, f"seed {SEED}: {len(wrong)} of {len(a)} keys differ, e.g. {str(next(iter(wrong.items())))[:400]}"
    assert a, "nothing to compare"


def configured(settings):
    return [word for name, value in settings.items() for word in ("--" + name, str(value))]


@test
def our_files_are_good_redis_files(servers):
    for number, settings in enumerate(THRESHOLDS):
        rng = random.Random(SEED + number)
        for compression in ("yes", "no"):
            ours = servers.millrace(*DEBUG, "--rdbcompression", compression, *configured(settings))
            fill(ours, rng)
            assert ours.ask(b"SAVE") == b"+OK"
            path = os.path.join(ours.directory, "dump.rdb")
            check = subprocess.run(["redis-check-rdb", path], capture_output=True, text=True, timeout=60)
            assert check.returncode == 0 and "RDB looks OK" in check.stdout, check.stdout[-500:]
            redis = servers.redis(*DEBUG, "--sanitize-dump-payload", "yes", directory=copy_of(servers, path))
            wait_until(lambda: redis.ask(b"PING") == b"+PONG")
            expect_equal(facts(ours), facts(redis))
            ours.stop(), redis.stop()


def copy_of(servers, path):
    """A directory with this dump.rdb in it."""
    import tempfile
    directory = tempfile.mkdtemp(prefix="copy-")
    shutil.copy(path, os.path.join(directory, "dump.rdb"))
    return directory


@test
def redis_files_are_ours(servers):
    for number, settings in enumerate(THRESHOLDS):
        rng = random.Random(SEED + number)
        redis = servers.redis(*DEBUG, *configured(settings))
        fill(redis, rng)
        assert redis.ask(b"FUNCTION", b"LOAD", b"#!lua name=lib\nredis.register_function('f', function() return 7 end)")
        assert redis.ask(b"SAVE") == b"+OK"
        for thresholds in THRESHOLDS:
            ours = servers.millrace(*DEBUG, *configured(thresholds),
                                    directory=copy_of(servers, os.path.join(redis.directory, "dump.rdb")))
            wait_until(lambda: ours.ask(b"PING") == b"+PONG")
            expect_equal(facts(redis), facts(ours))
            assert ours.ask(b"FCALL", b"f", b"0") == b":7"
            ours.stop()
        redis.stop()


@test
def encodings_after_loading_are_redis(servers):
    rng = random.Random(SEED)
    redis = servers.redis(*DEBUG)
    fill(redis, rng)
    redis.ask(b"SAVE")
    path = os.path.join(redis.directory, "dump.rdb")
    for settings in THRESHOLDS:
        both = [start(*DEBUG, *configured(settings), directory=copy_of(servers, path))
                for start in (servers.redis, servers.millrace)]
        encodings = []
        for server in both:
            wait_until(lambda: server.ask(b"PING") == b"+PONG")
            client = server.client()
            encodings.append({key: client.ask(b"OBJECT", b"ENCODING", key[1:]) for key in client.ask(b"KEYS", b"*")})
            client.close()
        # 7.2 has listpacks for small sets and lists, 7.0 not; which is the one documented difference.
        for found in encodings:
            for key, encoding in found.items():
                if key.startswith((b"$set:", b"$list:")):
                    found[key] = b"any" if encoding in (b"$listpack", b"$quicklist", b"$hashtable") else encoding
        expect_equal(*encodings)
        for server in both:
            server.stop()


@test
def dump_and_restore_between_the_two(servers):
    rng = random.Random(SEED)
    ours, redis = servers.millrace(*DEBUG), servers.redis(*DEBUG)
    for source, target in ((ours, redis), (redis, ours)):
        source.ask(b"FLUSHALL"), target.ask(b"FLUSHALL")
        fill(source, rng)
        a, b = source.client(), target.client()
        for key in a.ask(b"KEYS", b"*"):
            name = key[1:]
            payload = a.ask(b"DUMP", name)[1:]
            ttl = b"%d" % max(int(a.ask(b"PEXPIRETIME", name)[1:]), 0)
            assert b.ask(b"RESTORE", name, ttl, payload, b"ABSTTL") == b"+OK", (source.name, name)
            assert a.ask(b"DEBUG", b"DIGEST-VALUE", name) == b.ask(b"DEBUG", b"DIGEST-VALUE", name), name
        a.close(), b.close()


def old_files():
    pairs = [(b"field:%d" % i, b"value:%d" % (i * i)) for i in range(20)]
    flat = [x for pair in pairs for x in pair]
    mixed = [0, 12, 13, -1, 127, -129, 40000, -8388608, 1 << 30, -(1 << 40), b"text", b"x" * 300, b"y" * 20000]
    yield "zipmap and texts", (
        RdbFile(3).key(STRING, b"s", text(b"v")).key(HASH_ZIPMAP, b"h", text(zipmap(pairs + [(b"long", b"v" * 300)])))
        .key(LIST, b"l", length(3) + text(b"a") + text(b"b") + b"\xc0\x07")
        .key(SET, b"set", length(2) + text(b"m") + text(b"n"))
        .key(ZSET, b"z", length(3) + text(b"a") + score(1.5) + text(b"b") + score(float("inf")) + text(b"c")
             + score(-3.25)))
    yield "ziplists", (
        RdbFile(6).key(HASH_ZIPLIST, b"h", text(ziplist(flat))).key(LIST_ZIPLIST, b"l", text(ziplist(mixed)))
        .key(ZSET_ZIPLIST, b"z", text(ziplist([b"a", -1, b"b", 2, b"c", b"3.5"])))
        .key(SET_INTSET, b"i", text(intset([1, -5, 70000]))).key(STRING, b"late", text(b"v"), expire_s=2_000_000_000))
    yield "quicklists of ziplists", (
        RdbFile(7).key(LIST_QUICKLIST, b"l", length(3) + text(ziplist(mixed)) + text(ziplist([1, b"two"]))
                       + text(ziplist([b"end"])))
        .key(HASH, b"h", length(len(pairs)) + b"".join(text(x) for x in flat)))
    yield "scores in binary", (
        RdbFile(8).key(ZSET2, b"z", length(2) + text(b"a") + bytes(8) + text(b"b") + b"\x00" * 6 + b"\xf0\x3f"))


@test
def files_of_old_versions(servers):
    import tempfile
    for name, file in old_files():
        found = []
        for start in (servers.redis, servers.millrace):
            directory = tempfile.mkdtemp(prefix="old-")
            pathlib.Path(directory, "dump.rdb").write_bytes(file.bytes())
            server = start(*DEBUG, directory=directory)
            wait_until(lambda: server.ask(b"PING") == b"+PONG")
            found.append(facts(server))
        try:
            expect_equal(*found)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


@test
def a_huge_key_does_not_hold_the_loop(servers):
    """A set of a million: who asks while it is read is answered."""
    server = servers.millrace()
    client = server.client()
    for first in range(0, 1_000_000, 10_000):
        client.ask(b"SADD", b"huge", *[b"member:%d" % i for i in range(first, first + 10_000)])
    assert client.ask(b"SAVE") == b"+OK"
    server.stop()
    client = servers.millrace(directory=server.directory).client()
    refused = 0
    while (reply := client.ask(b"PING")) != b"+PONG":
        assert reply.startswith(b"-LOADING"), reply
        refused += 1
    assert client.ask(b"SCARD", b"huge") == b":1000000"
    print(f"  {refused} answers while it was read")
    assert refused >= 5


@test
def what_a_killed_server_had_begun_is_removed(servers):
    server = servers.millrace()
    ended = server.process.pid
    server.stop()
    directory = pathlib.Path(server.directory)
    names = [f"temp-{ended}.rdb", f"temp-1700000000.{ended}.rdb", f"temp-rewriteaof-bg-{ended}.aof"]
    for name in [*names, f"temp-{os.getpid()}.rdb", "temp-mine.rdb"]:
        (directory / name).write_bytes(b"x")
    servers.millrace(directory=server.directory)
    assert not any((directory / name).exists() for name in names)
    assert (directory / f"temp-{os.getpid()}.rdb").exists(), "this process lives"
    assert (directory / "temp-mine.rdb").exists()


@test
def a_spoilt_file_ends_the_start(servers):
    import tempfile
    good = servers.millrace()
    good.ask(b"SET", b"key", b"value" * 100)
    good.ask(b"SAVE")
    data = pathlib.Path(good.directory, "dump.rdb").read_bytes()
    for spoilt, word in ((data[:-20], "got the end"), (b"RADIS" + data[5:], "signature"),
                         (data[:-1] + bytes([data[-1] ^ 1]), "checksum")):
        directory = tempfile.mkdtemp(prefix="spoilt-")
        pathlib.Path(directory, "dump.rdb").write_bytes(spoilt)
        result = subprocess.run([MILLRACE, "--port", str(22900), "--bind", "127.0.0.1"], cwd=directory, timeout=30,
                                capture_output=True, text=True)
        assert result.returncode == 1, result
        assert word in result.stdout and "at 0x" in result.stdout, result.stdout
        assert "Fatal error loading the DB" in result.stdout, result.stdout
        assert pathlib.Path(directory, "dump.rdb").read_bytes() == spoilt, "left as it was"


@test
def a_child_saves_and_goes(servers):
    ours = servers.millrace()
    client = ours.client()
    for i in range(2000):
        client.ask(b"SET", b"key:%d" % i, b"v" * 100)
    before = int(ours.ask(b"LASTSAVE")[1:])
    assert client.ask(b"BGSAVE") == b"+Background saving started"
    wait_until(lambda: info(ours, "rdb_bgsave_in_progress") == "0", "the child's end")
    assert info(ours, "rdb_last_bgsave_status") == "ok"
    assert int(ours.ask(b"LASTSAVE")[1:]) >= before
    assert int(info(ours, "rdb_last_cow_size")) > 0
    assert int(info(ours, "total_forks")) == 1 and int(info(ours, "latest_fork_usec")) > 0
    assert os.listdir(ours.directory).count("dump.rdb") == 1
    assert not [name for name in os.listdir(ours.directory) if name.startswith("temp-")]
    children = subprocess.run(["ps", "--ppid", str(ours.process.pid), "-o", "pid="], capture_output=True, text=True)
    assert not children.stdout.strip(), "no child is left, dead or alive"
    for line in ("Background saving started by pid", "DB saved on disk", "Background saving terminated with success"):
        assert line in ours.log(), line


def slow_child(servers, *arguments):
    """A server with a child that has not ended yet: much to compress."""
    ours = servers.millrace(*DEBUG, *arguments)
    client = ours.client()
    client.ask(b"DEBUG", b"POPULATE", b"1500000", b"key", b"20")
    assert client.ask(b"BGSAVE") == b"+Background saving started"
    pid = int(ours.log().rsplit("started by pid ", 1)[1].split()[0])
    return ours, client, pid


@test
def a_killed_child_is_a_failure_that_leaves_nothing(servers):
    ours, client, pid = slow_child(servers, "--save", "3600 1000000000")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: info(ours, "rdb_bgsave_in_progress") == "0", "the child's end")
    assert info(ours, "rdb_last_bgsave_status") == "err"
    assert "Background saving terminated by signal 9" in ours.log()
    assert not [name for name in os.listdir(ours.directory) if name.endswith(".rdb")]
    assert client.ask(b"SET", b"k", b"v").startswith(b"-MISCONF")
    assert client.ask(b"SAVE") == b"+OK"
    assert client.ask(b"SET", b"k", b"v") == b"+OK"


@test
def a_child_goes_with_its_parent(servers):
    """And the port is free for the next one."""
    ours, _, pid = slow_child(servers)
    ours.process.kill()
    ours.process.wait()
    wait_until(lambda: has_ended(pid), "the child")
    again = servers.millrace(directory=ours.directory, port=ours.port)
    assert is_up(again)
    assert not [name for name in os.listdir(ours.directory) if name.startswith("temp-")]


def has_ended(pid):
    """An orphan's parent may take its time to notice."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def is_up(server):
    try:
        return server.ask(b"PING") == b"+PONG"
    except OSError:
        return False


@test
def the_end_saves_where_it_should(servers):
    for how, saved in ((signal.SIGTERM, True), (signal.SIGINT, True), (signal.SIGKILL, False)):
        ours = servers.millrace("--save", "3600 1")
        ours.ask(b"SET", b"k", b"v")
        ours.process.send_signal(how)
        ours.process.wait(30)
        assert os.path.exists(os.path.join(ours.directory, "dump.rdb")) == saved, how
    ours = servers.millrace()
    ours.ask(b"SET", b"k", b"v")
    ours.process.terminate()
    assert ours.process.wait(30) == 0
    assert not os.path.exists(os.path.join(ours.directory, "dump.rdb"))


@test
def a_directory_nobody_may_write_to_is_an_error(servers):
    for ours in (servers.millrace("--save", "3600 1"), servers.redis("--save", "3600 1")):
        shutil.rmtree(ours.directory)  # root may write anywhere that exists
        ours.log = lambda: ""
        assert ours.ask(b"SAVE") == b"-ERR", ours.name
        assert ours.ask(b"BGSAVE") == b"+Background saving started", ours.name
        wait_until(lambda: info(ours, "rdb_last_bgsave_status") == "err", "a failed snapshot")
        assert ours.ask(b"SET", b"k", b"v").startswith(b"-MISCONF"), ours.name
        assert ours.ask(b"SHUTDOWN") == b"-ERR Errors trying to SHUTDOWN. Check logs.", ours.name
        os.makedirs(ours.directory)


if __name__ == "__main__":
    print(f"seed {SEED}")
    sys.exit(run_tests(TESTS))
