#!/usr/bin/env python3
"""What a second client sees while a first one sends a slow command, beside redis-server.

    tests/bench/slow_commands.py [--keys 5000000] [--members 5000000] [--answer 1000000] [--markdown FILE]

A process of its own sends PING after PING and keeps every latency; printed are the longest and p99.9 from the start of the
slow command until a second after its reply, so that what is left for later (freeing) is in it.
"""
import argparse
import multiprocessing
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import Servers, encode  # noqa: E402

BATCH = 500
AFTER_SECONDS = 1.0


def feed(client, requests):
    pending = []
    for request in requests:
        pending.append(request)
        if len(pending) == BATCH:
            client.socket.sendall(b"".join(pending))
            for _ in pending:
                client.read()
            pending = []


def ping(port, begin, end, results):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    latencies = []
    begin.wait()
    while not end.is_set():
        start = time.perf_counter()
        connection.sendall(b"PING\r\n")
        connection.recv(64)
        latencies.append(time.perf_counter() - start)
    results.put(latencies)


def watch(server, *command):
    begin, end, results = multiprocessing.Event(), multiprocessing.Event(), multiprocessing.Queue()
    pinger = multiprocessing.Process(target=ping, args=(server.port, begin, end, results))
    pinger.start()
    client = server.client()
    client.socket.settimeout(120)
    client.ask(b"PING")
    begin.set()
    time.sleep(0.1)
    start = time.perf_counter()
    client.send(*command)
    client.read()
    took = time.perf_counter() - start
    time.sleep(AFTER_SECONDS)
    end.set()
    latencies = sorted(results.get())
    pinger.join()
    client.close()
    return took * 1000, latencies[-1] * 1000, latencies[int(len(latencies) * 0.999)] * 1000


def fill_keys(client, count):
    feed(client, (encode(b"SET", b"key:%d" % i, b"v") for i in range(count)))


def fill_set(client, count, name=b"set"):
    feed(client, (encode(b"SADD", name, *(b"member:%d" % (i + k) for k in range(50))) for i in range(0, count, 50)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=5_000_000)
    parser.add_argument("--members", type=int, default=5_000_000)
    parser.add_argument("--answer", type=int, default=1_000_000)
    parser.add_argument("--markdown")
    args = parser.parse_args()
    rows = (
        (f"KEYS over {args.keys:,} keys", lambda c: fill_keys(c, args.keys), (b"KEYS", b"nothing*")),
        (f"FLUSHALL ASYNC of {args.keys:,} keys", lambda c: None, (b"FLUSHALL", b"ASYNC")),
        (f"DEL of a set of {args.members:,}", lambda c: fill_set(c, args.members), (b"DEL", b"set")),
        (f"SMEMBERS of {args.answer:,}", lambda c: fill_set(c, args.answer), (b"SMEMBERS", b"set")),
    )
    lines = ["| ms | Millrace: command, longest, p99.9 of the other | Redis |", "|---|---|---|"]
    with Servers() as servers:
        both = [servers.millrace(), servers.redis()]
        for name, fill, command in rows:
            cells = []
            for server in both:
                client = server.client()
                fill(client)
                client.close()
                cells.append("{:.0f}, {:.1f}, {:.2f}".format(*watch(server, *command)))
            lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
            print(lines[-1], flush=True)
    if args.markdown:
        pathlib.Path(args.markdown).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
