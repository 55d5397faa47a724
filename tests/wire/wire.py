"""The pieces of a wire script: a proxy under test, upstreams that do as they are told, callers that
send exact bytes.

Everything waits for events with a limit (LIMIT seconds); nothing sleeps to be on the safe side but
where a script says that time itself is the matter.
"""
import contextlib
import json
import re
import socket
import subprocess
import threading

from inputs import Recorder

LIMIT = 5.0
PROXY = None  # path of wire_proxy, set by run
RECORDER = Recorder()


class Mismatch(Exception):
    """What came is not what the script expects."""


class Wire:
    """One connection, seen from one end."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(LIMIT)
        self.buffer = b""
        self.ended = None  # "eof" or "reset" once seen
        self.turns = [[b"", b""]]  # what came, what was sent then; the first bytes of each

    def send(self, data):
        data = data.encode("latin-1") if isinstance(data, str) else data
        if len(self.turns[-1][1]) < 65536:
            self.turns[-1][1] += data[:65536]
        self.sock.sendall(data)
        return self

    def pump(self, *pieces):
        """Sends them in a thread, which it gives, however long it takes; the end of the connection ends it."""
        def run():
            with contextlib.suppress(OSError):
                for piece in pieces:
                    self.send(piece)
        self.sock.settimeout(None)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def _fill(self):
        if self.ended:
            return False
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            self.ended = "reset"
            return False
        except socket.timeout:
            raise Mismatch(f"nothing came within {LIMIT} s; so far {self.buffer!r}") from None
        if not data:
            self.ended = "eof"
            return False
        self.buffer += data
        if self.turns[-1][1]:
            self.turns.append([b"", b""])
        if len(self.turns[-1][0]) < 65536:
            self.turns[-1][0] += data
        return True

    def read_until(self, mark):
        mark = mark.encode("latin-1")
        while mark not in self.buffer:
            if not self._fill():
                raise Mismatch(f"{self.ended} before {mark!r}; got {self.buffer!r}")
        at = self.buffer.index(mark) + len(mark)
        taken, self.buffer = self.buffer[:at], self.buffer[at:]
        return taken.decode("latin-1")

    def read(self, count):
        while len(self.buffer) < count:
            if not self._fill():
                raise Mismatch(f"{self.ended} after {len(self.buffer)} of {count} bytes")
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def head(self):
        return Head(self.read_until("\r\n\r\n"))

    def expect(self, exact):
        got = self.read(len(exact)).decode("latin-1")
        if got != exact:
            raise Mismatch(f"expected {exact!r}, got {got!r}")
        return self

    def expect_end(self, kind="eof"):
        while self._fill():
            pass
        if self.ended != kind or self.buffer:
            raise Mismatch(f"expected {kind}, got {self.ended} with {self.buffer[:200]!r}")

    def expect_quiet(self, seconds=0.15):
        self.sock.settimeout(seconds)
        try:
            data = self.sock.recv(65536)
            raise Mismatch(f"expected silence, got {data!r}")
        except socket.timeout:
            pass
        finally:
            self.sock.settimeout(LIMIT)

    def end(self):
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()


class Head:
    """A message head as it came: the first line and the fields in order and case."""

    def __init__(self, text):
        lines = text[:-4].split("\r\n")
        self.text = text
        self.first = lines[0]
        self.fields = [tuple(re.split(r": ?", line, maxsplit=1)) for line in lines[1:]]

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name):
        found = self.all(name)
        return found[0] if found else None

    def expect(self, first, **fields):
        """Checks the first line, and fields by name (dashes as _); None: must not be there."""
        if self.first != first:
            raise Mismatch(f"expected {first!r}, got {self.text!r}")
        for name, want in fields.items():
            got = self.get(name.replace("_", "-"))
            if got != want:
                raise Mismatch(f"{name}: expected {want!r}, got {got!r} in {self.text!r}")
        return self


class Upstream:
    """A listening socket whose connections a script takes one by one."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.listener.settimeout(LIMIT)
        self.port = self.listener.getsockname()[1]
        self.wires = []

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def accept(self):
        try:
            wire = Wire(self.listener.accept()[0])
        except socket.timeout:
            raise Mismatch("no connection came to the upstream") from None
        self.wires.append(wire)
        return wire

    def expect_no_connection(self, seconds=0.15):
        self.listener.settimeout(seconds)
        try:
            self.listener.accept()
            raise Mismatch("a connection came to the upstream")
        except socket.timeout:
            pass
        finally:
            self.listener.settimeout(LIMIT)

    def kill(self):
        """As kill -9 does: the port and all connections end at once, whoever waits on them."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for wire in self.wires:
            with contextlib.suppress(OSError):
                wire.sock.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
        for wire in self.wires:
            RECORDER.app(wire.turns)
            wire.close()


class Proxy:
    """wire_proxy in a process of its own."""

    def __init__(self, *options):
        self.process = subprocess.Popen([PROXY, *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise Mismatch("wire_proxy did not start")
        self.ports = json.loads(line)
        self.wires = []
        self.sent = threading.Lock()

    def connect(self, port):
        wire = Wire(socket.create_connection(("127.0.0.1", port), timeout=LIMIT))
        self.wires.append(wire)
        return wire

    def outbound(self):
        return self.connect(self.ports["outbound"])

    def inbound(self):
        return self.connect(self.ports["inbound"])

    def fixed(self, name):
        return self.connect(self.ports["fixed"][name])

    def ask(self, command):
        self.begin(command)
        return self.answer()

    def begin(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def answer(self):
        return self.process.stdout.readline().strip()

    def close(self):
        for wire in self.wires:
            RECORDER.caller(b"".join(sent for _, sent in wire.turns))
            wire.close()
        self.process.stdin.close()
        try:
            code = self.process.wait(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Mismatch("wire_proxy did not end") from None
        finally:
            self.process.stdout.close()
        if code != 0:
            raise Mismatch(f"wire_proxy ended with {code}")


class Script:
    """What each script gets: makes upstreams and proxies and closes them."""

    def __init__(self):
        self.stack = contextlib.ExitStack()

    def upstream(self):
        one = Upstream()
        self.stack.callback(one.close)
        return one

    def proxy(self, *options):
        one = Proxy(*[str(option) for option in options])
        self.stack.callback(one.close)
        return one

    def pair(self, *options):
        """An upstream called `shop` and a proxy that knows it, without a sidecar between."""
        upstream = self.upstream()
        return self.proxy("--endpoint", f"shop={upstream.address}", *options), upstream

    def sidecar(self, *options):
        """The same, but the endpoint has an inbound port, played by the upstream."""
        upstream = self.upstream()
        return self.proxy("--endpoint", f"shop=127.0.0.1:1/{upstream.port}", *options), upstream

    def inbound(self, *options):
        """A proxy before the app `shop`, played by the upstream."""
        upstream = self.upstream()
        return self.proxy("--service", f"shop={upstream.address}", *options), upstream


def dead_port():
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


GET = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def check(condition, message):
    if not condition:
        raise Mismatch(message)
