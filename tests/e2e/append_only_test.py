#!/usr/bin/env python3
"""The append-only file end to end: restarts, kill -9, and both directions with Debian's redis-server.

    tests/e2e/append_only_test.py [TEST ...]      SEED, KILLS (50), COMMANDS (3000) in the environment

Data is compared by DEBUG DIGEST, which Redis computes in the same way.
"""
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
sys.path.insert(0, str(HERE.parent / "diff"))
from run import Generator  # noqa: E402
from servers import MILLRACE, Client, Server, encode, free_port, run_tests  # noqa: E402

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
KILLS = int(os.environ.get("KILLS", 50))
COMMANDS = int(os.environ.get("COMMANDS", 3000))
FAMILIES = ["string", "generic", "list", "hash", "set", "zset", "bitmap", "hyperloglog", "geo", "stream", "script"]
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Folder:
    """A data directory and the servers that come and go on it."""

    def __init__(self, servers, *arguments):
        self.path = tempfile.mkdtemp(prefix="aof-")
        self.servers, self.arguments, self.port = servers, arguments, free_port()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def start(self, program=MILLRACE, *more):
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.path, "--save", "",
                   "--appendonly", "yes", "--enable-debug-command", "yes", *self.arguments, *more]
        server = Server("aof", command, self.port)
        self.servers.running.append(server)
        wait_until_loaded(server)
        return server

    def redis(self, *more):
        return self.start("redis-server", *more)

    def refusal(self, *more):
        """Starts it, expects it to end with 1, and returns what it said."""
        command = [MILLRACE, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.path, "--appendonly", "yes",
                   *self.arguments, *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1, (done.returncode, done.stdout)
        return done.stdout

    def file(self, suffix):
        """The one file of the append-only directory whose name ends so."""
        found = list(pathlib.Path(self.path, "appendonlydir").glob("*" + suffix))
        assert len(found) == 1, (suffix, found)
        return found[0]

    def check(self):
        manifest = str(pathlib.Path(self.path, "appendonlydir", "appendonly.aof.manifest"))
        done = subprocess.run(["redis-check-aof", manifest], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "All AOF files and manifest are valid" in done.stdout, done.stdout


def wait_until_loaded(server):
    end = time.monotonic() + 60
    while True:
        try:
            reply = server.ask(b"PING")
        except (EOFError, OSError):
            reply = b"-gone"
            if server.process.poll() is not None:
                raise RuntimeError("it ended:\n" + server.log()) from None
        if reply == b"+PONG":
            return
        assert reply.startswith((b"-LOADING", b"-gone")), reply
        assert time.monotonic() < end, "loading does not end"
        time.sleep(0.01)


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.01)


def info(server, field):
    found = re.search(rb"\b%s:(\S*)\r" % field.encode(), server.ask(b"INFO", b"everything"))
    return found and found[1].decode()


def digest(server):
    return server.ask(b"DEBUG", b"DIGEST")


def fill(server, commands, families, rng):
    client = server.client()
    generator = Generator(rng)
    for _ in range(commands):
        command = getattr(generator, rng.choice(families))()
        if command[0] == b"CONFIG":  # whoever loads the file would have to be configured so, too
            continue
        if rng.random() < 0.1:
            client.ask(b"MULTI")
            client.ask(*command)
            client.ask(*getattr(generator, rng.choice(families))())
            client.ask(b"EXEC")
        else:
            client.ask(*command)
    # Keys that were to live for a tenth of a second would be in one digest and not in the next.
    time.sleep(0.3)
    for db in (b"0", b"1"):
        client.ask(b"SELECT", db)
        client.ask(b"KEYS", b"*")
    client.close()


def rewrite(server):
    before = int(info(server, "aof_rewrites"))
    assert b"started" in server.ask(b"BGREWRITEAOF")
    wait_for(lambda: info(server, "aof_rewrite_in_progress") == "0")
    assert info(server, "aof_last_bgrewrite_status") == "ok" and int(info(server, "aof_rewrites")) == before + 1


@test
def every_family_comes_back(servers):
    for family in FAMILIES:
        for preamble in ("yes", "no"):
            with Folder(servers, "--appendfsync", "no", "--aof-use-rdb-preamble", preamble) as folder:
                rng = random.Random(f"{SEED} {family} {preamble}")
                server = folder.start()
                fill(server, COMMANDS // 10, [family], rng)
                rewrite(server)
                fill(server, COMMANDS // 10, [family], rng)
                before = digest(server)
                server.process.kill()
                server.process.wait()
                folder.check()
                server = folder.start()
                assert digest(server) == before, family
                assert b"OK" in server.ask(b"DEBUG", b"LOADAOF")
                assert digest(server) == before, family + " after DEBUG LOADAOF"
                rewrite(server)
                assert server.stop() == 0
                assert digest(folder.start()) == before, family + " after a rewrite"


@test
def redis_reads_ours_and_we_read_redis(servers):
    for preamble in ("yes", "no"):
        for rewritten in (True, False):
            with Folder(servers, "--appendfsync", "no", "--aof-use-rdb-preamble", preamble) as folder:
                rng = random.Random(f"{SEED} {preamble} {rewritten}")
                before = None
                for program in (MILLRACE, "redis-server", MILLRACE, "redis-server"):
                    server = folder.start(program)
                    assert before in (None, digest(server)), (program, preamble, rewritten)
                    fill(server, COMMANDS // 4, FAMILIES, rng)
                    if rewritten:
                        server.ask(b"BGREWRITEAOF")
                        wait_for(lambda: info(server, "aof_rewrite_in_progress") == "0")
                    before = digest(server)
                    server.stop()
                    folder.check()


@test
def a_file_of_redis_6_moves_in(servers):
    text = encode(b"SELECT", b"3") + encode(b"SET", b"k", b"v") + encode(b"RPUSH", b"l", b"a", b"b")
    with Folder(servers) as folder:
        old = pathlib.Path(folder.path, "appendonly.aof")
        old.write_bytes(text)
        server = folder.start()
        assert "Successfully migrated an old-style AOF" in server.log(), server.log()
        assert server.ask(b"DBSIZE") == b":0" and b"db3:keys=2" in server.ask(b"INFO", b"keyspace")
        server.ask(b"SET", b"new", b"1")
        rewrite(server)
        before = digest(server)
        server.stop()
        assert not old.exists()
        assert digest(folder.start()) == before


@test
def a_single_file_with_a_snapshot_in_front_moves_in(servers):
    with Folder(servers) as folder, Folder(servers) as new:
        server = folder.redis()
        fill(server, COMMANDS // 10, FAMILIES, random.Random(SEED))
        rewrite(server)
        fill(server, COMMANDS // 10, FAMILIES, random.Random(SEED + 1))
        before = digest(server)
        server.stop()
        single = folder.file(".base.rdb").read_bytes() + folder.file(".incr.aof").read_bytes()
        pathlib.Path(new.path, "appendonly.aof").write_bytes(single)
        assert digest(new.start()) == before


@test
def what_is_cut_off_is_forgotten_or_refused(servers):
    with Folder(servers) as folder:
        server = folder.start()
        server.ask(b"SET", b"whole", b"1")
        server.ask(b"SET", b"cut", b"1")
        server.stop()
        increment = folder.file(".incr.aof")
        increment.write_bytes(increment.read_bytes()[:-3])
        said = folder.refusal("--aof-load-truncated", "no")
        assert "Unexpected end of file reading the append only file appendonly.aof.1.incr.aof" in said, said
        assert "expected at least 3 more bytes" in said, said
        server = folder.start()
        assert server.ask(b"DBSIZE") == b":1"
        assert "Truncating the AOF appendonly.aof.1.incr.aof at offset 54" in server.log(), server.log()
        server.stop()
        folder.check()
        increment.write_bytes(increment.read_bytes() + encode(b"MULTI") + encode(b"SET", b"half", b"1"))
        server = folder.start()
        assert server.ask(b"DBSIZE") == b":1"
        assert "Revert incomplete MULTI/EXEC transaction" in server.log(), server.log()


@test
def what_does_not_belong_there_ends_the_start_with_1(servers):
    cases = {
        b"hello\r\n": "at 0x56: expected '*', got 'h'",
        encode(b"NOSUCHCOMMAND", b"x"): "Unknown command 'NOSUCHCOMMAND' reading the append only file",
        b"*1\r\n$x\r\n": "at 0x5b: expected a number, got 'x'",
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nvv\r\n": "expected the end of the line, got 'v'",
    }
    for bytes_, sentence in cases.items():
        with Folder(servers) as folder:
            server = folder.start()
            server.ask(b"SET", b"k", b"v")
            server.ask(b"SET", b"k", b"w")
            server.stop()
            increment = folder.file(".incr.aof")
            whole = increment.read_bytes()
            increment.write_bytes(whole + bytes_)
            said = folder.refusal()
            sentence = sentence.replace("0x56", hex(len(whole))).replace("0x5b", hex(len(whole) + 5))
            assert sentence in said, (sentence, said)
            assert increment.read_bytes() == whole + bytes_, "it must not be touched"


@test
def a_broken_manifest_or_a_missing_file_is_said(servers):
    with Folder(servers) as folder:
        folder.start().stop()
        manifest, increment = folder.file(".manifest"), folder.file(".incr.aof")
        good = manifest.read_bytes()
        manifest.write_bytes(good + b"file x seq y type i\n")
        said = folder.refusal()
        assert "FATAL AOF MANIFEST FILE ERROR" in said and "Invalid AOF manifest file format" in said and "at line 3" in said, said
        manifest.write_bytes(good)
        increment.unlink()
        assert "appendonly.aof.1.incr.aof" in folder.refusal()


@test
def it_is_turned_on_and_off_at_run_time(servers):
    with Folder(servers, "--appendonly", "no") as folder:
        server = folder.start()
        client = server.client()
        client.ask(b"SET", b"before", b"1")
        assert info(server, "aof_enabled") == "0"
        assert client.ask(b"CONFIG", b"SET", b"appendonly", b"yes") == b"+OK"
        client.ask(b"SET", b"during", b"1")
        wait_for(lambda: info(server, "aof_rewrite_in_progress") == "0")
        client.ask(b"SET", b"after", b"1")
        assert info(server, "aof_enabled") == "1"
        folder.check()
        server.process.kill()
        server.process.wait()
        server = folder.start(MILLRACE, "--appendonly", "yes")
        assert server.ask(b"DBSIZE") == b":3"
        assert server.ask(b"CONFIG", b"SET", b"appendonly", b"no") == b"+OK"
        server.ask(b"SET", b"lost", b"1")
        server.stop()
        assert folder.start(MILLRACE, "--appendonly", "yes").ask(b"DBSIZE") == b":3"


@test
def it_is_rewritten_when_it_has_grown(servers):
    with Folder(servers, "--auto-aof-rewrite-min-size", "100kb", "--auto-aof-rewrite-percentage", "100") as folder:
        server = folder.start()
        client = server.client()
        for _ in range(3000):
            client.ask(b"SET", b"k", b"v" * 100)
        wait_for(lambda: int(info(server, "aof_rewrites")) >= 1 and info(server, "aof_rewrite_in_progress") == "0")
        assert "Starting automatic rewriting of AOF on" in server.log()
        wait_for(lambda: not list(pathlib.Path(folder.path, "appendonlydir").glob("*.1.incr.aof")))


@test
def while_loading_clients_are_told_so(servers):
    with Folder(servers) as folder:
        server = folder.start()
        client = server.client()
        for start in range(0, 400_000, 10_000):
            client.socket.sendall(b"".join(encode(b"SET", b"key:%d" % i, b"x" * 20) for i in range(start, start + 10_000)))
            for _ in range(10_000):
                client.read()
        server.stop()
        command = [MILLRACE, "--port", str(folder.port), "--bind", "127.0.0.1", "--dir", folder.path, "--appendonly", "yes"]
        server = Server("aof", command, folder.port)
        servers.running.append(server)
        told = server.ask(b"GET", b"key:1")
        assert told == b"-LOADING Redis is loading the dataset in memory", told
        assert info(server, "loading") == "1" and int(info(server, "loading_total_bytes")) > 10_000_000
        wait_until_loaded(server)
        assert server.ask(b"DBSIZE") == b":400000"


@test
def timestamps_are_annotations(servers):
    with Folder(servers, "--aof-timestamp-enabled", "yes") as folder:
        server = folder.start()
        server.ask(b"SET", b"k", b"v")
        server.stop()
        assert folder.file(".incr.aof").read_bytes().startswith(b"#TS:")
        folder.check()
        assert folder.start().ask(b"GET", b"k") == b"$v"


@test
def waitaof_counts_what_is_on_the_disk(servers):
    for policy in ("always", "everysec", "no"):
        with Folder(servers, "--appendfsync", policy) as folder:
            client = folder.start().client()
            client.ask(b"SET", b"k", b"v")
            assert client.ask(b"WAITAOF", b"1", b"0", b"20000") == [b":1", b":0"], policy
            assert client.ask(b"WAITAOF", b"1", b"1", b"100") == [b":1", b":0"], "no replica"
            assert client.ask(b"WAITAOF", b"2", b"0", b"0") == b"-ERR value is out of range, value must between 0 and 1"
            assert client.ask(b"WAITAOF", b"0", b"-1", b"0") == b"-ERR value is out of range, must be positive"
            client.ask(b"CONFIG", b"SET", b"appendonly", b"no")
            assert client.ask(b"WAITAOF", b"1", b"0", b"0") == (
                b"-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
            assert client.ask(b"WAITAOF", b"0", b"0", b"0") == [b":0", b":0"]


@test
def a_replica_that_takes_in_a_snapshot_begins_its_file_anew(servers):
    with Folder(servers, "--appendonly", "no") as old, Folder(servers) as folder:
        master, replica = old.start(), folder.start()
        replica.ask(b"SET", b"of the time before", b"1")
        fill(master, 300, FAMILIES, random.Random(SEED))
        replica.ask(b"REPLICAOF", b"127.0.0.1", b"%d" % old.port)
        wait_for(lambda: info(replica, "master_link_status") == "up", 60)
        wait_for(lambda: info(replica, "aof_rewrite_in_progress") == "0" and info(replica, "aof_enabled") == "1")
        fill(master, 300, FAMILIES, random.Random(SEED + 1))
        master.ask(b"WAIT", b"1", b"10000")
        before = digest(master)
        assert digest(replica) == before
        replica.process.kill()
        replica.process.wait()
        folder.check()
        assert digest(folder.start()) == before


class Writer(threading.Thread):
    """Counts up under a key of its own, a few requests at a time, and notes what was confirmed."""

    def __init__(self, port, number, start):
        super().__init__(daemon=True)
        self.port, self.key = port, b"counter:%d" % number
        self.sent = self.confirmed = start

    def run(self):
        try:
            client = Client(("127.0.0.1", self.port))
            while True:
                client.socket.sendall(b"".join(encode(b"SET", self.key, b"%d" % (self.sent + i)) for i in range(1, 9)))
                self.sent += 8
                for _ in range(8):
                    if client.read() == b"+OK":
                        self.confirmed += 1
        except (OSError, EOFError):
            pass  # the server is gone


@test
def kill_9_loses_no_confirmed_write(servers):
    rng = random.Random(SEED)
    with Folder(servers, "--appendfsync", "always") as folder:
        confirmed = lost = 0
        found = [0] * 4
        for turn in range(KILLS):
            server = folder.start(MILLRACE, "--io-threads", "3" if turn % 2 else "1")
            writers = [Writer(folder.port, i, found[i]) for i in range(4)]
            for writer in writers:
                writer.start()
            if turn % 5 == 4:
                server.ask(b"BGREWRITEAOF")
            time.sleep(rng.uniform(0.02, 0.2))
            server.process.kill()
            server.process.wait()
            for writer in writers:
                writer.join()
            server = folder.start()
            for i, writer in enumerate(writers):
                before, found[i] = found[i], int((server.ask(b"GET", writer.key) or b"$0")[1:])
                confirmed += writer.confirmed - before
                lost += max(writer.confirmed - found[i], 0)
                assert found[i] <= writer.sent, (writer.key, found[i], writer.sent)
            server.process.kill()
            server.process.wait()
        print(f"{KILLS} kills, {confirmed} writes confirmed, lost: {lost}")
        assert lost == 0 and confirmed > 0


if __name__ == "__main__":
    print(f"SEED={SEED}")
    sys.exit(run_tests(TESTS))
