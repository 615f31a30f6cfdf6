#!/usr/bin/env python3
"""Why was it slow? A real server is made slow in known ways, and LATENCY TICKS must name each of them.

    ticks_test.py            MILLRACE_SERVER names another build
"""
import pathlib
import re
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from servers import Servers  # noqa: E402

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def as_map(flat):
    return dict(zip((name[1:].decode() for name in flat[::2]), flat[1::2]))


class Tick:
    """One entry of the reply."""

    def __init__(self, flat):
        fields = as_map(flat)
        self.loop, self.filled_by = (fields[name][1:].decode() for name in ("loop", "filled_by"))
        self.unix_time_ms, self.usec, self.late_usec = (int(fields[name][1:]) for name in ("unix_time_ms", "usec", "late_usec"))
        self.phases, self.work, self.housekeeping = (
            {name: int(value[1:]) for name, value in as_map(fields[group]).items()}
            for group in ("phases_usec", "work", "housekeeping_usec"))
        slowest = fields["slowest_command"]
        self.command = None if slowest is None else as_map(slowest)

    @property
    def name(self):
        return self.command and self.command["name"][1:].decode()

    @property
    def key(self):
        return self.command and self.command["key"] and self.command["key"][1:].decode()

    def __repr__(self):
        return str(self.__dict__)


def ticks(client):
    return [Tick(flat) for flat in client.ask(b"LATENCY", b"TICKS")]


def the_tick(client, name):
    """The longest whose slowest command is this one. A busy machine may add others."""
    found = [tick for tick in ticks(client) if tick.name == name]
    assert found, (name, ticks(client))
    return found[0]


def reset(client):
    assert client.ask(b"LATENCY", b"TICKS", b"RESET").startswith(b":")


def info(client, *sections):
    text = client.ask(b"INFO", *sections)[1:].decode()
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def fields(line):
    return {name: float(value) for name, value in (pair.split("=") for pair in line.split(","))}


def await_true(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.01)


def state_of(server):
    """Its state in the eyes of the kernel: S is asleep."""
    with open(f"/proc/{server.process.pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


def add_members(client, command, key, count, prefix=b"member"):
    for start in range(0, count, 1000):
        client.ask(command, key, *(b"%s:%d" % (prefix, i) for i in range(start, start + 1000)))


@test
def a_sleeping_command(client, server):
    before_ms = int(time.time() * 1000)
    client.ask(b"DEBUG", b"SLEEP", b"0.3")
    tick = ticks(client)[0]
    assert tick.loop == "main" and tick.filled_by == "run", tick
    assert tick.name == "debug" and tick.key is None, tick
    assert tick.usec >= 300_000 and tick.phases["run"] >= 300_000, tick
    assert int(tick.command["usec"][1:]) >= 300_000
    assert before_ms <= tick.unix_time_ms <= int(time.time() * 1000)
    # The phases are the whole of it.
    assert abs(sum(tick.phases.values()) + tick.late_usec - tick.usec) <= len(tick.phases) + 1, tick
    assert ticks(client)[0].usec >= ticks(client)[-1].usec


@test
def a_big_delete(client, server):
    add_members(client, b"SADD", b"big", 300_000)
    reset(client)
    client.ask(b"DEL", b"big")
    tick = the_tick(client, "del")
    assert tick.key == "big" and tick.filled_by == "run" and tick.work["commands"] == 1, tick


@test
def a_long_range(client, server):
    add_members(client, b"RPUSH", b"list", 300_000)
    reset(client)
    assert len(client.ask(b"LRANGE", b"list", b"0", b"-1")) == 300_000
    tick = the_tick(client, "lrange")
    assert tick.key == "list" and tick.work["events"] >= 1, tick
    assert tick.phases["write"] > 0, tick  # megabytes of reply


@test
def a_union_of_sets(client, server):
    for key in (b"one", b"two"):
        add_members(client, b"SADD", key, 64_000, key)
    reset(client)
    assert len(client.ask(b"SUNION", b"one", b"two")) == 128_000
    assert the_tick(client, "sunion").key == "one"


@test
def a_long_request(client, server):
    words = [b"MSET"]
    for i in range(100_000):
        words += [b"first" if i == 0 else b"k%d" % i, b"v"]
    client.ask(*words)
    tick = the_tick(client, "mset")
    assert tick.key == "first", tick
    assert tick.phases["parse"] > 0, tick


@test
def a_machine_that_does_not_give_its_processor(client, server):
    """The server is stopped in its sleep: it wakes late, and nothing of its own was slow."""
    reset(client)
    await_true(lambda: state_of(server) == "S")
    server.process.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    server.process.send_signal(signal.SIGCONT)
    client.ask(b"PING")
    tick = ticks(client)[0]
    assert tick.usec >= 300_000, tick
    assert tick.filled_by == "late" and tick.late_usec >= 300_000, tick
    assert tick.name is None or int(tick.command["usec"][1:]) < 300_000, tick


@test
def the_threshold_is_a_directive(client, server):
    client.ask(b"CONFIG", b"SET", b"latency-ticks-threshold", b"0")
    reset(client)
    client.ask(b"DEBUG", b"SLEEP", b"0.05")
    assert ticks(client) == []
    client.ask(b"CONFIG", b"SET", b"latency-ticks-threshold", b"1")
    client.ask(b"DEBUG", b"SLEEP", b"0.05")
    assert ticks(client)[0].name == "debug"
    assert client.ask(b"LATENCY", b"TICKS", b"0") == []
    assert len(client.ask(b"LATENCY", b"TICKS", b"1")) == 1


@test
def info_tells_the_load(client, server):
    load = lambda: fields(info(client, b"loops")["loop_main"])  # noqa: E731
    await_true(lambda: load()["ticks_per_sec"] > 0)  # two samples have been taken
    before = load()
    client.ask(b"DEBUG", b"SLEEP", b"0.4")
    time.sleep(0.3)  # idle time, to be counted
    loops = info(client, b"loops")
    after = fields(loops["loop_main"])
    assert 400_000 <= after["useful_usec"] - before["useful_usec"] < 700_000, (before, after)
    assert after["idle_usec"] - before["idle_usec"] >= 200_000, (before, after)
    assert after["useful_usec"] <= after["busy_usec"], after
    assert 10 < after["useful_perc"] <= after["busy_perc"] <= 100, after  # 0.4 s of the last 1.6
    assert fields(loops["loop_main_phases_usec"])["run"] >= 400_000
    stats = info(client, b"stats")
    assert int(stats["eventloop_duration_sum"]) >= int(stats["eventloop_duration_cmd_sum"]) >= 400_000
    assert int(stats["eventloop_cycles"]) > 10 and int(stats["instantaneous_eventloop_cycles_per_sec"]) >= 1
    client.ask(b"CONFIG", b"RESETSTAT")
    assert int(info(client, b"stats")["eventloop_duration_cmd_sum"]) < 400_000


@test
def info_tells_the_distribution(client, server):
    await_true(lambda: "loop_main_timers_usec" in info(client, b"looplatency"))  # the first run of the cron
    shown = info(client, b"everything")
    for what in ("tick", "read", "run", "write", "timers"):
        line = fields(shown[f"loop_main_{what}_usec"])
        assert line["count"] > 0 and line["p50"] <= line["p99"] <= line["p99.9"] <= line["max"], (what, line)
    assert "loop_main_tick_usec" in info(client, b"all") and "loop_main_tick_usec" in info(client, b"looplatency")
    assert "loop_main_tick_usec" not in info(client) and "loop_main" in info(client)
    assert re.search(r"# Loops\r\n", client.ask(b"INFO")[1:].decode())


def main():
    passed = failed = 0
    for function in TESTS:
        with Servers() as servers:
            server = servers.millrace("--enable-debug-command", "yes", "--latency-ticks-threshold", "1")
            client = server.client()
            try:
                function(client, server)
                passed += 1
                print("ok     ", function.__name__, flush=True)
            except Exception as problem:  # noqa: BLE001: every failure is a result
                failed += 1
                print("FAILED ", function.__name__, repr(problem), flush=True)
            client.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
