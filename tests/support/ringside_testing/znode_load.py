"""Clients of the registry that write and read all the time, one at each member, and remember what was promised to them.

Each writer makes znodes of its own, once, and sets a register of its own to ever greater numbers. What was acknowledged must
be there for ever; a register never falls; a synced read sees whatever was acknowledged before it began. An answer that leaves
the outcome open (connection_loss, no answer) promises nothing.
"""
import http.client
import json
import random
import threading
import time

from . import http_client

ROOT = "/ringside/drill"  # in the part of the tree that observers hold too
_TIMEOUT = 4.0
# Behind the number in a register: the log grows fast enough for snapshots to be taken while faults happen.
_PADDING = " " * 20_000


def _ask(member, method, path, body=None):
    """(status, JSON), (0, None) when no whole answer came."""
    try:
        answer = http_client.request(member.sidecar.admin, method, f"/v1/znode{path}", body=body, timeout=_TIMEOUT)
        return answer.status, answer.json() if answer.body else None
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        return 0, None


def put(member, path, value):
    """True: acknowledged. To be called from within the member's namespace, as the others."""
    status, _ = _ask(member, "PUT", f"{path}?parents&timeout=2s", value)
    if status not in (0, 200, 201, 503, 504):
        raise AssertionError(f"PUT {path} at {member}: {status}")
    return status in (200, 201)


def get(member, path):
    """The znode as JSON after a sync; {} when it is not there; None: no answer."""
    status, node = _ask(member, "GET", f"{path}?sync&timeout=2s")
    if status not in (0, 200, 404, 503, 504):
        raise AssertionError(f"GET {path} at {member}: {status}")
    return node if status == 200 else {} if status == 404 else None


class Client:
    """One writer and reader at one member, on a thread of its own."""

    def __init__(self, load, member, seed):
        self.load, self.member, self.draw = load, member, random.Random(seed)
        self.register = f"{ROOT}/register-{member.at}"
        self.said = 0  # the greatest number that was sent
        self.held = 0  # the greatest that was acknowledged
        self.attempts = self.acknowledged = self.reads = 0
        self.thread = threading.Thread(target=self._guarded, daemon=True)

    def _guarded(self):
        try:
            self.member.host.enter()
            self._run()
        except Exception as error:  # told by problems(): a thread's own end would go unseen
            self.load.found(f"client at {self.member} ended: {error!r}")

    def _run(self):
        while not self.load.over.is_set():
            if not self.load.going.wait(0.2):
                continue
            self.load.busy(1)
            try:
                self._make()
                self._raise()
                self._read()
            finally:
                self.load.busy(-1)
            time.sleep(self.load.pause)

    def _make(self):
        self.attempts += 1
        folder = self.load.folder
        name = f"{self.member.at}-{self.attempts:06}"
        if put(self.member, f"{ROOT}/{folder}/{name}", f"value of {name}"):
            self.load.promised(folder, name)
            self.acknowledged += 1

    def _raise(self):
        self.said += 1
        if put(self.member, self.register, f"{self.said}{_PADDING}"):
            self.held = self.said

    def _read(self):
        other = self.draw.choice(self.load.clients)
        least = other.held
        node = get(self.member, other.register)
        if node is None:
            return
        self.reads += 1
        seen = int(node.get("data", 0))
        if not least <= seen <= other.said:
            self.load.found(f"{self.member} read {seen} in {other.register} after a sync, where {least} was acknowledged "
                            f"before and {other.said} the most that was ever sent")


class ZnodeLoad:
    def __init__(self, ring, seed, pause=0.05):
        self.ring, self.pause = ring, pause
        self.folder = "r0000"
        self.promises = {}  # folder -> names
        self.going, self.over = threading.Event(), threading.Event()
        self._problems, self._busy = [], 0
        self._changed = threading.Condition()
        self.clients = [Client(self, member, f"{seed}-{member.at}") for member in ring.members]

    def __enter__(self):
        self.going.set()
        for client in self.clients:
            client.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for client in self.clients:
            client.thread.join()

    def found(self, problem):
        with self._changed:
            self._problems.append(problem)

    def problems(self):
        with self._changed:
            return list(self._problems)

    def promised(self, folder, name):
        with self._changed:
            self.promises.setdefault(folder, set()).add(name)

    def busy(self, change):
        with self._changed:
            self._busy += change
            self._changed.notify_all()

    def rest(self):
        """No request is under way when it returns; go_on() ends it."""
        self.going.clear()
        with self._changed:
            if not self._changed.wait_for(lambda: self._busy == 0, 30):
                raise AssertionError("clients do not come to rest")

    def go_on(self, folder):
        self.folder = folder
        self.going.set()

    def acknowledged(self):
        return sum(client.acknowledged for client in self.clients)

    def reads(self):
        return sum(client.reads for client in self.clients)


def tree(member, folder, values=True):
    """{name: value} below a folder as this member has it after a sync (a name alone where values are not asked for)."""
    with member.host.entered():
        node = get(member, f"{ROOT}/{folder}")
        if node is None:
            raise AssertionError(f"{member} does not answer")
        names = node.get("children") or []
        if not values:
            return dict.fromkeys(names)
        found = {}
        for name in names:
            status, child = _ask(member, "GET", f"{ROOT}/{folder}/{name}")
            if status != 200:
                raise AssertionError(f"{member} lists {folder}/{name} and answers {status} for it")
            found[name] = child["data"]
        return found
