"""drill_load: an open loop of mixed GET and POST in a process of its own, in which every answer is counted (tests/drills/load)."""
import collections
import ctypes
import json
import os
import signal
import subprocess
import threading

from .sidecar import binary

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_END_SECONDS = 30  # for what is under way at the end; drill_load itself gives up on a request after 10


def drill_program(name):
    """A program of tests/drills/load, built beside the binary under test."""
    path = os.path.join(os.path.dirname(binary()), name)
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"no {name} at {path}: build it first (cmake --build --preset release --target {name})")
    return path


class Counts:
    """What came of the requests of some time; `failures` are dicts as load_results.cc writes them, times in monotonic seconds."""

    def __init__(self):
        self.requests = self.late = self.connections = 0
        self.outcomes = {"GET": collections.Counter(), "POST": collections.Counter()}
        self.instances = collections.Counter()  # of good answers
        self.failures = []
        self.p50_ms = self.p99_ms = self.max_ms = 0.0

    @classmethod
    def read(cls, line):
        one, fields = cls(), json.loads(line)
        one.requests, one.late, one.connections = fields["requests"], fields["late"], fields["connections"]
        for method, counted in (fields["outcomes"] or {}).items():
            one.outcomes[method].update(counted)
        one.instances.update(fields["instances"] or {})
        one.failures = fields["failures"]
        one.p50_ms, one.p99_ms, one.max_ms = fields["p50_ms"], fields["p99_ms"], fields["max_ms"]
        return one

    def add(self, later):
        """Percentiles are those of the worse part."""
        self.requests += later.requests
        self.late += later.late
        self.connections += later.connections
        for method, counted in later.outcomes.items():
            self.outcomes[method].update(counted)
        self.instances.update(later.instances)
        self.failures += later.failures
        self.p50_ms, self.p99_ms, self.max_ms = (max(pair) for pair in (
            (self.p50_ms, later.p50_ms), (self.p99_ms, later.p99_ms), (self.max_ms, later.max_ms)))

    def failed(self, method):
        return sum(count for what, count in self.outcomes[method].items() if what != "ok")

    def ok(self, method):
        return self.outcomes[method]["ok"]

    def summary(self):
        parts = [f"{method} {counted['ok']} ok, {self.failed(method)} failed" +
                 "".join(f", {count} {what}" for what, count in sorted(counted.items()) if what != "ok")
                 for method, counted in self.outcomes.items()]
        return (f"{self.requests} requests ({'; '.join(parts)}), p50 {self.p50_ms:.1f} p99 {self.p99_ms:.1f} max {self.max_ms:.0f} ms, "
                f"{self.connections} connections, {self.late} late; {dict(sorted(self.instances.items()))}")


class DrillLoad:
    """Runs while entered. `ids` of loads that call the same apps must not overlap: give each its own first_id (odd ids are POSTs)."""

    def __init__(self, port, service="orders", rate=1000, connections=64, first_id=1):
        self.command = [drill_program("drill_load"), f"--port={port}", f"--host={service}", f"--rate={rate}",
                        f"--connections={connections}", f"--first-id={first_id}"]
        self.total = Counts()
        self._child = None
        self._lock = threading.Lock()

    def __enter__(self):
        self._child = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
                                       preexec_fn=lambda: _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL))
        return self

    def __exit__(self, *_):
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def report(self):
        """What came since the last report."""
        return self._ask("report")

    def finish(self):
        """Sends no more, waits for what is under way; gives what came since the last report."""
        rest = self._ask("stop")
        self._child.wait(_END_SECONDS)
        return rest

    def stop(self):
        """The same; gives all that came since the start."""
        self.finish()
        return self.total

    def _ask(self, word):
        with self._lock:
            self._child.stdin.write(f"{word}\n")
            self._child.stdin.flush()
            line = self._child.stdout.readline()
            if not line:
                raise RuntimeError(f"drill_load ended with {self._child.wait()}")
            counts = Counts.read(line)
            self.total.add(counts)
            return counts
