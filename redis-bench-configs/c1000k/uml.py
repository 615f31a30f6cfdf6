"""User-mode Linux: a kernel as a process, for tests that need a kernel of their own.

    kernel = uml.fetch(cache)
    with uml.Root(kernel) as root:
        root.add_program("server", "/usr/bin/redis-server")
        for line in uml.boot(kernel, root, memory_bytes=2**30, cpu=1, seconds=300): ...

The guest's root is a folder of the host, mounted by hostfs, so that results need no copying out. The kernel and its
shell come from Debian's packages; they are unpacked, not installed, into `cache`.
"""
import contextlib
import dataclasses
import os
import pathlib
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time

PACKAGES = {"user-mode-linux": "usr/bin/linux.uml", "busybox-static": "bin/busybox"}
NICE = -10
HERE = pathlib.Path(__file__).resolve().parent


class CannotRun(Exception):
    """This machine cannot do it; the text says why. Not a finding about a server."""


@dataclasses.dataclass(frozen=True)
class Kernel:
    program: pathlib.Path
    busybox: pathlib.Path


def fetch(cache):
    """Debian's kernel and busybox: the installed ones, else those in `cache`, else from the package mirror."""
    cache.mkdir(parents=True, exist_ok=True)
    paths = []
    for package, inside in PACKAGES.items():
        installed, unpacked = pathlib.Path("/") / inside, cache / "unpacked" / inside
        if package == "user-mode-linux" and installed.exists():
            paths.append(installed)
            continue
        if not unpacked.exists():
            download(package, cache)
        paths.append(unpacked)
    return Kernel(*paths)


def download(package, cache):
    with tempfile.TemporaryDirectory() as folder:
        command = ["apt-get", "download", "-q", package]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        if done.returncode != 0 and os.geteuid() == 0:
            subprocess.run(["apt-get", "update", "-qq"], capture_output=True, timeout=300)
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        files = list(pathlib.Path(folder).glob("*.deb"))
        if done.returncode != 0 or not files:
            raise CannotRun(f"apt-get download {package} failed: {done.stderr.strip()[-300:]}")
        subprocess.run(["dpkg", "-x", str(files[0]), str(cache / "unpacked")], check=True, timeout=300)


class Root:
    """The guest's root folder. Gone when the `with` is left."""

    def __init__(self, kernel):
        self.kernel = kernel

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"c1000k-{os.getpid()}-root-"))
        for folder in "bin dev lab lib lib64 proc results sys tmp".split():
            (self.path / folder).mkdir()
        shutil.copy(self.kernel.busybox, self.path / "bin/busybox")
        shutil.copy(HERE / "init.sh", self.path / "init")
        (self.path / "init").chmod(0o755)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def results(self):
        return self.path / "results"

    def add_program(self, name, source):
        """Copies a program and the shared libraries it needs."""
        shutil.copy(os.path.realpath(source), self.path / "bin" / name)
        text = subprocess.run(["ldd", source], capture_output=True, text=True, timeout=30).stdout
        for library in re.findall(r"=> (/\S+)", text):
            shutil.copy(os.path.realpath(library), self.path / "lib" / os.path.basename(library))
        for loader in re.findall(r"^\s*(/lib64/\S+)", text, re.MULTILINE):
            shutil.copy(os.path.realpath(loader), self.path / "lib64" / os.path.basename(loader))

    def write(self, name, text):
        (self.path / "lab" / name).write_text(text)


@contextlib.contextmanager
def memory_folder(size):
    """Where the guest's memory lies: a sparse file in a file system with room, of which pages may be executed.
    Memory itself by preference. Docker's /dev/shm is neither large nor executable."""
    for candidate in ("/dev/shm", tempfile.gettempdir(), "/var/tmp"):
        with contextlib.suppress(OSError):
            stat = os.statvfs(candidate)
            if stat.f_flag & os.ST_NOEXEC or stat.f_bavail * stat.f_frsize < size:
                continue
            folder = tempfile.mkdtemp(prefix=f"c1000k-{os.getpid()}-", dir=candidate)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return
    raise CannotRun(f"no file system with {size >> 20} MiB free and without noexec for the guest's memory "
                    f"(tried /dev/shm, {tempfile.gettempdir()}, /var/tmp)")


@contextlib.contextmanager
def many_mappings(wanted):
    """The kernel maps each page of a guest's process on its own, and the host allows a process 65,530 mappings: 256 MB.
    Put back afterwards. Where it cannot be raised, small guests still run."""
    path = pathlib.Path("/proc/sys/vm/max_map_count")
    before = int(path.read_text())
    if before >= wanted:
        yield True
        return
    try:
        path.write_text(str(wanted))
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        with contextlib.suppress(OSError):
            path.write_text(str(before))


@dataclasses.dataclass(frozen=True)
class Usage:
    """Seconds: the moment, and what the guest had taken of the host by then."""
    moment: float
    ran: float
    waited: float


class Guest:
    """A running guest: its console line by line, the time it may take, the processor it takes of the host."""

    def __init__(self, kernel, root, memory_bytes, folder, cpu, seconds):
        self.deadline = time.monotonic() + seconds
        self.text = []
        # One processor: the kernel is one process, and each of its hand-overs to a process of the guest would cross
        # to another core; measured three times slower unpinned.
        command = ["taskset", "-c", str(cpu), str(kernel.program), f"mem={memory_bytes >> 20}M", "root=none",
                   "rootfstype=hostfs", f"rootflags={root.path}", "rw", "init=/init", "quiet", "selinux=0",
                   "con=null", "con0=null,fd:1", "thash_entries=2097152"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True,
                                        env={**os.environ, "TMPDIR": folder, "HOME": folder})
        self.prefer()

    def prefer(self):
        """Before its neighbours, where that is allowed: on a machine that others use, their turns would be latencies in
        here. Linux weighs sessions first (autogroup) and processes within them."""
        pid = self.process.pid
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, NICE)
        with contextlib.suppress(OSError):
            pathlib.Path(f"/proc/{pid}/autogroup").write_text(str(NICE))

    def lines(self):
        """Until the guest is down. TimeoutError when its time is up."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            rest = b""
            while True:
                left = self.deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise TimeoutError
                chunk = os.read(self.process.stdout.fileno(), 65536)
                if not chunk:
                    return
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    text = line.decode(errors="replace").rstrip("\r")
                    self.text.append(text)
                    yield text

    def usage(self):
        """Of the host, all processes of the guest (its kernel, and those that hold its processes' memory): processor
        time so far, and time in which one of them was ready and the processor was somebody else's."""
        ran = waited = 0
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, IndexError):
                session = path.read_text().rpartition(")")[2].split()[3]
                if int(session) == self.process.pid:  # which leads it
                    numbers = path.with_name("schedstat").read_text().split()
                    ran, waited = ran + int(numbers[0]), waited + int(numbers[1])
        return Usage(time.monotonic(), ran / 1e9, waited / 1e9)

    def end(self):
        """Nothing of it is left behind, whatever it was doing."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def boot(kernel, root, memory_bytes, cpu, seconds):
    with memory_folder(memory_bytes) as folder:
        guest = Guest(kernel, root, memory_bytes, folder, cpu, seconds)
        try:
            yield guest
        finally:
            guest.end()


def why_not(console):
    """A sentence for a guest that never came up; `console` is what it printed."""
    text = "\n".join(console)
    if "ptrace" in text and ("fail" in text.lower() or "not permitted" in text):
        return "user-mode Linux needs ptrace(2), which this machine or container forbids (docker: --cap-add SYS_PTRACE)"
    return "the guest's kernel did not start here; it said:\n" + text[-1500:]
