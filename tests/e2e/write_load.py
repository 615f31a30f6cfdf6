"""A stream of writes of every type, for tests of what must arrive elsewhere.

    load = WriteLoad(server, seed=7)
    load.start(); ...; load.stop()
    load.count, load.errors

Commands whose effect depends on time or chance are among them on purpose (SPOP, EXPIRE, XADD *).
"""
import random
import threading

from servers import encode

BATCH = 20


class WriteLoad:
    def __init__(self, server, seed, pause_seconds=0.002):
        self.server, self.random, self.pause = server, random.Random(seed), pause_seconds
        self.count, self.errors = 0, []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.ending.set()
        self.thread.join(30)
        return self

    def _run(self):
        client = self.server.client()
        while not self.ending.is_set():
            requests = []
            while len(requests) < BATCH:
                requests += self._unit()
            client.socket.sendall(b"".join(encode(*words) for words in requests))
            for words in requests:
                reply = client.read()
                if isinstance(reply, bytes) and reply[:1] == b"-":
                    self.errors.append((words, reply))
            self.count += len(requests)
            self.ending.wait(self.pause)
        client.close()

    def _unit(self):
        """One command, or a transaction."""
        if self.random.random() < 0.05:
            return [(b"MULTI",), self._command(), self._command(), self._command(), (b"EXEC",)]
        if self.random.random() < 0.02:
            return [(b"SELECT", b"%d" % self.random.choice([0, 0, 3, 9]))]
        return [self._command()]

    def _command(self):
        r = self.random
        n = b"%d" % r.randrange(200)
        member = b"m%d" % r.randrange(300)
        value = bytes(r.choice(b"abcdefgh") for _ in range(r.choice([1, 5, 20, 80, 300])))
        return r.choice([
            lambda: (b"SET", b"s" + n, value),
            lambda: (b"SET", b"s" + n, value, b"PX", b"%d" % r.choice([50, 1000, 100000])),
            lambda: (b"APPEND", b"s" + n, member),
            lambda: (b"INCR", b"i" + n),
            lambda: (b"INCRBYFLOAT", b"f" + n, b"1.25"),
            lambda: (b"SETBIT", b"b" + n, b"%d" % r.randrange(2000), b"1"),
            lambda: (b"PFADD", b"p" + n, member),
            lambda: (b"RPUSH", b"l" + n, value, member),
            lambda: (b"LPOP", b"l" + n),
            lambda: (b"LMOVE", b"l" + n, b"l1", b"LEFT", b"RIGHT"),
            lambda: (b"HSET", b"h" + n, member, value),
            lambda: (b"HINCRBY", b"hi" + n, member, b"3"),
            lambda: (b"HDEL", b"h" + n, member),
            lambda: (b"SADD", b"set" + n, member, b"%d" % r.randrange(1000)),
            lambda: (b"SADD", b"ints" + n, b"%d" % r.randrange(1000)),
            lambda: (b"SPOP", b"set" + n),
            lambda: (b"ZADD", b"z" + n, b"%.3f" % r.uniform(-9, 9), member),
            lambda: (b"ZPOPMIN", b"z" + n),
            lambda: (b"XADD", b"x" + n, b"*", b"field", value),
            lambda: (b"XTRIM", b"x" + n, b"MAXLEN", b"50"),
            lambda: (b"GEOADD", b"g" + n, b"%.4f" % r.uniform(-180, 180), b"%.4f" % r.uniform(-85, 85), member),
            lambda: (b"EXPIRE", r.choice([b"l", b"h", b"z", b"set"]) + n, b"%d" % r.choice([1, 1000])),
            lambda: (b"PERSIST", b"l" + n),
            lambda: (b"RENAME", b"i" + n, b"i" + n),
            lambda: (b"COPY", b"h" + n, b"h1", b"REPLACE"),
            lambda: (b"DEL", r.choice([b"l", b"h", b"z", b"set", b"x", b"s"]) + n),
            lambda: (b"EVAL", b"redis.call('INCR', KEYS[1]); return redis.call('RPUSH', KEYS[2], ARGV[1])", b"2",
                     b"i" + n, b"l" + n, member),
        ])()
