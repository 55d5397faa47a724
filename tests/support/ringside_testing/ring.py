"""A whole ring on loopback: voters with an app beside each, and a caller's sidecar that only observes."""
import os
import shutil
import sys
import tempfile
import time

from . import http_client, yaml_text
from .ports import free_port, free_ports
from .process import Process, wait_until
from .sidecar import Sidecar

_SUPPORT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# As short as the other defaults allow, so that a drill does not wait longer than its rule needs.
SESSION_TIMEOUT_SECONDS = 2.0


def app_command(name, port):
    """The test's app as a command, for `exec`."""
    return ["env", f"PYTHONPATH={_SUPPORT}", sys.executable, "-m", "ringside_testing.app", port, name]


class AppProcess:
    """One instance of the app, in its own process."""

    def __init__(self, name, folder, port=None):
        self.name = name
        self.port = port or free_port()
        self.process = Process(f"app-{name}", [sys.executable, "-m", "ringside_testing.app", self.port, name],
                               os.path.join(folder, f"app-{name}.log"), env={"PYTHONPATH": _SUPPORT})

    def start(self):
        self.process.start()
        wait_until(self._answers, 10, lambda: f"app {self.name} listens\n{self.process.log_tail()}")
        return self

    def _answers(self):
        try:
            return http_client.request(self.port, path="/healthz", timeout=1).status > 0
        except OSError:
            return False

    def control(self, what):
        return http_client.request(self.port, path=f"/control/{what}").json()

    def kill(self):
        self.process.kill()

    def stop(self):
        return self.process.stop()


class Bench:
    """A temporary folder and everything started in it; leaving it ends all, whatever happened."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ringside-test-")
        self._things = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        processes = [getattr(thing, "process", thing) for thing in self._things]
        if kind is not None:
            for process in processes:
                if process.log_text():
                    print(process.log_tail(8), file=sys.stderr)
        for process in reversed(processes):
            process.kill()
        if os.environ.get("RINGSIDE_KEEP_LOGS"):
            print(f"logs and settings kept in {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def app(self, name, port=None):
        """A started app."""
        app = AppProcess(name, self.folder, port)
        self._things.append(app)
        return app.start()

    def process(self, name, command, env=None):
        process = Process(name, command, os.path.join(self.folder, f"{name}.log"), env)
        self._things.append(process)
        return process.start()

    def sidecar(self, name, settings=None, started=True, arguments=(), app=()):
        """A sidecar on free ports. `settings` is laid over the ports; without a ring block it is a ring of one."""
        outbound, inbound, admin, ring = free_ports(4)
        base = {
            "ring": {"name": "test", "listen": f"127.0.0.1:{ring}", "advertise": f"127.0.0.1:{ring}",
                     "data_dir": os.path.join(self.folder, f"{name}.data"),
                     "session_timeout": f"{SESSION_TIMEOUT_SECONDS:g}s"},
            "proxy": {"outbound": f"127.0.0.1:{outbound}", "inbound": f"127.0.0.1:{inbound}"},
            "admin": {"listen": f"127.0.0.1:{admin}"},
            "log": {"level": "info", "format": "json"},
        }
        sidecar = Sidecar(name, self.folder, yaml_text.merge(base, settings or {}), arguments, app)
        self._things.append(sidecar)
        return sidecar.start() if started else sidecar

    def static_caller(self, service, apps, upstream=None, settings=None):
        """A sidecar (ring of one) whose upstream `service` has these apps as fixed endpoints."""
        block = {"endpoints": [f"127.0.0.1:{app.port}" for app in apps], **(upstream or {})}
        return self.sidecar("caller", yaml_text.merge({"upstreams": {service: block}}, settings or {})).wait_ready()


class Ring(Bench):
    """`size` voters named orders-1.. with their apps, and `caller`; formed, with all instances known to all, when entered.

    `settings` are laid over those of every sidecar beside an app, `each[i]` over those of the i-th."""

    def __init__(self, size=3, service="orders", settings=None, caller_settings=None, each=()):
        super().__init__()
        self.service = service
        self.size = size
        self.settings = settings or {}
        self.caller_settings = caller_settings or {}
        self.each = list(each) or [{}] * size
        self.apps, self.sidecars = [], []
        self.voters = []
        self.caller = None

    def __enter__(self):
        try:
            self._form()
        except BaseException:
            self.__exit__(BaseException)
            raise
        return self

    def _form(self):
        ports = free_ports(self.size)
        self.voters = [f"{i + 1}@127.0.0.1:{port}" for i, port in enumerate(ports)]
        for i, port in enumerate(ports):
            name = f"{self.service}-{i + 1}"
            app = self.app(name)
            self.apps.append(app)
            own = yaml_text.merge(self.each[i], {"ring": {"listen": f"127.0.0.1:{port}", "advertise": f"127.0.0.1:{port}"}})
            self.sidecars.append(self.sidecar(name, yaml_text.merge(self.member(app), own)))
        self.caller = self.sidecar("caller", yaml_text.merge({"ring": {"voters": self.voters}}, self.caller_settings))
        for sidecar in [*self.sidecars, self.caller]:
            sidecar.wait_ready()
        for sidecar in [*self.sidecars, self.caller]:
            sidecar.wait_up(self.service, self.size)

    def member(self, app):
        """The settings of a sidecar beside `app`, with voters and the ring's own settings."""
        return yaml_text.merge({
            "service": {"name": self.service, "address": f"127.0.0.1:{app.port}", "advertise": "127.0.0.1",
                        "health_check": {"http": "/healthz", "interval": "200ms", "timeout": "1s", "rise": 2, "fall": 2}},
            "ring": {"voters": self.voters}}, self.settings)

    def add_instance(self, name):
        """A further app with an observing sidecar; gives both without waiting for more than their start."""
        app = self.app(name)
        self.apps.append(app)
        sidecar = self.sidecar(name, self.member(app))
        self.sidecars.append(sidecar)
        return app, sidecar

    def living(self):
        return [sidecar for sidecar in [*self.sidecars, self.caller] if sidecar.process.running()]

    def leader(self, timeout=10.0):
        """The sidecar that leads, agreed on by a quorum; waits for one."""
        def find():
            for sidecar in self.living():
                state = sidecar.try_(sidecar.ring)
                if state and state["role"] == "leading" and state["quorum"]:
                    return sidecar
            return None
        return wait_until(find, timeout, lambda: "a leader; " + "; ".join(
            f"{s.name}: {s.try_(s.ring)}" for s in self.living()))

    def entries(self, sidecar, app):
        """What `sidecar` knows of the instance behind which `app` runs."""
        return [endpoint for endpoint in sidecar.endpoints(self.service) if endpoint["port"] == app.port]

    def wait_gone(self, app, timeout):
        """Waits until no living sidecar has the entry of `app`; gives the seconds that took."""
        began = time.monotonic()
        for sidecar in self.living():
            left = began + timeout - time.monotonic()
            wait_until(lambda: sidecar.try_(lambda: not self.entries(sidecar, app)), max(left, 0.001),
                       lambda: f"{sidecar.name} forgets {app.name}: {sidecar.try_(lambda: sidecar.endpoints(self.service))}")
        return time.monotonic() - began
