#!/usr/bin/env python3
"""millrace-server --verify-against: equal servers are found equal, and every kind of difference is found and named."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import MILLRACE, Servers, free_port, run_tests  # noqa: E402

MANY = 3000  # elements: more than one chunk


def fill(server):
    client = server.client()
    for i in range(2000):
        client.ask(b"SET", b"key:%d" % i, b"value %d" % i)
    client.ask(b"SET", b"long", b"x" * 3_000_000)
    client.ask(b"SET", b"ends", b"v", b"PXAT", b"99999999999999")
    for name, count in ((b"small", 20), (b"large", MANY)):
        numbers = [b"%d" % i for i in range(count)]
        client.ask(b"RPUSH", b"list:" + name, *numbers)
        client.ask(b"SADD", b"set:" + name, *numbers, b"word")
        client.ask(b"ZADD", b"zset:" + name, *[word for n in numbers for word in (n + b".5", n)])
        client.ask(b"HSET", b"hash:" + name, *[word for n in numbers for word in (b"f" + n, n)])
        for n in numbers:
            client.ask(b"XADD", b"stream:" + name, b"1-" + b"%d" % (int(n) + 1), b"f", n)
    client.ask(b"XGROUP", b"CREATE", b"stream:small", b"group", b"0")
    client.ask(b"XREADGROUP", b"GROUP", b"group", b"me", b"COUNT", b"3", b"STREAMS", b"stream:small", b">")
    client.ask(b"SELECT", b"9")
    client.ask(b"SET", b"in nine", b"v")


def verify(here, there, *options):
    return subprocess.run([MILLRACE, "--verify-against", "127.0.0.1", str(there.port), "--port", str(here.port), *options],
                          capture_output=True, text=True, timeout=60)


def equal_ones(servers):
    ours, redis = servers.millrace(), servers.redis()
    fill(ours)
    fill(redis)
    for here, there in ((ours, redis), (redis, ours)):
        result = verify(here, there)
        assert result.stdout == "equal: 2013, different: 0, missing here: 0, only here: 0\n", result
        assert result.returncode == 0


# What is done to one of two equal servers, and what is said of it.
CHANGES = [
    ((b"SET", b"key:7", b"value 8"), 'db0 "key:7": value'),
    ((b"APPEND", b"long", b"y"), 'db0 "long": size 3000001, there 3000000'),
    ((b"SETRANGE", b"long", b"2500000", b"y"), 'db0 "long": value'),
    ((b"PERSIST", b"ends"), 'db0 "ends": time to live -1 ms, there '),
    ((b"LSET", b"list:large", b"-1", b"other"), 'db0 "list:large": value'),
    ((b"LSET", b"list:small", b"0", b"other"), 'db0 "list:small": value'),
    ((b"ZADD", b"zset:large", b"7.25", b"7"), 'db0 "zset:large": value'),
    ((b"HSET", b"hash:large", b"f2999", b"0"), 'db0 "hash:large": value'),
    ((b"HSET", b"hash:small", b"f0", b"1"), 'db0 "hash:small": value'),
    ((b"XACK", b"stream:small", b"group", b"1-1"), 'db0 "stream:small": consumer groups'),
    ((b"DEL", b"set:large"), 'db0 "set:large": missing here'),
    ((b"SET", b"new", b"v"), 'db0 "new": only here'),
    ((b"EVAL", b"redis.call('DEL', 'list:small') redis.call('SADD', 'list:small', 1)", b"0"),
     'db0 "list:small": type set, there list'),
    ((b"EVAL", b"redis.call('SREM', 'set:large', '5') redis.call('SADD', 'set:large', 'else')", b"0"),
     'db0 "set:large": value'),
    ((b"EVAL", b"redis.call('XDEL', 'stream:large', '1-2500') redis.call('XADD', 'stream:large', '1-9999', 'f', 'v')", b"0"),
     'db0 "stream:large": value'),
]


def every_difference_is_found(servers):
    there = servers.redis()
    fill(there)
    for change, said in CHANGES:
        here = servers.millrace()
        fill(here)
        reply = here.ask(*change)
        assert not (isinstance(reply, bytes) and reply.startswith(b"-")), (change, reply)
        result = verify(here, there)
        assert result.stdout.startswith(said), (change, result)
        assert result.stdout.count("\n") == 2 and result.returncode == 1, (change, result)
        here.stop()


def it_logs_in(servers):
    ours, redis = servers.millrace("--requirepass", "secret"), servers.redis("--requirepass", "other")
    assert "NOAUTH" in verify(ours, redis).stderr
    result = verify(ours, redis, "--pass", "secret", "--there-pass", "other")
    assert result.returncode == 0, result


def who_is_not_there_is_a_sentence_and_exit_2(servers):
    ours = servers.millrace()
    result = subprocess.run([MILLRACE, "--verify-against", "127.0.0.1", str(free_port()), "--port", str(ours.port)],
                            capture_output=True, text=True, timeout=60)
    assert result.returncode == 2 and "Connection refused" in result.stderr, result
    result = subprocess.run([MILLRACE, "--verify-against", "127.0.0.1"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 2 and "host and a port" in result.stderr, result


if __name__ == "__main__":
    sys.exit(run_tests([equal_ones, every_difference_is_found, it_logs_in, who_is_not_there_is_a_sentence_and_exit_2]))
