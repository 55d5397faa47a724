"""A ring whose members stand in network namespaces of their own, on disks of their own, and everything that can be done to it.

Members are numbered from 0; the voters come first, the last one only observes. Each has a small tmpfs as its data_dir, so
that a disk can be filled. `heal` takes every fault back, whatever it was.
"""
import contextlib
import os
import signal
import time

from . import netns
from .process import wait_until
from .ring import Bench

# Room for the log's segments, the one prepared ahead, and snapshots.
_DISK_MIB = 256
_FILLER = "filler"


class Member:
    def __init__(self, at, host, sidecar, disk):
        self.at, self.host, self.sidecar, self.disk = at, host, sidecar, disk
        self.name = sidecar.name
        self.frozen = False

    def __repr__(self):
        return self.name

    @property
    def running(self):
        return self.sidecar.process.running()

    def start(self):
        with self.host.entered():
            self.sidecar.start()

    def kill(self):
        self.sidecar.kill()

    def freeze(self):
        self.sidecar.process.signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self):
        if self.frozen and self.running:
            self.sidecar.process.signal(signal.SIGCONT)
        self.frozen = False

    def state(self):
        """/v1/ring, or None while nobody answers."""
        with self.host.entered():
            return self.sidecar.try_(lambda: self.sidecar.get("/v1/ring", timeout=1).json())

    def files(self, *prefixes):
        return [os.path.join(self.disk, name) for name in sorted(os.listdir(self.disk)) if name.startswith(prefixes)]

    def fill_disk(self):
        """Not a byte is left."""
        with open(os.path.join(self.disk, _FILLER), "wb", buffering=0) as filler, contextlib.suppress(OSError):
            for size in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(b"f" * size)

    def free_disk(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.disk, _FILLER))

    def wipe_disk(self):
        for path in self.files(""):
            os.unlink(path)


class IsolatedRing(Bench):
    def __init__(self, voters):
        super().__init__()
        self.voter_count = voters
        self.members = []
        self.network = None

    def __enter__(self):
        try:
            netns.own_mounts()
            self.network = netns.Network(self.voter_count + 1)
            listed = [f"{at + 1}@{self.network.address(at)}:4150" for at in range(self.voter_count)]
            for at, host in enumerate(self.network.hosts):
                self.members.append(self._member(at, host, listed))
            for member in self.members:
                member.start()
            self.wait_whole(20)
        except BaseException:
            self.__exit__(BaseException)
            raise
        return self

    def _member(self, at, host, listed):
        name = f"voter-{at + 1}" if at < self.voter_count else "observer"
        disk = os.path.join(self.folder, f"{name}.data")
        os.makedirs(disk)
        netns.run("mount", "-t", "tmpfs", "-o", f"size={_DISK_MIB}m,mode=0700", "drill", disk)
        address = f"{self.network.address(at)}:4150"
        settings = {
            "ring": {"listen": address, "advertise": address, "voters": listed, "insecure": True, "data_dir": disk},
            "proxy": {"outbound": "127.0.0.1:4140", "inbound": f"{self.network.address(at)}:4143"},
            "admin": {"listen": "127.0.0.1:4191"}, "drain": {"settle": "0s"}}
        return Member(at, host, self.sidecar(name, settings, started=False), disk)

    def __exit__(self, kind, *rest):
        super().__exit__(kind, *rest)
        for member in self.members:
            # Where the mount namespace is ours alone it would go by itself.
            with contextlib.suppress(OSError):
                netns.run("umount", "-l", member.disk)
        if self.network:
            self.network.close()

    @property
    def voters(self):
        return self.members[:self.voter_count]

    def leader(self):
        """Who leads with a quorum by its own word; None: nobody."""
        for member in self.voters:
            state = None if member.frozen else member.state()
            if state and state["role"] == "leading" and state["quorum"]:
                return member
        return None

    def heal(self):
        self.network.heal()
        for member in self.members:
            member.thaw()
            member.free_disk()
            if not member.running:
                member.start()

    def whole(self):
        """Every voter leads or follows, the observer observes, all under one leader."""
        states = [member.state() for member in self.members]
        return (all(states) and len({state["leader"] for state in states}) == 1 and states[0]["leader"] is not None
                and all(state["quorum"] for state in states)
                and sorted(state["role"] for state in states) == sorted(["leading", *["following"] * (self.voter_count - 1), "observing"]))

    def wait_whole(self, timeout):
        """Gives the seconds that it took."""
        began = time.monotonic()
        wait_until(self.whole, timeout, lambda: "the ring is whole: " + "; ".join(f"{m}: {m.state()}" for m in self.members), 0.05)
        return time.monotonic() - began
