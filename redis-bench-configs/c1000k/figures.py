"""From what a guest left behind (snapshots of /proc and millrace-load's report) to figures, a table and a verdict."""
import json
import pathlib

# slabinfo's names to what they hold. Caches of one size and kind are merged by the kernel (kmalloc-256 may hold
# files), so a name is where the bytes are, not always what they are.
SLABS_SHOWN = 12
COUNTERS = {"netstat": ("ListenOverflows", "ListenDrops", "TCPTimeouts", "TCPSynRetrans", "PruneCalled",
                        "TCPAbortOnTimeout", "TCPAbortOnMemory"),
            "snmp": ("AttemptFails", "EstabResets", "RetransSegs", "OutRsts")}
LOSSES = ("unanswered", "wrong", "lost", "unasked", "connect_failed", "broken")


def slabs(text):
    """{cache: (objects in use, bytes its slabs take)}; a slab's pages count, not its objects."""
    found = {}
    for line in text.splitlines()[2:]:
        head, _, data = line.partition(": slabdata")
        fields = head.split()
        pages_per_slab, slab_count = int(fields[5]), int(data.split()[1])
        found[fields[0]] = (int(fields[1]), slab_count * pages_per_slab * 4096)
    return found


def meminfo(text):
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in text.splitlines() if ":" in line}


def counters(folder):
    """The kernel's counts of what went wrong, from lines of names followed by lines of numbers."""
    found = {}
    for name, wanted in COUNTERS.items():
        lines = (folder / name).read_text().splitlines()
        for names, numbers in zip(lines[::2], lines[1::2]):
            values = dict(zip(names.split()[1:], numbers.split()[1:]))
            found.update({key: int(values[key]) for key in wanted if key in values})
    return found


def switches(text):
    """How often a process went to sleep, from /proc/PID/status: once per turn of an event loop."""
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("voluntary_ctxt_switches"))


def info_fields(text, prefix=""):
    lines = (line.strip().partition(":") for line in text.splitlines())
    return {name: value for name, mark, value in lines if mark and name.startswith(prefix)}


def kernel_memory(folder, connections):
    """What the kernel's memory grew by, per end of a connection. Both ends are in this kernel."""
    ends = 2 * connections
    before, after = (slabs((folder / step / "slabinfo").read_text()) for step in ("empty", "held"))
    memory_before, memory_after = (meminfo((folder / step / "meminfo").read_text()) for step in ("empty", "held"))
    grown = [{"slab": name, "bytes_per_end": (size - before.get(name, (0, 0))[1]) / ends,
              "objects_per_end": (objects - before.get(name, (0, 0))[0]) / ends}
             for name, (objects, size) in after.items()]
    grown.sort(key=lambda row: -row["bytes_per_end"])
    slab = memory_after["Slab"] - memory_before["Slab"]
    return {"slab_bytes_per_end": slab / ends,
            "page_tables_bytes_per_end": (memory_after["PageTables"] - memory_before["PageTables"]) / ends,
            "slabs": [row for row in grown[:SLABS_SHOWN] if row["bytes_per_end"] >= 1]}


def latency(phase):
    ms = {name.removesuffix("_ns"): value / 1e6 for name, value in phase["latency"].items() if name.endswith("_ns")}
    return {"rate": phase["rate"], "asked": phase["asked"], "answered": phase["answered"], "late": phase["late"],
            **{name: ms[name] for name in ("p50", "p99", "p99.9", "max")},
            "tester_late_p99": phase["tester_lag"]["p99_ns"] / 1e6}


def read(folder, connections, marks):
    """One run's figures. `marks`: what the guest had taken of the host at the end of each phase (uml.Usage)."""
    folder = pathlib.Path(folder)
    report = json.loads((folder / "load.json").read_text())
    phases = report["phases"]
    holds = [phase for phase in phases if phase["scenario"] == "hold"]
    connect, idle = phases[0], holds[1]["server"]
    losses = {name: sum(phase[name] for phase in phases) for name in LOSSES}
    wakes = switches((folder / "hold_ended").read_text()) - switches((folder / "hold_began").read_text())
    info = info_fields((folder / "held/info").read_text())
    figures = {
        "connections": connections,
        "version": info.get("millrace_version") or info.get("redis_version", "?"),
        "held": min(phase["present"] for phase in phases),
        "user_bytes_per_connection": holds[1]["server"]["bytes_per_connection"],
        "user_bytes_per_connection_at_once": connect["server"]["bytes_per_connection"],
        "user_bytes_per_connection_at_end": phases[-1]["server"]["bytes_per_connection"],
        "server_resident_mib": holds[1]["server"]["resident_bytes"] / 2**20,
        "idle_cpu_percent_by_ticks": 100 * idle["cpu_ns"] / idle["time_ns"],
        "idle_wakes_per_second": wakes / (idle["time_ns"] / 1e9),
        "connect_seconds": connect["wall_ns"] / 1e9,
        "connect_max_ms": connect["connect"]["max_ns"] / 1e6,
        "sweep": latency(next(phase for phase in phases if phase["scenario"] == "sweep")),
        "random": [latency(phase) for phase in phases if phase["scenario"] == "random"],
        "losses": losses,
        "first_wrong": next((phase["first_wrong"] for phase in phases if phase["first_wrong"]), ""),
        "counters": counters(folder),
        "info_clients": info_clients(folder),
        "loop_busy_percent": loop_busy(info),
        "longest_ticks": longest_ticks((folder / "ticks").read_text(errors="replace")),
        **kernel_memory(folder, connections),
    }
    # The guest counts processor time in ticks of 10 ms: what runs 0.1 ms at a time is seen always or never, depending
    # on where in a tick it happens to wake. The host counts in nanoseconds, but the guest as a whole: an upper bound.
    began, ended = marks["@phase 2"], marks["@phase 3"]
    figures["idle_cpu_percent"] = 100 * (ended.ran - began.ran) / (ended.moment - began.moment)
    began, ended = marks["@phase 4"], marks["@phase 5"]
    figures["sweep"]["waited_percent"] = 100 * (ended.waited - began.waited) / (ended.moment - began.moment)
    figures["total_bytes_per_server_side_connection"] = (
        figures["user_bytes_per_connection"] + figures["slab_bytes_per_end"])
    return figures


def loop_busy(info):
    """The share of time in which the main loop did anything, by the server's own clock, where it keeps account (INFO
    loops): of the last 1.6 s of the hold. A busy host's turns are in it."""
    fields = dict(pair.partition("=")[::2] for pair in info.get("loop_main", "").split(","))
    return float(fields["busy_perc"]) if "busy_perc" in fields else None


def longest_ticks(text):
    """LATENCY TICKS, one line a tick; nothing where the server does not know the command."""
    reply = decode(iter(text.splitlines()))
    return [one_line(tick) for tick in reply] if isinstance(reply, list) else []


def decode(lines):
    """RESP2, as far as this reply goes: arrays, bulks without line ends, and the rest as text."""
    line = next(lines, "")
    if line[:1] == "*":
        return [decode(lines) for _ in range(int(line[1:]))]
    if line[:1] == "$":
        return next(lines) if line != "$-1" else "-"
    return line[1:]


def one_line(value):
    if not isinstance(value, list):
        return value
    pairs = zip(value[::2], value[1::2])
    return " ".join(f"{name}=" + (f"({one_line(v)})" if isinstance(v, list) else v) for name, v in pairs)


def info_clients(folder):
    """The server's own account of its clients, where it keeps one."""
    section, inside = {}, False
    for line in (folder / "held/info").read_text().splitlines():
        if line.startswith("#"):
            inside = line.strip() == "# Clients"
        elif inside and ":" in line:
            name, _, value = line.strip().partition(":")
            section[name] = value
    return section


def failures(figures, limits):
    """What is not as it must be, one sentence each."""
    found = []
    if figures["held"] != figures["connections"]:
        found.append(f"{figures['held']} of {figures['connections']} connections held")
    found += [f"{count} {name}" for name, count in figures["losses"].items() if count]
    checks = (("bytes", figures["user_bytes_per_connection"], "bytes of user memory per connection"),
              ("idle_cpu", figures["idle_cpu_percent"], "% CPU while idle"),
              ("wakes", figures["idle_wakes_per_second"], "wakes a second while idle"),
              ("late_sweep", figures["sweep"]["late"], "late in the sweep"),
              ("late_random", sum(round_["late"] for round_ in figures["random"]), "late in the random rounds"))
    for name, value, what in checks:
        if limits.get(name) is not None and value > limits[name]:
            found.append(f"{value:.4g} {what}, {limits[name]:g} allowed")
    return found


def ms(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def per_round(figures, name, show=ms):
    return ", ".join(show(round_[name]) for round_ in figures["random"])


ROWS = (
    ("connections held", lambda f: f"{f['held']:,}"),
    ("user memory per connection, idle", lambda f: f"{f['user_bytes_per_connection']:.0f} B"),
    ("… just connected / at the end", lambda f: f"{f['user_bytes_per_connection_at_once']:.0f} / "
                                                f"{f['user_bytes_per_connection_at_end']:.0f} B"),
    ("kernel memory per end (slab)", lambda f: f"{f['slab_bytes_per_end']:.0f} B"),
    ("user + kernel per server-side connection", lambda f: f"{f['total_bytes_per_server_side_connection']:.0f} B"),
    ("server resident", lambda f: f"{f['server_resident_mib']:.0f} MiB"),
    ("CPU while idle, whole guest, by the host", lambda f: f"{f['idle_cpu_percent']:.2f} %"),
    ("… server, by the guest's ticks", lambda f: f"{f['idle_cpu_percent_by_ticks']:.2f} %"),
    ("… server's loop, by its own account", lambda f: "–" if f["loop_busy_percent"] is None
     else f"{f['loop_busy_percent']:.2f} %"),
    ("… server wakes per second", lambda f: f"{f['idle_wakes_per_second']:.1f}"),
    ("connecting took", lambda f: f"{f['connect_seconds']:.0f} s, the slowest {f['connect_max_ms']:.0f} ms"),
    ("sweep: answered of asked", lambda f: f"{f['sweep']['answered']:,} of {f['sweep']['asked']:,}"),
    ("sweep: p50 / p99 / p99.9 / max ms", lambda f: " / ".join(
        ms(f['sweep'][p]) for p in ("p50", "p99", "p99.9", "max"))),
    ("sweep: later than 200 ms", lambda f: f"{f['sweep']['late']:,}"),
    ("random rounds: p99.9 ms", lambda f: per_round(f, "p99.9")),
    ("random rounds: max ms", lambda f: per_round(f, "max")),
    ("random rounds: later than 200 ms", lambda f: per_round(f, "late", "{:,}".format)),
    ("tester itself late, p99 ms (sweep)", lambda f: ms(f["sweep"]["tester_late_p99"])),
    ("host's processor taken by others (sweep)", lambda f: f"{f['sweep']['waited_percent']:.1f} %"),
    ("unanswered, wrong, lost, failed, broken", lambda f: ", ".join(str(f["losses"][name]) for name in (
        "unanswered", "wrong", "lost", "connect_failed", "broken"))),
    ("resets (EstabResets), ListenOverflows, SYN again", lambda f: ", ".join(
        str(f["counters"].get(name, "?")) for name in ("EstabResets", "ListenOverflows", "TCPSynRetrans"))),
    ("host's load average at the end", lambda f: f"{f['load_average']:.1f}"),
    ("the run took", lambda f: f"{f['seconds']:.0f} s"),
)


def table(columns):
    """Markdown; `columns`: [(title, figures)]."""
    cells = [["", *(title for title, _ in columns)]]
    cells += [[name, *(render(figures) for _, figures in columns)] for name, render in ROWS]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def slab_table(figures):
    lines = ["| slab | objects per end | bytes per end |", "|---|---|---|"]
    lines += [f"| {row['slab']} | {row['objects_per_end']:.2f} | {row['bytes_per_end']:.0f} |"
              for row in figures["slabs"]]
    return "\n".join(lines + [f"| all | | {figures['slab_bytes_per_end']:.0f} |"])
