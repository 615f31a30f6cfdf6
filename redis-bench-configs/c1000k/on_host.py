"""What `host` and `crowd` share: a server of this machine, looked at from outside, and runs of millrace-load on it."""
import glob
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(TOP / "tests/lib"))
from servers import Servers  # noqa: E402,F401

LOAD = os.environ.get("LOAD", str(TOP / "build/release/src/load/millrace-load"))
# Loopback only, so protected mode may go: it would take 127.0.1.1, where the tester calls from, for a stranger.
SERVER_FLAGS = ("--protected-mode", "no", "--tcp-backlog", "65535", "--tcp-keepalive", "0")


def raise_descriptors(wanted):
    """As far as it goes; children inherit it. Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
        except (ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def may_have_descriptors(wanted):
    """Whether a process of this user may open so many, tried in one that ends at once."""
    child = os.fork()
    if child == 0:
        try:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
            os._exit(0)
        except (ValueError, OSError):
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def cpu_ns(pid):
    """Of all its threads, from the scheduler's account, which does not count in ticks."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            total += int(open(path).read().split()[0])
        except OSError:
            pass  # a thread that has ended
    return total


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def pin(pid, cpu):
    subprocess.run(["taskset", "-acp", str(cpu), str(pid)], stdout=subprocess.DEVNULL, check=True)


class LoadFailed(Exception):
    """millrace-load came to no report."""


def run_load(server, *arguments, cpu=None, seconds=600, on_line=lambda line: None):
    """One run of millrace-load; its report. `on_line` gets each line of its text as it comes."""
    with tempfile.TemporaryDirectory(prefix="c1000k-") as folder:
        report = os.path.join(folder, "report.json")
        command = [LOAD, "--port", str(server.port), "--server-pid", str(server.process.pid), "--json", report, *arguments]
        if cpu is not None:
            command = ["taskset", "-c", str(cpu), *command]
        process = subprocess.Popen(["timeout", str(seconds), *command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            lines = []
            for line in process.stdout:
                lines.append(line.rstrip())
                on_line(lines[-1])
            process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            process.stdout.close()
        if not os.path.exists(report):
            raise LoadFailed(f"{' '.join(command)}\n" + "\n".join(lines[-10:]))
        return json.load(open(report))


class IdleWatch:
    """For on_line: the processor time the server takes between the end of the first `hold` and that of the second."""

    def __init__(self, pid):
        self.pid, self.looks = pid, []

    def __call__(self, line):
        if line.startswith("hold"):
            self.looks.append((time.monotonic(), cpu_ns(self.pid)))

    def percent(self):
        (began, before), (ended, after) = self.looks[:2]
        return (after - before) / 1e7 / (ended - began)


def losses(report):
    names = ("unanswered", "wrong", "lost", "unasked", "connect_failed", "broken")
    return {name: sum(phase[name] for phase in report["phases"]) for name in names}


def phases(report, scenario):
    return [phase for phase in report["phases"] if phase["scenario"] == scenario]
