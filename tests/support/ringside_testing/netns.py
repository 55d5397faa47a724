"""Network namespaces: hosts of their own, joined by veth pairs to a bridge that stands in a namespace too.

Nothing of the machine's own network is touched and nothing outlives the test: a namespace lives as long as this process has
its descriptor open. Plain unshare and setns, no `ip netns`, so that it also works in a chroot without /var/run/netns.
Needs root (see as_root), iproute2 and nftables.
"""
import contextlib
import ctypes
import os
import subprocess
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS = 0x00020000
_CLONE_NEWNET = 0x40000000
_SUPPORT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _checked(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def as_root(path, pattern):
    """None for root; for a user who may sudo without a password the exit code of the tests of `path` like `pattern`, run as root."""
    if os.geteuid() == 0:
        return None
    kept = [f"{name}={value}" for name, value in os.environ.items() if name.startswith("RINGSIDE_")]
    command = ["sudo", "-n", "env", f"PYTHONPATH={_SUPPORT}", "PYTHONDONTWRITEBYTECODE=1", *kept, sys.executable, "-m",
               "ringside_testing.run_file", path, pattern]
    try:
        allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, text=True, check=False)
        why = allowed.stderr.strip() if allowed.returncode != 0 else ""
    except FileNotFoundError:
        why = "no sudo"
    if why:
        raise AssertionError(f"network namespaces need root, or a user who may sudo without a password: {why}")
    return subprocess.run(command, check=False).returncode


def own_mounts():
    """From here on what this process mounts is gone with it. Before any thread is started."""
    _checked(_LIBC.unshare(_CLONE_NEWNS), "a mount namespace (needs root and CAP_SYS_ADMIN)")
    # In a chroot / is no mount point; then who mounts must also unmount.
    subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=False)


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(map(str, command))}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class Namespace:
    """One network namespace, with its loopback up."""

    def __init__(self):
        def leave():
            if _LIBC.unshare(_CLONE_NEWNET) != 0:
                os._exit(9)
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, preexec_fn=leave) as child:
            try:
                self.fd = os.open(f"/proc/{child.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
                if os.fstat(self.fd).st_ino == os.stat("/proc/self/ns/net").st_ino:
                    raise OSError("no network namespace could be made: it needs root and CAP_SYS_ADMIN")
            finally:
                child.stdin.close()
        self.ip("link", "set", "lo", "up")

    @property
    def path(self):
        """Names it to `ip link … netns`."""
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    def enter(self):
        """Moves the calling thread here: its sockets and children are of this namespace."""
        _checked(_LIBC.setns(self.fd, _CLONE_NEWNET), "setns")

    @contextlib.contextmanager
    def entered(self):
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.enter()
        try:
            yield self
        finally:
            _checked(_LIBC.setns(before, _CLONE_NEWNET), "setns back")
            os.close(before)

    def run(self, *command):
        with self.entered():
            return run(*command)

    def ip(self, *arguments):
        return self.run("ip", *arguments)

    def close(self):
        os.close(self.fd)


class Network:
    """Hosts 10.77.0.1, .2 … on one bridge. Cuts and downed links are the bridge's; a host notices nothing but silence."""

    def __init__(self, count):
        self.hosts = []
        self.hub = Namespace()
        self.hub.ip("link", "add", "hub", "type", "bridge")
        self.hub.ip("link", "set", "hub", "up")
        self.hub.run("nft", "add table bridge drill; add chain bridge drill cuts { type filter hook forward priority 0; }")
        for at in range(count):
            self._add(at)

    def _add(self, at):
        host = Namespace()
        self.hosts.append(host)
        port = self.port(at)
        self.hub.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", host.path)
        self.hub.ip("link", "set", port, "master", "hub")
        self.hub.ip("link", "set", port, "up")
        host.ip("address", "add", f"{self.address(at)}/24", "dev", "eth0")
        host.ip("link", "set", "eth0", "up")

    @staticmethod
    def port(at):
        return f"port{at + 1}"

    @staticmethod
    def address(at):
        return f"10.77.0.{at + 1}"

    def cut(self, source, target):
        """What host `source` sends to `target` is dropped; the other way stays open."""
        self.hub.run("nft", f"add rule bridge drill cuts iifname {self.port(source)} oifname {self.port(target)} drop")

    def cut_port(self, at, port):
        """What host `at` says to that TCP port of the others, and what they answer from there, is dropped; all else passes."""
        self.hub.run("nft", f"add rule bridge drill cuts iifname {self.port(at)} tcp dport {port} drop")
        self.hub.run("nft", f"add rule bridge drill cuts oifname {self.port(at)} tcp sport {port} drop")

    def link(self, at, up):
        self.hub.ip("link", "set", self.port(at), "up" if up else "down")

    def heal(self):
        self.hub.run("nft", "flush chain bridge drill cuts")
        for at in range(len(self.hosts)):
            self.link(at, True)

    def close(self):
        for namespace in [*self.hosts, self.hub]:
            namespace.close()
        self.hosts = []
