"""Somebody else's server behind two sidecars: caller's outbound, then the inbound of the sidecar beside the server."""
import os
import random
import socket

from . import yaml_text
from .ports import free_port
from .process import wait_until
from .ring import Bench
from .sidecar import REPOSITORY

REAL = os.path.join(REPOSITORY, "tests", "integration", "real")
SUPPORT = os.path.join(REPOSITORY, "tests", "support")
_DRAW = random.Random(4140)


def listens(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


class Pair(Bench):
    """`start` the server, then `join`: `owner` is the sidecar beside it, `caller` the one that calls `service`."""

    def __init__(self, service="web"):
        super().__init__()
        self.service = service
        self.owner = self.caller = None
        self.port = free_port()  # of the server

    def file(self, size):
        """A file of so many bytes drawn at random, under the name that nginx.conf gives it."""
        path = os.path.join(self.folder, "www", "bytes")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(_DRAW.randbytes(size))
        return path

    def start(self, name, command, env=None):
        """The server's process, once it listens on `port`."""
        process = self.process(name, command, env)
        wait_until(lambda: listens(self.port), 20, lambda: f"{name} listens on {self.port}\n{process.log_tail()}")
        return process

    def nginx(self, git_backend="/nowhere"):
        """nginx by nginx.conf."""
        with open(os.path.join(REAL, "nginx.conf"), encoding="ascii") as template:
            text = template.read()
        for word, value in {"BACKEND": git_backend, "FOLDER": self.folder, "PORT": str(self.port)}.items():
            text = text.replace(f"@{word}@", value)
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w", encoding="ascii") as out:
            out.write(text)
        return self.start("nginx", ["nginx", "-c", path, "-p", self.folder, "-e", "stderr"])

    def join(self, settings=None, caller_settings=None, health_check=None):
        address = f"127.0.0.1:{free_port()}"
        voters = {"ring": {"voters": [f"1@{address}"]}}
        own = {"ring": {"listen": address, "advertise": address},
               "service": {"name": self.service, "address": f"127.0.0.1:{self.port}", "advertise": "127.0.0.1",
                           "health_check": health_check or {"http": "/healthz", "interval": "500ms"}}}
        self.owner = self.sidecar("owner", yaml_text.merge(yaml_text.merge(voters, own), settings or {})).wait_ready()
        self.caller = self.sidecar("caller", yaml_text.merge(voters, caller_settings or {})).wait_ready()
        self.caller.wait_up(self.service, 1)
        return self

    @property
    def proxy(self):
        return f"http://127.0.0.1:{self.caller.outbound}"

    def errors(self):
        """What either sidecar answered by itself."""
        return self.caller.metric("ringside_upstream_errors_total", upstream=self.service)
