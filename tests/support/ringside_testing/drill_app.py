"""drill_app: the app of the drills in a process of its own, and what its record says of every request (tests/drills/load)."""
import os
import re

from .drill_load import drill_program
from .ports import free_port
from .process import Process, wait_until
from . import http_client

_CLOSED = re.compile(r"^closed (\w+) port=(\d+) answered=(\d+) unread=(\d+) id=(\d+) at=([\d.]+)$", re.MULTILINE)
_ONE_OR_NONE = bytes(range(2))


class DrillApp:
    """`flags` are drill_app's own, e.g. delay_ms=20, idle_ms=1000, keep_alive=5, close_after=10, cut=True.
    A restarted one goes on in the same record."""

    def __init__(self, name, folder, ids=1 << 20, **flags):
        self.name, self.ids = name, ids
        self.port = free_port()
        self.record = os.path.join(folder, f"record-{name}")
        words = [f"--{flag.replace('_', '-')}" + ("" if value is True else f"={value}") for flag, value in flags.items()]
        self.command = [drill_program("drill_app"), f"--port={self.port}", f"--name={name}", f"--record={self.record}", f"--ids={ids}",
                        *words]
        self.process = Process(f"app-{name}", self.command, os.path.join(folder, f"app-{name}.log"))

    def start(self):
        self.process.start()
        self.wait_listening()
        return self

    def wait_listening(self):
        wait_until(self._answers, 10, lambda: f"app {self.name} listens\n{self.process.log_tail()}")

    def _answers(self):
        try:
            return http_client.request(self.port, path="/healthz", timeout=1).status == 200
        except OSError:
            return False

    def kill(self):
        self.process.kill()

    def stop(self):
        return self.process.stop()

    def seen(self):
        """One byte per id: how often this instance read that request."""
        return self._half(0)

    def answered(self):
        return self._half(1)

    def _half(self, at):
        try:
            with open(self.record, "rb") as record:
                record.seek(at * self.ids)
                return record.read(self.ids)
        except FileNotFoundError:
            return bytes(self.ids)

    def closed(self):
        """The connections that it closed by itself, from its log: (why, answered, unread bytes, id under way, when)."""
        return [(why, int(answered), int(unread), int(under_way), float(at))
                for why, _, answered, unread, under_way, at in _CLOSED.findall(self.process.log_text())]


def together(halves):
    """Byte by byte the sum of what several instances say; none of them has counted to 16."""
    total = sum(int.from_bytes(half, "little") for half in halves)
    return total.to_bytes(max(len(half) for half in halves), "little")


def posts_seen_twice(apps):
    """The ids of POSTs (the odd ones) that reached an app more than once: a caller that sent one has done it twice."""
    posts = together([app.seen() for app in apps])[1::2]
    return [2 * at + 1 for at, times in enumerate(posts) if times > 1] if posts.translate(None, _ONE_OR_NONE) else []
