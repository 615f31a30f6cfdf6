#!/usr/bin/env python3
"""What single commands cost across the families (commands.toml): server CPU per request, Millrace beside redis-server.

    redis-bench-configs/commands.py [--only WORD] [--reps 3] [--json FILE] [--markdown FILE]

Both servers are filled alike; then each row is sent to one and the other in turn, `--reps` times, in pipelines of 16, and
the median of the server's CPU per request is taken (/proc/PID/task/*/schedstat). A ratio below 1: Millrace costs less.
"""
import argparse
import json
import pathlib
import random
import selectors
import shlex
import statistics
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/lib"))
sys.path.insert(0, str(HERE))
from run import cpu_ns, pin  # noqa: E402
from servers import Servers, encode  # noqa: E402

MARK = b"end of the pipeline"
PIPELINE = 16
SETUP_PIPELINE = 500


def requests_of(template, count, row):
    """`count` requests as bytes, the same for every server."""
    draw = random.Random(row["name"])
    commands = [[word.encode() for word in shlex.split(part)] for part in template.split(" ; ")]
    first = row.get("first", 0)
    for i in range(first, first + count):
        r = draw.randrange(row.get("range", 1))
        yield b"".join(encode(*(w.replace(b"{i}", b"%d" % i).replace(b"{r}", b"%d" % r) for w in words))
                       for words in commands)


def send(connection, requests, size, between=lambda: None):
    """In pipelines, each answered whole before the next: its end is the answer to an ECHO."""
    echo, end = encode(b"ECHO", MARK), b"$%d\r\n%s\r\n" % (len(MARK), MARK)
    batch, sent = [], 0
    for request in requests:
        batch.append(request)
        if len(batch) == size:
            sent += exchange(connection, batch, echo, end)
            between()
            batch = []
    if batch:
        exchange(connection, batch, echo, end)
        between()


def exchange(connection, batch, echo, end):
    connection.sendall(b"".join(batch) + echo)
    tail = b""
    while not tail.endswith(end):
        data = connection.recv(1 << 20)
        assert data, "the server closed the connection"
        tail = (tail + data)[-len(end):] if len(data) < len(end) else data[-len(end):]
    return len(batch)


class Subscribers:
    """Many who read what they get, so that nothing piles up."""

    def __init__(self, server, count):
        self.ready = selectors.EpollSelector()
        self.clients = [server.client() for _ in range(count)]
        for client in self.clients:
            client.ask(b"SUBSCRIBE", b"news")
            client.socket.setblocking(False)
            self.ready.register(client.socket, selectors.EVENT_READ)

    def drain(self):
        while events := self.ready.select(0):
            for key, _ in events:
                key.fileobj.recv(1 << 16)

    def close(self):
        for client in self.clients:
            client.close()


def measure(server, row):
    connection = server.client()
    subscribers = Subscribers(server, row["subscribers"]) if "subscribers" in row else None
    requests = list(requests_of(row["request"], row["requests"], row))
    before = cpu_ns(server)
    send(connection.socket, requests, row.get("pipeline", PIPELINE), subscribers.drain if subscribers else lambda: None)
    spent = cpu_ns(server) - before
    if subscribers:
        subscribers.close()
    connection.close()
    return spent / 1000 / row["requests"]


def prepare(server, row):
    if "setup" not in row:
        return
    connection = server.client()
    for command in requests_of(row["setup"], 1, row):
        connection.socket.sendall(command)  # an error shows here and not as a fast row
        reply = connection.read()
        assert reply[:1] != b"-", (row["name"], reply)
    connection.close()
    connection = server.client()
    send(connection.socket, requests_of(row["setup"], row.get("count", 1), row), SETUP_PIPELINE)
    connection.close()


def check(server, row):
    """One request of the row must not be an error."""
    client = server.client()
    parts = row["request"].count(" ; ") + 1
    for request in requests_of(row["request"], 1, row | {"first": 0}):
        client.socket.sendall(request)
        for _ in range(parts):
            reply = client.read()
            assert not (isinstance(reply, bytes) and reply.startswith(b"-")), (server.name, row["name"], reply)
    client.close()


def table(results):
    lines = ["| command | Millrace µs | Redis µs | ratio |", "|---|---|---|---|"]
    lines += [f"| {name} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} |" for name, ours, theirs in results]
    ratios = [ours / theirs for _, ours, theirs in results]
    lines.append(f"| median of {len(ratios)}; the largest | | | {statistics.median(ratios):.2f}; {max(ratios):.2f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="rows whose name has this word")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--json")
    parser.add_argument("--markdown")
    args = parser.parse_args()
    figure = tomllib.loads((HERE / "commands.toml").read_text())
    results = []
    with Servers() as servers:
        both = [servers.millrace(), servers.redis()]
        for server in both:
            pin(server)
            client = server.client()
            send(client.socket, (encode(b"SET", b"key:%d" % i, b"x" * 16) for i in range(figure["keys"])), SETUP_PIPELINE)
            client.close()
            for row in figure["command"]:
                prepare(server, row)
                check(server, row)
        for row in figure["command"]:
            if args.only.lower() not in row["name"].lower():
                continue
            taken = [[], []]
            for _ in range(args.reps):
                for server, list_of in zip(both, taken):
                    list_of.append(measure(server, row))
                    row["first"] = row.get("first", 0)
                row["first"] = row.get("first", 0) + row["requests"]  # ids of streams only grow
            results.append((row["name"], *map(statistics.median, taken)))
            print(f"{row['name']}: {results[-1][1]:.2f} {results[-1][2]:.2f} µs, "
                  f"{results[-1][1] / results[-1][2]:.2f}", flush=True)
    text = table(results)
    print(text)
    if args.markdown:
        pathlib.Path(args.markdown).write_text(text + "\n")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(
            [{"command": n, "millrace_us": a, "redis_us": b} for n, a, b in results], indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
