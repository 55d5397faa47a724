"""What the ring's benches stand on: three voters on loopback with the real binary, and three ZooKeeper 3.8 servers beside them."""
import ctypes
import os
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))

from ringside_testing import http_client  # noqa: E402
from ringside_testing.ports import free_ports  # noqa: E402
from ringside_testing.process import wait_until  # noqa: E402
from ringside_testing.ring import Bench  # noqa: E402

_LIBC = ctypes.CDLL(None)
_JAR = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-nop.jar"


def dies_with_us():
    _LIBC.prctl(1, signal.SIGKILL)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) / 1024


def words(line):
    """{key: value} of the key=value words of a line; numbers as floats."""
    return {key: float(value) if re.fullmatch(r"-?[\d.]+", value) else value for key, value in re.findall(r"(\S+?)=(\S+)", line)}


class Voters(Bench):
    """`size` voters without a service, formed when entered; default timeouts."""

    def __init__(self, size=3):
        super().__init__()
        self.ring_ports = free_ports(size)
        self.voters = [f"{i + 1}@127.0.0.1:{port}" for i, port in enumerate(self.ring_ports)]
        self.sidecars = []

    def __enter__(self):
        for i in range(len(self.voters)):
            self.sidecars.append(self.sidecar(f"voter-{i + 1}", self.settings(i)))
        for sidecar in self.sidecars:
            sidecar.wait_ready()
        self.leader()
        return self

    def settings(self, i):
        address = f"127.0.0.1:{self.ring_ports[i]}"
        return {"ring": {"listen": address, "advertise": address, "voters": self.voters, "session_timeout": "6s"},
                "drain": {"settle": "0s"}}

    def leader(self, timeout=20.0):
        def find():
            for sidecar in self.sidecars:
                state = sidecar.process.running() and sidecar.try_(sidecar.ring)
                if state and state["role"] == "leading" and state["quorum"]:
                    return sidecar
            return None
        return wait_until(find, timeout, "a leader")

    def followers(self):
        leader = self.leader()
        return [sidecar for sidecar in self.sidecars if sidecar is not leader]

    def data(self, sidecar):
        return sidecar.settings["ring"]["data_dir"]

    def load(self, mode, voters=None, listen=None, **values):
        """bench_ring on this ring, started; its lines come by stdout."""
        folder = os.path.join(self.folder, f"load-{time.monotonic_ns()}")
        arguments = {"ring": "test", "voters": ",".join(voters or self.voters), "dir": folder, **values}
        if listen:
            arguments["listen"] = listen
        return subprocess.Popen([load_tool(), mode, *(f"{key}={value}" for key, value in arguments.items())], stdout=subprocess.PIPE,
                                text=True, preexec_fn=dies_with_us)


def load_tool():
    path = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "release", "bench_ring")
    if not os.access(path, os.X_OK):
        raise SystemExit(f"no {path}: cmake --build build/release --target ringside bench_ring")
    return path


def last_line(process):
    """Waits for the end of a load; its last line."""
    out, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"the load ended with {process.returncode}: {out}")
    return out.strip().splitlines()[-1]


class ZooKeeper:
    """Three servers on loopback with Debian's package; `heap` as for -Xmx."""

    def __init__(self, folder, heap="1g"):
        self.folder, self.heap = folder, heap
        ports = free_ports(9)
        self.hosts = [f"127.0.0.1:{port}" for port in ports[:3]]
        members = "".join(f"server.{i}=127.0.0.1:{ports[i + 2]}:{ports[i + 5]}\n" for i in (1, 2, 3))
        for i in (1, 2, 3):
            data = self.data(i - 1)
            os.makedirs(data)
            with open(f"{data}/myid", "w", encoding="ascii") as out:
                out.write(str(i))
            with open(f"{data}/zoo.cfg", "w", encoding="ascii") as out:
                out.write(f"tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir={data}\nclientPort={ports[i - 1]}\n"
                          "clientPortAddress=127.0.0.1\nadmin.enableServer=false\nmaxClientCnxns=0\n"
                          f"4lw.commands.whitelist=*\n{members}")
        self.processes = [None] * 3

    def __enter__(self):
        for at in range(3):
            self.start(at)
        self.wait_leader()
        return self

    def __exit__(self, *_):
        for at in range(3):
            self.kill(at)

    def data(self, at):
        return f"{self.folder}/zookeeper-{at + 1}"

    def start(self, at):
        data = self.data(at)
        with open(f"{data}/gc.log", "wb") as log:
            self.processes[at] = subprocess.Popen(
                ["java", f"-Xmx{self.heap}", "-Xlog:gc", "-cp", _JAR, "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                 f"{data}/zoo.cfg"], cwd=data, stdout=log, stderr=subprocess.DEVNULL, preexec_fn=dies_with_us)

    def kill(self, at):
        if self.processes[at] is not None:
            self.processes[at].kill()
            self.processes[at].wait()
            self.processes[at] = None

    def pids(self):
        return [process.pid for process in self.processes if process is not None]

    def mode(self, at):
        return next((line[6:] for line in self.word(at, b"srvr").splitlines() if line.startswith("Mode: ")), None)

    def word(self, at, word):
        """The answer to a four-letter word; empty while nobody answers."""
        import socket
        host, port = self.hosts[at].rsplit(":", 1)
        try:
            with socket.create_connection((host, int(port)), 1) as s:
                s.settimeout(5)
                s.sendall(word)
                return b"".join(iter(lambda: s.recv(4096), b"")).decode(errors="replace")
        except OSError:
            return ""

    def leader(self):
        return next((at for at in range(3) if self.processes[at] and self.mode(at) == "leader"), None)

    def wait_leader(self, timeout=60.0):
        return wait_until(lambda: self.leader() is not None, timeout, "ZooKeeper elects a leader") and self.leader()

    def heap_after_gc_mib(self, at):
        """The smallest heap that a collection left behind since the start; None: there was none."""
        with open(f"{self.data(at)}/gc.log", encoding="utf-8", errors="replace") as log:
            left = [int(mib) for mib in re.findall(r"\d+M->(\d+)M\(", log.read())]
        return left[-1] if left else None


__all__ = ["HERE", "Voters", "ZooKeeper", "cpu_seconds", "http_client", "last_line", "load_tool", "rss_mib", "wait_until", "words"]
