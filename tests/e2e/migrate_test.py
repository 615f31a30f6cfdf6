#!/usr/bin/env python3
"""MIGRATE: keys arrive on redis-server and on ourselves and have left; what goes wrong leaves them where they are."""
import pathlib
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import Servers, free_port, run_tests  # noqa: E402


def fill(server):
    client = server.client()
    client.ask(b"SET", b"string", b"value")
    client.ask(b"SET", b"number", b"12345")
    client.ask(b"SET", b"ends", b"v", b"EX", b"1000")
    client.ask(b"RPUSH", b"list", *[b"%d" % i for i in range(2000)])
    client.ask(b"SADD", b"set", b"1", b"2", b"a")
    client.ask(b"ZADD", b"zset", b"1.5", b"a", b"inf", b"b")
    client.ask(b"HSET", b"hash", *[b"%d" % i for i in range(2000)])
    client.ask(b"XADD", b"stream", b"1-1", b"f", b"v")
    client.ask(b"XGROUP", b"CREATE", b"stream", b"g", b"0")
    return [b"string", b"number", b"ends", b"list", b"set", b"zset", b"hash", b"stream"]


def migrate(source, port, key, *options, db=b"0", timeout=b"5000"):
    return source.ask(b"MIGRATE", b"127.0.0.1", b"%d" % port, key, db, timeout, *options)


DEBUG = ("--enable-debug-command", "yes")


def all_types_arrive_and_have_left(servers):
    for make_source, make_target in ((servers.millrace, servers.redis), (servers.redis, servers.millrace),
                                     (servers.millrace, servers.millrace)):
        source, target = make_source(*DEBUG), make_target(*DEBUG)
        keys = fill(source)
        source.ask(b"PERSIST", b"ends")
        digest = source.ask(b"DEBUG", b"DIGEST")
        assert migrate(source, target.port, b"", b"KEYS", b"missing", *keys) == b"+OK"
        assert source.ask(b"DBSIZE") == b":0" and target.ask(b"DEBUG", b"DIGEST") == digest
        assert migrate(target, source.port, b"list") == b"+OK"
        assert source.ask(b"LLEN", b"list") == b":2000" and target.ask(b"EXISTS", b"list") == b":0"


def options(servers):
    source, target = servers.millrace(), servers.redis("--requirepass", "word")
    fill(source)
    assert migrate(source, target.port, b"string").startswith(b"-ERR Target instance replied with error: NOAUTH")
    assert migrate(source, target.port, b"string", b"AUTH", b"wrong").startswith(
        b"-ERR Target instance replied with error: WRONGPASS")
    auth = (b"AUTH2", b"default", b"word")
    assert migrate(source, target.port, b"string", b"COPY", *auth) == b"+OK"
    assert source.ask(b"GET", b"string") == b"$value"
    assert migrate(source, target.port, b"string", *auth).startswith(b"-ERR Target instance replied with error: BUSYKEY")
    assert migrate(source, target.port, b"string", b"REPLACE", *auth) == b"+OK"
    assert migrate(source, target.port, b"string", *auth) == b"+NOKEY"
    assert migrate(source, target.port, b"ends", *auth, db=b"3") == b"+OK"
    client = target.client()
    client.ask(b"AUTH", b"word")
    client.ask(b"SELECT", b"3")
    assert 990_000 < int(client.ask(b"PTTL", b"ends")[1:]) <= 1_000_000
    assert migrate(source, target.port, b"list", *auth, db=b"200").startswith(
        b"-ERR Target instance replied with error: ERR DB index")
    assert source.ask(b"LLEN", b"list") == b":2000"


def refusals_are_those_of_redis(servers):
    ours, redis = servers.millrace(), servers.redis()
    for request in ((b"h", b"1", b"k", b"0", b"x"), (b"h", b"1", b"k", b"0", b"1", b"KEYS", b"a"),
                    (b"h", b"1", b"k", b"0", b"1", b"WHAT"), (b"h", b"1", b"", b"0", b"1", b"AUTH")):
        assert ours.ask(b"MIGRATE", *request) == redis.ask(b"MIGRATE", *request), request


def nobody_there(servers):
    source = servers.millrace()
    fill(source)
    assert migrate(source, free_port(), b"string").startswith(b"-IOERR error or timeout connecting")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert migrate(source, silent.getsockname()[1], b"string", timeout=b"50").startswith(b"-IOERR")
    assert source.ask(b"GET", b"string") == b"$value"


def what_changes_on_the_way_is_sent_again(servers):
    """A target that holds its answer back until the key is another."""
    source = servers.millrace()
    source.ask(b"SET", b"k", b"old")
    seen = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def target():
            connection, _ = listener.accept()
            received = b""
            while received.count(b"RESTORE") < 1 or not received.endswith(b"\r\n"):
                received += connection.recv(65536)
            seen.append(received)
            assert source.ask(b"SET", b"k", b"new") == b"+OK"  # the server is not held up
            connection.sendall(b"+OK\r\n+OK\r\n")
            seen.append(connection.recv(65536))
            connection.sendall(b"+OK\r\n")
            connection.recv(1)

        thread = threading.Thread(target=target)
        thread.start()
        reply = migrate(source, listener.getsockname()[1], b"k")
        thread.join(10)
    assert reply == b"+OK" and b"old" in seen[0] and b"REPLACE" not in seen[0], (reply, seen)
    assert b"new" in seen[1] and b"REPLACE" in seen[1], seen
    assert source.ask(b"EXISTS", b"k") == b":0"


def in_a_transaction_it_says_why_not(servers):
    source = servers.millrace()
    client = source.client()
    client.ask(b"SET", b"k", b"v")
    client.ask(b"MULTI")
    client.ask(b"MIGRATE", b"127.0.0.1", b"1", b"k", b"0", b"100")
    assert client.ask(b"EXEC")[0].startswith(b"-ERR MIGRATE waits for another server")


if __name__ == "__main__":
    sys.exit(run_tests([all_types_arrive_and_have_left, options, refusals_are_those_of_redis, nobody_there,
                        what_changes_on_the_way_is_sent_again, in_a_transaction_it_says_why_not]))
