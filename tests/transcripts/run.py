#!/usr/bin/env python3
"""Plays the transcripts over sockets, against Millrace and against Debian's redis-server 7.0.15.

    tests/transcripts/run.py [FILE ...] [--side ours|redis] [--server-args "--event-backend poll"]
    tests/transcripts/run.py --record FILE ...

Every file has servers of its own. Every command that COMMAND LIST names must be called by some file.
--record writes redis-server's replies (ours where the file says that they differ) where the file has none
or others; patterns that still match stay. The grammar is in README.md.
"""
import argparse
import collections
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
from servers import Servers, encode  # noqa: E402
from transcript import Malformed, Step, matches, parse, read_reply, seconds, words  # noqa: E402

# Time is really waited for here; a file that needs more is the simulator's (transcript_test.cc).
MOST_SECONDS = 2
BLOCKED_SECONDS = 10
# Redis forbids DEBUG and the like unless told otherwise; so do we.
ARGUMENTS = ["--enable-debug-command", "yes"]


class Player:
    """Plays one file on one server."""

    def __init__(self, server):
        self.server = server
        self.control = server.client()
        self.clients = {}
        self.choose("a")

    def choose(self, name):
        if name not in self.clients:
            self.clients[name] = self.server.client()
        self.client = self.clients[name]

    def close(self):
        for client in [self.control, *self.clients.values()]:
            client.close()

    def directive(self, name, *arguments):
        if name == "fresh":
            for client in self.clients.values():
                client.close()
            self.clients.clear()
            self.expect_ok(b"FLUSHALL")
            self.choose("a")
        elif name == "client":
            self.choose(*arguments)
        elif name == "resp":
            self.client.ask(b"HELLO", arguments[0].encode())
        elif name == "config":
            self.expect_ok(b"CONFIG", b"SET", *(a.encode() for a in arguments))
        elif name == "advance":
            time.sleep(seconds(*arguments))
        elif name == "blocked":
            self.await_blocked(int(*arguments))
        else:
            raise Malformed(f"no such directive: {name}")

    def await_blocked(self, clients):
        wanted = b"blocked_clients:%d\r\n" % clients
        end = time.monotonic() + BLOCKED_SECONDS
        while wanted not in self.control.ask(b"INFO", b"clients"):
            if time.monotonic() > end:
                raise Malformed(f"{clients} blocked clients never came")

    def expect_ok(self, *command):
        reply = self.control.ask(*command)
        if reply != b"+OK":
            raise Malformed(f"{b' '.join(command).decode()}: {reply}")

    def replies(self, step):
        """What the server answers: as many replies as the file has, one if it has none yet."""
        if step.command is not None:
            self.client.socket.sendall(encode(*words(step.command)))
        if is_silent(step):
            return []
        return [read_reply(self.client.reader) for _ in range(max(len(step.replies), 1))]


def is_silent(step):
    return [node.head for node in step.replies] == ["(none)"]


def is_equal(step, replies):
    return is_silent(step) or (len(step.replies) == len(replies) and all(map(matches, step.replies, replies)))


def show(nodes):
    return "".join(f"      {line}\n" for node in nodes for line in node.lines())


def play(server, steps, judge):
    """Gives each step with commands or replies to `judge`, with what the server answered."""
    player = Player(server)
    try:
        for step in steps:
            try:
                if step.directive:
                    player.directive(*step.directive)
                elif not (step.ours_alone and server.name == "redis"):
                    judge(step, player.replies(step))
            except (OSError, EOFError, Malformed) as problem:
                judge(step, problem)
                return
    finally:
        player.close()


class Verdicts:
    def __init__(self):
        self.failures, self.equal = [], set()
        self.differing = collections.defaultdict(set)  # reason: places

    def judge(self, path, side, step, replies):
        place = f"{name_of(path)}:{step.line}"
        if isinstance(replies, Exception):
            return self.fail(place, side, step, f"      {replies}\n")
        agrees = is_equal(step, replies)
        if step.reason and side == "redis":
            if agrees and not is_silent(step):
                self.fail(place, side, step, f"      answers the same, though marked: {step.reason}\n")
            return
        if not agrees:
            return self.fail(place, side, step, show(replies) + "    instead of\n" + show(step.replies))
        if step.reason:
            self.differing[step.reason].add(place)
        elif step.command is not None:
            self.equal.add(place)

    def fail(self, place, side, step, text):
        what = step.command if step.command is not None else " ".join(step.directive or ["(awaited)"])
        self.failures.append(place)
        print(f"FAILED {place} on {side}: {what}\n{text}", end="", flush=True)


def waits(steps):
    return sum(seconds(*s.directive[1:]) for s in steps if s.directive and s.directive[0] == "advance")


def start(servers, side, args):
    return servers.millrace(*ARGUMENTS, *args.server_args.split()) if side == "ours" else servers.redis(*ARGUMENTS)


def check(paths, args):
    verdicts, played, too_long = Verdicts(), 0, []
    for path in paths:
        steps = parse(path)
        if waits(steps) > MOST_SECONDS:
            too_long.append(name_of(path))
            continue
        played += 1
        for side in args.sides:
            with Servers() as servers:
                play(start(servers, side, args), steps,
                     lambda step, replies: verdicts.judge(path, side, step, replies))
    for reason, places in sorted(verdicts.differing.items()):
        print(f"differs: {reason}: {' '.join(sorted(places))}")
    for name in too_long:
        print(f"not played, since it waits for more than {MOST_SECONDS} s (the simulator plays it): {name}")
    missing = [] if args.files else uncalled(paths)
    for name in missing:
        print(f"FAILED no transcript calls {name}")
    differing = sum(map(len, verdicts.differing.values()))
    print(f"{len(verdicts.equal)} commands in {played} transcripts equal, {differing} differ as listed"
          + (f", {len(verdicts.failures) + len(missing)} FAILED" if verdicts.failures or missing else ""))
    return 1 if verdicts.failures or missing else 0


def uncalled(paths):
    """Commands and subcommands of our build that no file calls."""
    with Servers() as servers:
        infos = servers.millrace().ask(b"COMMAND")
    known = {name for info in infos for name in [info[0], *(sub[0] for sub in info[9])]}
    called = set()
    for path in paths:
        for step in parse(path):
            if step.command is not None:
                first, second, *_ = [w.lower() for w in words(step.command)] + [b""]*2
                called |= {b"$" + first, b"$" + first + b"|" + second}
    return sorted(name[1:].decode() for name in known - called)


def record(path, args):
    """Rewrites the replies of a file. Where Redis differs, ours are written."""
    steps, answers = parse(path), {}
    for side in args.sides:
        def keep(step, replies):
            if isinstance(replies, Exception):
                raise SystemExit(f"{path}:{step.line}: {replies}")
            if bool(step.reason) == (side == "ours"):
                answers[step.line] = replies
        with Servers() as servers:
            play(start(servers, side, args), steps, keep)
    by_line = {step.line: step for step in steps if not step.directive}
    text, step = [], Step(0)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        step = by_line.get(number, step)
        changed = step.line in answers and not is_equal(step, answers[step.line])
        if not (line.startswith("<") and changed):
            text.append(line)
        if number == step.line and changed:
            text += ["< " + line for node in answers[number] for line in node.lines()]
    path.write_text("\n".join(text) + "\n")


def all_files():
    """The transcripts, and what the differential runs have found, tests/regress."""
    return sorted([*HERE.glob("*/*.txt"), *HERE.parent.glob("regress/*.txt")])


def name_of(path):
    return str(path.relative_to(HERE if HERE in path.parents else HERE.parent))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="all, if none is named")
    parser.add_argument("--side", choices=("ours", "redis"), help="both, if none is named")
    parser.add_argument("--server-args", default="", help="further arguments of millrace-server")
    parser.add_argument("--record", action="store_true")
    args = parser.parse_args()
    args.sides = [args.side] if args.side else ["ours", "redis"]
    paths = [path.resolve() for path in args.files] or all_files()
    if args.record:
        for path in paths:
            record(path, args)
        return 0
    return check(paths, args)


if __name__ == "__main__":
    sys.exit(main())
