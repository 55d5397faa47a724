"""One running Ringside: its settings file, its process, its admin API."""
import json
import os
import signal
import subprocess

from . import http_client, yaml_text
from .process import Process, wait_until

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def binary():
    """$RINGSIDE_BINARY, else the release build."""
    path = os.environ.get("RINGSIDE_BINARY") or os.path.join(REPOSITORY, "build", "release", "ringside")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"no binary at {path}: build it first (cmake --preset release && cmake --build --preset release)")
    return path


def cli(*arguments, timeout=30.0, env=None):
    """Runs a subcommand to its end; gives the CompletedProcess with text output."""
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}, check=False)


class Sidecar:
    """Settings are a dict of the YAML's shape; `outbound`, `inbound` and `admin` are its ports.

    `app`: a command that it runs as its child (`exec`), which the kernel ends with it."""

    def __init__(self, name, folder, settings, extra_arguments=(), app=()):
        self.name = name
        self.settings = settings
        self.config_path = os.path.join(folder, f"{name}.yaml")
        self.extra_arguments = list(extra_arguments)
        how = ["exec"] if app else ["run"]
        child = ["--", "setpriv", "--pdeathsig", "KILL", *app] if app else []
        self.process = Process(name, [binary(), *how, "-c", self.config_path, *self.extra_arguments, *child],
                               os.path.join(folder, f"{name}.log"))

    @staticmethod
    def _port(address):
        return int(address.rsplit(":", 1)[1])

    @property
    def admin(self):
        return self._port(self.settings["admin"]["listen"])

    @property
    def outbound(self):
        return self._port(self.settings["proxy"]["outbound"])

    @property
    def inbound(self):
        return self._port(self.settings["proxy"]["inbound"])

    @property
    def pid(self):
        return self.process.pid

    def write_settings(self):
        with open(self.config_path, "w", encoding="utf-8") as out:
            out.write(yaml_text.dump(self.settings))

    def start(self):
        self.write_settings()
        self.process.start()
        return self

    def kill(self):
        self.process.kill()

    def stop(self, timeout=40.0):
        return self.process.stop(timeout)

    def reload(self):
        self.process.signal(signal.SIGHUP)

    def get(self, path, timeout=5.0):
        return http_client.request(self.admin, path=path, timeout=timeout)

    def json(self, path):
        answer = self.get(path)
        if answer.status != 200:
            raise AssertionError(f"{self.name}: GET {path}: {answer}")
        return answer.json()

    def ring(self):
        return self.json("/v1/ring")

    def endpoints(self, service):
        """The endpoints of a service as this sidecar sees them; none when it knows no such service."""
        answer = self.get(f"/v1/services/{service}")
        if answer.status == 404:
            return []
        if answer.status != 200:
            raise AssertionError(f"{self.name}: endpoints of {service}: {answer}")
        return answer.json()["endpoints"]

    def up(self, service):
        return [endpoint for endpoint in self.endpoints(service) if endpoint["state"] == "up"]

    def metrics(self):
        """{name{labels}: value} as exposed."""
        values = {}
        for line in self.get("/metrics").text().splitlines():
            if line and not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                values[series] = float(value)
        return values

    def metric(self, name, **labels):
        """The sum over the series of `name` that carry these labels."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(value for series, value in self.metrics().items()
                   if series.split("{")[0] == name and all(label in series for label in wanted))

    def try_(self, ask, default=None):
        """ask() or the default while nobody answers: for polling a sidecar that starts or ends."""
        try:
            return ask()
        except (OSError, AssertionError, ValueError, KeyError):
            return default

    def wait_ready(self, timeout=15.0):
        def ready():
            if not self.process.running():
                raise RuntimeError(f"{self.name} ended with {self.process.exit_code}\n{self.process.log_tail()}")
            return self.try_(lambda: self.get("/readyz").status == 200)
        wait_until(ready, timeout, lambda: f"{self.name} ready\n{self.process.log_tail()}")
        return self

    def wait_up(self, service, count, timeout=15.0):
        wait_until(lambda: len(self.try_(lambda: self.up(service), [])) == count, timeout,
                   lambda: f"{self.name} sees {count} of {service} up, but "
                           f"{json.dumps(self.try_(lambda: self.endpoints(service)))}\n{self.process.log_tail()}")
        return self
