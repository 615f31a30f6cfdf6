#!/usr/bin/env python3
"""Memory per element of collections, beside redis-server: a million small ones of 5 elements, and one of a million.

    tests/bench/collections_memory.py [--small 1000000] [--large 1000000] [--markdown FILE]

Bytes are what the server says it uses (INFO memory, used_memory) above what it used before, by the number of elements;
a small one's key is in it. A ratio below 1: Millrace needs less.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import Servers, encode  # noqa: E402

BATCH = 500
ELEMENTS = 5


def used_bytes(client):
    info = client.ask(b"INFO", b"memory").decode()
    return next(int(line.split(":")[1]) for line in info.split("\r\n") if line.startswith("used_memory:"))


def feed(client, requests):
    pending = []

    def flush():
        client.socket.sendall(b"".join(pending))
        for _ in pending:
            assert not client.read().startswith(b"-")
        pending.clear()

    for request in requests:
        pending.append(request)
        if len(pending) == BATCH:
            flush()
    flush()


def small_hash(i):
    return encode(b"HSET", b"hash:%d" % i, *(w for k in range(ELEMENTS) for w in (b"field%d" % k, b"value%d" % (i + k))))


def small_set(i):
    return encode(b"SADD", b"set:%d" % i, *(b"member%d" % (i + k) for k in range(ELEMENTS)))


def small_zset(i):
    return encode(b"ZADD", b"zset:%d" % i, *(w for k in range(ELEMENTS) for w in (b"%d" % (i + k), b"member%d" % (i + k))))


def small_list(i):
    return encode(b"RPUSH", b"list:%d" % i, *(b"element%d" % (i + k) for k in range(ELEMENTS)))


def large_hash(i):
    return encode(b"HSET", b"hash", b"field:%d" % i, b"value:%d" % i)


def large_set(i):
    return encode(b"SADD", b"set", b"member:%d" % i)


def large_zset(i):
    return encode(b"ZADD", b"zset", b"%d" % i, b"member:%d" % i)


def bytes_per_element(server, make, count, elements):
    client = server.client()
    client.ask(b"FLUSHALL")
    before = used_bytes(client)
    feed(client, (make(i) for i in range(count)))
    used = used_bytes(client) - before
    client.close()
    return used / (count * elements)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--markdown")
    args = parser.parse_args()
    rows = [(f"{args.small:,} {name} of {ELEMENTS}", make, args.small, ELEMENTS)
            for name, make in (("hashes", small_hash), ("sets", small_set), ("sorted sets", small_zset), ("lists", small_list))]
    rows += [(f"one {name} of {args.large:,}", make, args.large, 1)
             for name, make in (("hash", large_hash), ("set", large_set), ("sorted set", large_zset))]
    lines = ["| bytes per element | Millrace | Redis | ratio |", "|---|---|---|---|"]
    for name, *what in rows:
        figures = []
        for kind in ("millrace", "redis"):
            with Servers() as servers:
                figures.append(bytes_per_element(getattr(servers, kind)(), *what))
        ours, theirs = figures
        lines.append(f"| {name} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.2f} |")
        print(lines[-1], flush=True)
    if args.markdown:
        pathlib.Path(args.markdown).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
