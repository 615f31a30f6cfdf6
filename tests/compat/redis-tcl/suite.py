"""Redis' own test suite: fetched from Debian's source package, kept under build/, never committed.

`tree(side, mode, program)` makes a folder in which the suite finds what it looks for: its tests/, and src/redis-server,
which is whatever server is to be tested.
"""
import os
import pathlib
import shutil
import stat
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[3]
WORK = TOP / "build/redis-tcl"
SOURCES = """\
deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main
deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security bookworm-security main
"""
# Directives of the suite's default.conf that concern what this version has not got, and therefore refuses.
# ... and one that only chooses how a panic ends a process.
REFUSED = ("enable-module-command", "use-exit-on-panic")
# Tests that wait for what Redis 7.2 does not send any more, and whose end takes the connections of those behind them
# with it. They are not run, and count as failed.
OLDER = {"unit/tracking": ["Tracking only occurs for scripts when a command calls a read-only command"]}
# The suite waits for two lines of Redis' log: its banner's, and "Ready to accept", which ours has too. Where a
# configuration is refused neither comes; the first is written then, so that the test fails at once, not in two minutes.
LAUNCHER = """\
#!/bin/sh
[ -f "$1" ] && sed -i -E '/^({refused}) /d' "$1"
( (sleep 1; grep -q "FATAL CONFIG" /dev/fd/2 && echo " PID: $$") & )
exec {program} "$@"
"""


def fetch():
    """The folder of Redis' sources, fetched if it is not there."""
    found = sorted(WORK.glob("source/redis-*/tests"))
    if found:
        return found[-1].parent
    folder = WORK / "source"
    for part in (folder, WORK / "apt/lists/partial", WORK / "apt/cache/archives/partial"):
        part.mkdir(parents=True, exist_ok=True)
    (WORK / "sources.list").write_text(SOURCES)
    options = [f"-oDir::Etc::sourcelist={WORK}/sources.list", "-oDir::Etc::sourceparts=/nonexistent",
               f"-oDir::State::lists={WORK}/apt/lists", f"-oDir::Cache={WORK}/apt/cache"]
    subprocess.run(["apt-get", *options, "-qq", "update"], check=True)
    subprocess.run(["apt-get", *options, "-qq", "--only-source", "source", "redis"], cwd=folder, check=True)
    return fetch()


def tree(side, mode, program):
    """A folder with tests/ and src/redis-server. For ours the program is wrapped, see LAUNCHER."""
    folder = WORK / "trees" / f"{side}-{mode}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "src").mkdir(parents=True)
    shutil.copytree(fetch() / "tests", folder / "tests", ignore=shutil.ignore_patterns("modules"))
    server = folder / "src/redis-server"
    if side == "redis":
        server.symlink_to(program)
    else:
        server.write_text(LAUNCHER.format(refused="|".join(REFUSED), program=program))
        server.chmod(server.stat().st_mode | stat.S_IXUSR)
    for tool in ("redis-cli", "redis-benchmark", "redis-check-aof", "redis-check-rdb"):
        (folder / "src" / tool).symlink_to(f"/usr/bin/{tool}")
    return folder


def units(folder):
    """The files of the suite, in its order."""
    text = (folder / "tests/test_helper.tcl").read_text()
    body = text[text.index("set ::all_tests {"):]
    return body[len("set ::all_tests {"):body.index("}")].split()


def settings(folder):
    """default.conf as command line arguments, for a server that the runner starts."""
    words = ["--save", ""]
    for line in (folder / "tests/assets/default.conf").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name and not name.startswith("#") and name not in REFUSED + ("port", "dir", "pidfile", "bind", "logfile", "save"):
            words += [f"--{name}", value]
    return words
