"""Instances that come and go: each is absent, starting, up, or on its way out in one of three ways. Polled, nothing blocks."""
import time

from ringside_testing.drill_rules import Incident, addresses

_STARTS_SECONDS = 30
_ENDS_SECONDS = 45
WAYS = ("drained", "killed", "app-first")


class Guest:
    """One instance: a drill_app and an observing sidecar. `say` gets the incidents that may cost POSTs."""

    def __init__(self, ring, app, sidecar, say):
        self.ring, self.app, self.sidecar, self.say = ring, app, sidecar, say
        self.name = app.name
        self.state = "up"
        self.since = time.monotonic()
        self._began = 0.0
        self._closed = 0

    def _enter(self, state):
        self.state, self.since = state, time.monotonic()

    def begin(self):
        self.app.process.start()
        self.sidecar.start()
        self._enter("starting")

    def leave(self, way):
        self._began = time.monotonic()
        if way == "killed":
            self.app.kill()
            self.sidecar.kill()
            self._incident("killed", 1 << 30, cuts_answers=True)
            self._enter("gone")
        elif way == "drained":
            self.sidecar.process.terminate()
            self._enter("draining")
        else:
            self._closed = len(self.app.closed())
            self.app.process.terminate()
            self._enter("app stopping first")

    def _incident(self, what, most, cuts_answers=False):
        self.say(Incident(f"{self.name} {what}", addresses(self.app, self.sidecar), self._began, time.monotonic(), most, cuts_answers))

    def poll(self):
        """Goes on to the next state where the time has come; a process that does not end or answer in time is an error."""
        if self.state == "starting":
            if self.name in self.ring.up_names():
                self._enter("up")
        elif self.state == "draining" and not self.sidecar.process.running():
            self.app.process.terminate()
            self._enter("app stopping")
        elif self.state == "app stopping" and not self.app.process.running():
            self._enter("absent")
        elif self.state == "app stopping first" and not self.app.process.running():
            self._incident("stopped before its sidecar", len(self.app.closed()) - self._closed)
            self.sidecar.process.terminate()
            self._enter("sidecar stopping")
        elif self.state == "sidecar stopping" and not self.sidecar.process.running():
            self._enter("absent")
        elif self.state == "gone" and self.name not in self.ring.up_names():
            self._enter("absent")
        limit = {"up": None, "absent": None, "starting": _STARTS_SECONDS}.get(self.state, _ENDS_SECONDS)
        if limit is not None and time.monotonic() - self.since > limit:
            raise AssertionError(f"{self.name} is {self.state} for {limit} s\n{self.sidecar.process.log_tail()}")
        code = self.sidecar.process.exit_code
        if self.state != "gone" and code not in (None, 0) and code != -9:
            raise AssertionError(f"the sidecar of {self.name} ended with {code}\n{self.sidecar.process.log_tail()}")
