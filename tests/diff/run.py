#!/usr/bin/env python3
"""Generated commands, the same to Millrace and to redis-server, replies compared one by one.

    tests/diff/run.py [--seed N] [--commands N] [--family NAME ...] [--resp 2|3]

The oracle is Debian's redis-server 7.0.15. A few keys and a few values are used over and over, so that
commands meet each other's results, wrong types included. Replies without an order are compared sorted;
replies that are random by nature are left out. A divergence is shrunk to the fewest commands that still
show it and printed; the seed is printed always.
"""
import argparse
import pathlib
import random
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from bitmap import bitmap  # noqa: E402
from geo import geo, normal_geo  # noqa: E402
from hyperloglog import hyperloglog  # noqa: E402
from servers import Servers  # noqa: E402
from stream import stream, normal_stream  # noqa: E402

KEYS = [b"k%d" % i for i in range(6)]
OTHERS = [b"s", b"l", b"h", b"z"]
WORDS = [b"", b"a", b"b", b"c", b"abc", b"hello world", b"10", b"-3", b"3", b"007", b"9223372036854775807",
         b"x" * 70, b"\x00\xff\r\n"]
INTS = [b"0", b"1", b"-1", b"2", b"5", b"-7", b"100", b"9223372036854775807", b"-9223372036854775808", b"zz", b""]
SMALL = [b"0", b"1", b"-1", b"2", b"-2", b"3", b"-100", b"100"]
SCORES = [b"0", b"1", b"2", b"3", b"-1", b"1.5", b"inf", b"-inf", b"(1", b"(2", b"nope"]
LEX = [b"-", b"+", b"[a", b"(a", b"[c", b"(b", b"[", b"x"]
UNORDERED = {b"SMEMBERS", b"KEYS", b"HGETALL", b"HKEYS", b"HVALS", b"SUNION", b"SINTER", b"SDIFF"}


class Generator:
    """Draws one command of a family."""

    def __init__(self, rng):
        self.rng = rng

    def key(self):
        return self.rng.choice(KEYS)

    def word(self):
        return self.rng.choice(WORDS)

    def int(self):
        return self.rng.choice(INTS)

    def small(self):
        return self.rng.choice(SMALL)

    def maybe(self, *words):
        return list(words) if self.rng.random() < 0.4 else []

    def some(self, draw, most=4):
        return [draw() for _ in range(self.rng.randint(1, most))]

    def pairs(self, first, second, most=3):
        return [w for _ in range(self.rng.randint(1, most)) for w in (first(), second())]

    def case(self, word):
        return word.lower() if self.rng.random() < 0.2 else word

    def string(self):
        k, w, n = self.key, self.word, self.int
        r = self.rng
        return r.choice([
            lambda: [b"SET", k(), w()], lambda: [b"SET", k(), r.choice(INTS)],
            lambda: [b"SET", k(), w(), *self.maybe(r.choice([b"NX", b"XX"])), *self.maybe(b"GET"),
                     *self.maybe(r.choice([b"EX", b"PX", b"KEEPTTL"]), r.choice([b"100", b"0", b"x"])),
                     *self.maybe(r.choice([b"EX", b"PX", b"XX", b"GET"]), b"200")],
            lambda: [b"GET", k()], lambda: [b"GETSET", k(), w()], lambda: [b"GETDEL", k()],
            lambda: [b"GETEX", k(), *self.maybe(b"EX", b"100"), *self.maybe(r.choice([b"PERSIST", b"EX"])), *self.maybe(b"200")],
            lambda: [b"SETNX", k(), w()], lambda: [b"SETEX", k(), r.choice([b"100", b"0", b"-1", b"x"]), w()],
            lambda: [b"MSET", *self.pairs(k, w)], lambda: [b"MSETNX", *self.pairs(k, w)],
            lambda: [b"MGET", *self.some(k)], lambda: [b"MSET", k()],
            lambda: [b"APPEND", k(), w()], lambda: [b"STRLEN", k()],
            lambda: [b"GETRANGE", k(), n(), n()], lambda: [b"SUBSTR", k(), self.small(), self.small()],
            lambda: [b"SETRANGE", k(), self.small(), w()],
            lambda: [b"INCR", k()], lambda: [b"DECR", k()], lambda: [b"INCRBY", k(), n()],
            lambda: [b"DECRBY", k(), n()],
            lambda: [b"LCS", k(), k(), *self.maybe(r.choice([b"LEN", b"IDX"])), *self.maybe(b"WITHMATCHLEN"), *self.maybe(b"MINMATCHLEN", self.small())],
            lambda: [b"INCRBYFLOAT", k(), r.choice([b"1", b"0.5", b"-2.25", b"x", b"3.0e3"])],
        ])()

    def generic(self):
        k = self.key
        r = self.rng
        at = str(int(time.time()) + 5000).encode()
        return r.choice([
            lambda: [b"DEL", *self.some(k)], lambda: [b"UNLINK", *self.some(k)], lambda: [b"EXISTS", *self.some(k)],
            lambda: [b"TOUCH", *self.some(k)], lambda: [b"TYPE", k()], lambda: [b"RENAME", k(), k()],
            lambda: [b"RENAMENX", k(), k()], lambda: [b"COPY", k(), k(), *self.maybe(b"REPLACE")],
            # GT and LT compare milliseconds: no two times are so near that the servers' clocks would decide.
            lambda: [b"EXPIRE", k(), r.choice([b"%d" % r.randrange(1000, 10**9), b"-1", b"x"]),
                     *self.maybe(r.choice([b"NX", b"XX", b"GT", b"LT", b"ZZ"]))],
            lambda: [b"PEXPIREAT", k(), at + b"000"], lambda: [b"EXPIREAT", k(), at],
            lambda: [b"PERSIST", k()], lambda: [b"EXPIRETIME", k()], lambda: [b"TTL", k()],
            lambda: [b"KEYS", r.choice([b"*", b"k?", b"k[1-3]", b"k1", b"[^k]*"])], lambda: [b"DBSIZE"],
            lambda: [b"MOVE", k(), r.choice([b"1", b"0", b"99", b"99999999999", b"x"])], lambda: [b"OBJECT", b"REFCOUNT"],
            lambda: [b"SELECT", r.choice([b"0", b"0", b"16", b"x"])], lambda: [b"ECHO", self.word()], lambda: [b"NOSUCH", k(), self.small()],
            lambda: [b"SET", k(), self.word()], lambda: [b"PING"], lambda: [b"GET"], lambda: [b"SCAN", b"0", b"COUNT", b"0"],
        ])()

    def list(self):
        k, w, s = self.key, self.word, self.small
        r = self.rng
        return r.choice([
            lambda: [b"LPUSH", k(), *self.some(w)], lambda: [b"RPUSH", k(), *self.some(w)],
            lambda: [b"LPUSHX", k(), w()], lambda: [b"RPUSHX", k(), w()],
            lambda: [b"LPOP", k(), *self.maybe(s())], lambda: [b"RPOP", k(), *self.maybe(s())],
            lambda: [b"LLEN", k()], lambda: [b"LRANGE", k(), s(), s()], lambda: [b"LINDEX", k(), s()],
            lambda: [b"LSET", k(), s(), w()], lambda: [b"LREM", k(), s(), w()], lambda: [b"LTRIM", k(), s(), s()],
            lambda: [b"LINSERT", k(), r.choice([b"BEFORE", b"AFTER", b"x"]), w(), w()],
            lambda: [b"LPOS", k(), w(), *self.maybe(b"RANK", s()), *self.maybe(b"COUNT", s()), *self.maybe(b"MAXLEN", s())],
            lambda: [b"LMOVE", k(), k(), r.choice([b"LEFT", b"RIGHT"]), r.choice([b"LEFT", b"RIGHT", b"UP"])],
            lambda: [b"RPOPLPUSH", k(), k()],
            lambda: [b"LMPOP", r.choice([b"1", b"2", b"0", b"x"]), k(), k(), r.choice([b"LEFT", b"RIGHT"]), *self.maybe(b"COUNT", s())],
            lambda: [b"DEL", k()],
        ])()

    def hash(self):
        k, w = self.key, self.word
        r = self.rng
        return r.choice([
            lambda: [b"HSET", k(), *self.pairs(w, w)], lambda: [b"HSET", k(), w()], lambda: [b"HMSET", k(), *self.pairs(w, w)],
            lambda: [b"HSETNX", k(), w(), w()], lambda: [b"HGET", k(), w()], lambda: [b"HMGET", k(), *self.some(w)],
            lambda: [b"HGETALL", k()], lambda: [b"HKEYS", k()], lambda: [b"HVALS", k()], lambda: [b"HDEL", k(), *self.some(w)],
            lambda: [b"HLEN", k()], lambda: [b"HEXISTS", k(), w()], lambda: [b"HSTRLEN", k(), w()],
            lambda: [b"HINCRBY", k(), w(), self.int()], lambda: [b"HINCRBYFLOAT", k(), w(), r.choice([b"1", b"0.5", b"x"])],
            lambda: [b"HRANDFIELD", k(), b"0"], lambda: [b"HSCAN", k(), b"x"], lambda: [b"DEL", k()],
        ])()

    def set(self):
        k, w = self.key, self.word
        r = self.rng
        return r.choice([
            lambda: [b"SADD", k(), *self.some(w)], lambda: [b"SADD", k(), *self.some(self.int)], lambda: [b"SREM", k(), *self.some(w)],
            lambda: [b"SISMEMBER", k(), w()], lambda: [b"SMISMEMBER", k(), *self.some(w)], lambda: [b"SCARD", k()],
            lambda: [b"SMEMBERS", k()], lambda: [b"SMOVE", k(), k(), w()], lambda: [b"SINTER", *self.some(k)],
            lambda: [b"SUNION", *self.some(k)], lambda: [b"SDIFF", *self.some(k)], lambda: [b"SINTERSTORE", k(), *self.some(k)],
            lambda: [b"SUNIONSTORE", k(), *self.some(k)], lambda: [b"SDIFFSTORE", k(), *self.some(k)],
            lambda: [b"SINTERCARD", r.choice([b"1", b"2", b"0", b"x"]), k(), k(), *self.maybe(b"LIMIT", self.small())],
            lambda: [b"SPOP", k(), b"0"], lambda: [b"SRANDMEMBER", k(), b"0"], lambda: [b"DEL", k()],
        ])()

    def zset(self):
        k, w, s = self.key, self.word, self.small
        r = self.rng
        score = lambda: r.choice(SCORES)  # noqa: E731
        lex = lambda: r.choice(LEX)  # noqa: E731
        # By lex is defined where all scores are equal: keys of their own, all scores 0.
        y = lambda: r.choice([b"y1", b"y2"])  # noqa: E731
        number = lambda: r.choice([b"1", b"2", b"-1", b"0", b"1.5", b"inf", b"-inf", b"x"])  # noqa: E731
        limit = lambda: self.maybe(b"LIMIT", s(), s())  # noqa: E731
        scores = lambda: self.maybe(b"WITHSCORES")  # noqa: E731
        return r.choice([
            lambda: [b"ZADD", k(), *self.maybe(r.choice([b"NX", b"XX", b"GT", b"LT"])), *self.maybe(b"CH"), *self.pairs(number, w)],
            lambda: [b"ZADD", k(), b"INCR", number(), w()], lambda: [b"ZINCRBY", k(), number(), w()],
            lambda: [b"ZREM", k(), *self.some(w)], lambda: [b"ZSCORE", k(), w()], lambda: [b"ZMSCORE", k(), *self.some(w)],
            lambda: [b"ZCARD", k()], lambda: [b"ZCOUNT", k(), score(), score()], lambda: [b"ZLEXCOUNT", y(), lex(), lex()],
            lambda: [b"ZRANK", k(), w()], lambda: [b"ZREVRANK", k(), w()],
            lambda: [b"ZRANGE", k(), s(), s(), *self.maybe(b"REV"), *scores()],
            lambda: [b"ZRANGE", k(), score(), score(), b"BYSCORE", *self.maybe(b"REV"), *limit(), *scores()],
            lambda: [b"ZRANGE", y(), lex(), lex(), b"BYLEX", *self.maybe(b"REV"), *limit()],
            lambda: [b"ZREVRANGE", k(), s(), s(), *scores()], lambda: [b"ZRANGEBYSCORE", k(), score(), score(), *scores(), *limit()],
            lambda: [b"ZREVRANGEBYSCORE", k(), score(), score(), *limit()], lambda: [b"ZRANGEBYLEX", y(), lex(), lex(), *limit()],
            lambda: [b"ZREVRANGEBYLEX", y(), lex(), lex()], lambda: [b"ZREMRANGEBYRANK", k(), s(), s()],
            lambda: [b"ZREMRANGEBYSCORE", k(), score(), score()], lambda: [b"ZREMRANGEBYLEX", y(), lex(), lex()],
            lambda: [b"ZPOPMIN", k(), *self.maybe(s())], lambda: [b"ZPOPMAX", k(), *self.maybe(s())],
            lambda: [b"ZMPOP", r.choice([b"1", b"2", b"0"]), k(), k(), r.choice([b"MIN", b"MAX"]), *self.maybe(b"COUNT", s())],
            lambda: [b"ZRANGESTORE", k(), k(), s(), s()],
            lambda: [r.choice([b"ZUNION", b"ZINTER"]), b"2", k(), k(), *self.maybe(b"WEIGHTS", b"2", b"3"), *self.maybe(b"AGGREGATE", r.choice([b"SUM", b"MIN", b"MAX"])), *scores()],
            lambda: [b"ZDIFF", b"2", k(), k(), *scores()],
            lambda: [r.choice([b"ZUNIONSTORE", b"ZINTERSTORE", b"ZDIFFSTORE"]), k(), b"2", k(), k()],
            lambda: [b"ZINTERCARD", b"2", k(), k(), *self.maybe(b"LIMIT", s())], lambda: [b"DEL", k()], lambda: [b"SADD", k(), w()],
            lambda: [b"ZADD", y(), b"0", w(), b"0", w()], lambda: [b"ZREM", y(), w()],
        ])()

    def sort(self):
        """Lists under l, sorted sets under z, sets under t; weights under w_<element>, hashes under h_<element>.

        Words of equal weight and a set's own order are in no order that is promised, so they are not asked for."""
        s = self.small
        r = self.rng
        element = lambda: r.choice([b"1", b"2", b"3", b"4", b"-5", b"2.5", b"10", b"0x1f", b"", b"w"])  # noqa: E731
        number = lambda: r.choice([b"1", b"2", b"3", b"-5", b"2.5", b"10", b"7"])  # noqa: E731
        key = lambda: r.choice([b"l1", b"l2", b"z1", b"t1", b"t2", b"k1"])  # noqa: E731
        listed = lambda: r.choice([b"l1", b"l2", b"z1"])  # noqa: E731
        pattern = lambda: r.choice([b"w_*", b"h_*->f", b"h_*->g", b"h_*->", b"h_*", b"w_*->f", b"no_*", b"*"])  # noqa: E731
        rest = lambda: [w for part in r.sample([  # noqa: E731
            self.maybe(b"LIMIT", s(), s()), self.maybe(r.choice([b"ASC", b"DESC"])), self.maybe(b"GET", b"#"),
            self.maybe(b"GET", pattern()), self.maybe(b"STORE", r.choice([b"l1", b"l2", b"out"]))], 5) for w in part]
        return r.choice([
            lambda: [b"RPUSH", r.choice([b"l1", b"l2"]), *self.some(number)], lambda: [b"RPUSH", b"l2", *self.some(element)],
            lambda: [b"ZADD", b"z1", *self.pairs(s, number)], lambda: [b"ZREM", b"z1", number()],
            lambda: [b"SADD", b"t1", *self.some(number)], lambda: [b"SADD", b"t2", *self.some(element)],
            lambda: [b"SET", b"w_" + element(), number()], lambda: [b"SET", b"w_" + number(), number()],
            lambda: [b"HSET", b"h_" + element(), r.choice([b"f", b"g"]), number()], lambda: [b"SET", b"k1", b"v"],
            lambda: [b"SORT", key(), *rest()], lambda: [b"SORT", key(), b"ALPHA", *rest()],
            lambda: [b"SORT", key(), b"BY", pattern(), *rest()], lambda: [b"SORT", listed(), b"BY", b"nosort", *rest()],
            lambda: [b"SORT", r.choice([b"l1", b"l2"]), b"BY", pattern(), b"ALPHA", *self.maybe(r.choice([b"ASC", b"DESC"]))],
            lambda: [b"SORT_RO", key(), *rest()], lambda: [b"SORT", key(), b"BY", pattern(), r.choice([b"LIMIT", b"GET", b"x"])],
            lambda: [b"LRANGE", r.choice([b"l1", b"out"]), b"0", b"-1"], lambda: [b"LTRIM", b"l1", b"0", b"7"],
            lambda: [b"LTRIM", b"l2", b"0", b"7"], lambda: [b"DEL", r.choice([b"l1", b"l2", b"z1", b"t1", b"t2"])],
        ])()

    def rule(self):
        r = self.rng
        pattern = r.choice([b"*", b"k*", b"k1", b"k[0-2]", b"s", b"", b"a b"])
        limited = r.choice([b"k*", b"k1", b"k?", b"a b"])  # Redis writes %RW~* as ~*, which is not the same
        command = r.choice([b"get", b"set", b"SET", b"mget", b"copy", b"lmove", b"config", b"config|get", b"client|kill",
                            b"config|nope", b"nope", b"select", b"select|0", b"select|1", b"config|get|x", b"getdel",
                            b"@read", b"@write", b"@all", b"@string", b"@Slow", b"@nope", b"", b"del", b"exists"])
        return r.choice([
            lambda: r.choice([b"+", b"+", b"-"]) + command, lambda: r.choice([b"+", b"+", b"-"]) + command,
            lambda: r.choice([b"~", b"%R~", b"%W~", b"%RW~", b"%wr~", b"%", b"%R", b"%X~"]) + limited,
            lambda: b"~" + pattern,
            lambda: b"&" + pattern,
            lambda: r.choice([b"on", b"off", b"ON", b"nopass", b"resetpass", b"reset", b"allkeys", b"resetkeys",
                              b"allchannels", b"resetchannels", b"allcommands", b"nocommands", b"clearselectors", b""]),
            lambda: r.choice([b">", b"<"]) + r.choice([b"p", b"q"]), lambda: r.choice([b"#", b"!"]) + r.choice([b"a" * 64, b"A" * 64, b"b"]),
        ])()

    def acl(self):
        k, r = self.key, self.rng
        user = r.choice([b"u1", b"u2"])
        request = r.choice([
            lambda: [b"GET", k()], lambda: [b"SET", k(), b"v", *self.maybe(b"GET")], lambda: [b"MGET", *self.some(k)],
            lambda: [b"COPY", k(), k()], lambda: [b"LMOVE", k(), k(), b"LEFT", b"LEFT"], lambda: [b"ZUNIONSTORE", k(), b"2", k(), k()],
            lambda: [b"SELECT", self.small()], lambda: [b"CONFIG", b"GET", b"x"], lambda: [b"CLIENT", b"KILL", b"x"],
            lambda: [b"EXISTS", *self.some(k)], lambda: [b"DEL", *self.some(k)], lambda: [b"GETDEL", k()], lambda: [b"MSET", *self.pairs(k, k)],
            lambda: [b"PING"], lambda: [b"GET"], lambda: [b"NOPE"], lambda: [b"CONFIG", b"NOPE"], lambda: [b"AUTH", b"x"],
        ])
        return r.choice([
            lambda: [b"ACL", b"SETUSER", user, self.rule()], lambda: [b"ACL", b"SETUSER", user, *self.some(self.rule, 3)],
            lambda: [b"ACL", b"SETUSER", user, b"(" + b" ".join(self.some(self.rule, 3)) + b")"],
            lambda: [b"ACL", b"SETUSER", user, b"resetkeys", b"~k1", b"%R~k*", b"+@all"],
            lambda: [b"ACL", b"DRYRUN", user, *request()], lambda: [b"ACL", b"DRYRUN", user, *request()],
            lambda: [b"ACL", b"DRYRUN", user, *request()], lambda: [b"ACL", b"GETUSER", user], lambda: [b"ACL", b"USERS"],
            lambda: [b"ACL", b"DELUSER", *self.some(lambda: r.choice([b"u1", b"u2", b"nobody"]), 2)] if r.random() < 0.2 else [b"ACL", b"WHOAMI"],
        ])()

    def mixed(self):
        return getattr(self, self.rng.choice(["string", "generic", "list", "hash", "set", "zset", "bitmap", "hyperloglog", "geo", "stream"]))()

    bitmap, hyperloglog, geo, stream = bitmap, hyperloglog, geo, stream

    # --- scripts

    def lua_value(self, depth=0):
        """A literal, of what replies are made of."""
        r = self.rng
        plain = [lambda: r.choice([b"1", b"-7", b"3.75", b"2^53", b"0"]), lambda: b"'" + r.choice([b"", b"a", b"hello world", b"10"]) + b"'",
                 lambda: r.choice([b"true", b"false", b"nil"])]
        if depth > 3:
            return r.choice(plain)()
        inner = lambda: self.lua_value(depth + 1)  # noqa: E731
        items = lambda: b",".join(inner() for _ in range(r.randint(0, 4)))  # noqa: E731
        return r.choice([*plain, lambda: b"{" + items() + b"}", lambda: b"{" + items() + b"}",
                         lambda: b"{ok=" + inner() + b"}", lambda: b"{err=" + r.choice([b"'ERR x'", inner()]) + b"}",
                         lambda: b"{double=" + r.choice([b"1.5", b"3", inner()]) + b"}", lambda: b"{big_number=" + r.choice([b"'12'", inner()]) + b"}",
                         lambda: b"{map={k=" + inner() + b"}}", lambda: b"{set={[" + r.choice([b"'m'", b"7"]) + b"]=true}}",
                         lambda: b"{verbatim_string={format='txt',string=" + inner() + b"}}"])()

    def struct_format(self):
        r = self.rng
        return b"".join(r.choice([b"b", b"B", b"h", b"H", b"i", b"I", b"l", b"T", b">", b"<", b"!", b"!4", b"i3", b"I8", b"x", b"f", b"d", b"c0", b"s", b"c1", b" ", b"z"])
                        for _ in range(r.randint(1, 4)))

    def ordered_command(self):
        while True:
            command = self.mixed()
            if command[0].upper() not in UNORDERED | RELATIVE | {b"SELECT", b"OBJECT", b"SCAN", b"HSCAN", b"COPY"}:
                return command

    def script(self):
        r = self.rng
        command = self.ordered_command
        value = self.lua_value
        resp = lambda: r.choice([b"", b"", b"redis.setresp(3) "])  # noqa: E731
        call = lambda: r.choice([b"redis.call", b"redis.pcall"])  # noqa: E731
        many = lambda: b",".join(b"'%s'" % c for c in r.choices([b"a", b"b", b"\\0\\255", b"zz"], k=r.randint(0, 4)))  # noqa: E731
        return r.choice([
            lambda: [b"EVAL", resp() + b"return " + call() + b"(unpack(ARGV))", b"0", *command()],
            lambda: [b"EVAL_RO", resp() + b"return " + call() + b"(unpack(ARGV))", b"0", *command()],
            lambda: [b"EVAL", resp() + b"local r = redis.pcall(unpack(ARGV)) return {type(r), r, r}", b"0", *command()],
            lambda: [b"EVAL", b"local ok, r = pcall(redis.call, unpack(ARGV)) return {tostring(ok), r}", b"0", *command()],
            lambda: [b"EVAL", b"local r = " + call() + b"(KEYS[1], unpack(ARGV)) return r", b"1", *command()],
            lambda: [b"EVAL", resp() + b"return " + value(), b"0"],
            lambda: [b"EVAL", resp() + b"return {" + value() + b"," + value() + b"}", b"0"],
            lambda: [b"EVAL", b"return cmsgpack.unpack(cmsgpack.pack(" + value() + b"))", b"0"],
            lambda: [b"EVAL", b"return {cmsgpack.pack(" + value() + b")}", b"0"],
            lambda: [b"EVAL", b"return {pcall(cmsgpack.unpack, ARGV[1])}", b"0", bytes(r.choices([0x91, 0x81, 0xa2, 0xc0, 0xc3, 0xcc, 0xd1, 0xca, 0xdc, 0xde, 0xd9, 0, 1, 0xff], k=r.randint(0, 6)))],
            lambda: [b"EVAL", b"return {pcall(struct.pack, ARGV[1], " + b",".join(r.choice([b"1", b"-2", b"'abc'", b"300", b"2.5"]) for _ in range(4)) + b")}", b"0", self.struct_format()],
            lambda: [b"EVAL", b"local r = {pcall(struct.unpack, ARGV[1], ARGV[2])} for i, v in ipairs(r) do r[i] = tostring(v) end return r", b"0", self.struct_format(), bytes(r.choices([0, 1, 2, 65, 255], k=r.randint(0, 24)))],
            lambda: [b"EVAL", b"return {pcall(struct.size, ARGV[1])}", b"0", self.struct_format()],
            lambda: [b"EVAL", b"error(" + r.choice([b"'x'", b"5", b"{err='MY x'}", b"nil", b"true"]) + b")", b"0"],
            lambda: [b"EVAL", b"return redis." + r.choice([b"error_reply", b"status_reply", b"sha1hex"]) + b"('" + r.choice([b"", b"x", b"-X y", b"A b"]) + b"')", b"0"],
            lambda: [b"EVAL", b"return #KEYS * 100 + #ARGV", r.choice([b"0", b"1", b"2", b"3", b"-1", b"x"]), *self.some(self.key)],
            lambda: [b"SCRIPT", b"LOAD", b"return " + r.choice([b"1", b"2", b"+"])],
            lambda: [b"SCRIPT", b"EXISTS", b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db", b"7f923f79fe76194c868d7e1d0820de36700eb649"],
            lambda: [r.choice([b"EVALSHA", b"EVALSHA_RO"]), r.choice([b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db", b"7f923F79fe76194c868d7e1d0820de36700eb649", b"x"]), b"0"],
            lambda: [b"EVAL", b"local t = {" + many() + b"} table.sort(t) return table.concat(t, ARGV[1])", b"0", self.word()],
        ])()

    def mixed(self):
        return getattr(self, self.rng.choice(["string", "generic", "list", "hash", "set", "zset"]))()


FAMILIES = ["string", "generic", "list", "hash", "set", "zset", "sort", "bitmap", "hyperloglog", "geo", "stream", "acl",
            "script", "mixed"]
# Between the two servers a second may end. What these say exactly is in tests/transcripts/expiry.
RELATIVE = {b"TTL", b"EXPIRETIME"}


# 7.2 words refusals otherwise, says sanitize-payload, and keeps rules of commands as they were said.
def normal_acl(command, reply):
    if command[1] == b"DRYRUN" and isinstance(reply, bytes):
        return re.sub(rb"^\$(User \S+|This user) has", b"$has", reply)
    if command[1] == b"GETUSER" and isinstance(reply, list):
        return without_rules(reply)
    return reply


def without_rules(fields):
    values = dict(zip(fields[::2], fields[1::2]))
    del values[b"$commands"]
    if b"$flags" in values:
        values[b"$flags"] = [f for f in values[b"$flags"] if f != b"$sanitize-payload"]
        values[b"$selectors"] = [without_rules(s) for s in values[b"$selectors"]]
    return values


def normal(command, reply):
    name = command[0].upper()
    if name == b"ACL":
        return normal_acl(command, reply)
    if name[:1] == b"X":
        return normal_stream(command, reply)
    if name[:3] == b"GEO":
        return normal_geo(command, reply)
    if name in UNORDERED and isinstance(reply, list):
        if name == b"HGETALL":
            return sorted(map(repr, zip(reply[::2], reply[1::2])))
        return sorted(map(repr, reply))
    if name in RELATIVE and isinstance(reply, bytes) and reply[1:2] != b"-":
        return b":some seconds"
    return reply


def converse(client, commands):
    client.socket.sendall(b"".join(b"*%d\r\n" % len(c) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in c) for c in commands))
    return [normal(c, client.read()) for c in commands]


def first_difference(clients, resp, commands):
    replies = []
    for client in clients:
        client.ask(b"FLUSHALL")
        client.ask(b"HELLO", resp)
        client.ask(b"ACL", b"DELUSER", b"u1", b"u2")
        client.ask(b"SELECT", b"0")
        replies.append(converse(client, commands))
    for i, (ours, theirs) in enumerate(zip(*replies)):
        if ours != theirs:
            return i, ours, theirs
    return None


def shrink(clients, resp, commands):
    first = first_difference(clients, resp, commands)
    if not first:
        return commands
    commands = commands[:first[0] + 1]
    step = max(len(commands) // 2, 1)
    while step >= 1:
        at = 0
        while at < len(commands) - 1:
            candidate = commands[:at] + commands[min(at + step, len(commands) - 1):]
            if first_difference(clients, resp, candidate):
                commands = candidate
                commands = commands[:first_difference(clients, resp, commands)[0] + 1]
            else:
                at += step
        step //= 2
    return commands


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--commands", type=int, default=20_000, help="per family and protocol")
    parser.add_argument("--family", nargs="*", default=FAMILIES)
    parser.add_argument("--resp", choices=("2", "3"), nargs="*", default=("2", "3"))
    parser.add_argument("--most", type=int, default=10, help="divergences shown before giving up")
    args = parser.parse_args()
    print(f"seed {args.seed}")
    found = 0
    with Servers() as servers:
        # Double formatting is 7.2's on one side and 7.0's on the other where a score has no short binary
        # form, so scores here do have one.
        debug = ("--enable-debug-command", "yes")
        clients = [servers.millrace(*debug).client(), servers.redis(*debug).client()]
        for family in args.family:
            for resp in args.resp:
                rng = random.Random(f"{args.seed}/{family}/{resp}")
                draw = getattr(Generator(rng), family)
                ran = 0
                while ran < args.commands and found < args.most:
                    commands = [draw() for _ in range(500)]
                    ran += len(commands)
                    first = first_difference(clients, resp.encode(), commands)
                    if not first:
                        continue
                    found += 1
                    least = shrink(clients, resp.encode(), commands[:first[0] + 1])
                    again = first_difference(clients, resp.encode(), least)
                    if not again:
                        print("it does not repeat; the last of these commands differed once:")
                    _, ours, theirs = again or first
                    print(f"DIVERGENCE {family} RESP{resp}:")
                    for command in least:
                        print("   ", b" ".join(repr(w)[1:].encode() for w in command).decode())
                    print("    millrace:", ours, "\n    redis:   ", theirs)
                print(f"{family:8} RESP{resp}: {ran} commands", flush=True)
    print(f"{found} divergences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
