"""An instance drains while one caller is cut off from the ring: nobody else loses a call, and the drain waits for that caller's
session to end, not longer. The caller that is cut off can still reach every instance, and knows nothing of the drain.

In network namespaces (root, or a user who may sudo without a password).
"""
import time
import unittest

from ringside_testing import netns
from ringside_testing.drill_app import DrillApp
from ringside_testing.drill_load import DrillLoad
from ringside_testing.drill_rules import judge
from ringside_testing.process import wait_until
from ringside_testing.ring import Bench

_VOTERS = 3
_SESSION_SECONDS = 4.0
# Beside the session's end: the leader looks for it now and then, and the entry has to go.
_MORE_SECONDS = 3.0
_CUT_OFF, _OTHER = 3, 4
_RING_PORT = 4150
_SERVICE = "orders"


class PartitionRing(Bench):
    """Hosts of their own: three voters with an app each, then two callers."""

    def __init__(self):
        super().__init__()
        self.apps, self.sidecars, self.network = [], [], None

    def __enter__(self):
        try:
            self.network = netns.Network(_VOTERS + 2)
            for at, host in enumerate(self.network.hosts):
                with host.entered():
                    self._host(at)
            for at in range(len(self.sidecars)):
                self.wait_up(at, _VOTERS)
        except BaseException:
            self.__exit__(BaseException)
            raise
        return self

    def _host(self, at):
        address = self.network.address(at)
        voters = [f"{number + 1}@{self.network.address(number)}:{_RING_PORT}" for number in range(_VOTERS)]
        settings = {"ring": {"listen": f"{address}:{_RING_PORT}", "advertise": f"{address}:{_RING_PORT}", "voters": voters,
                             "insecure": True, "session_timeout": f"{_SESSION_SECONDS:g}s"},
                    "proxy": {"outbound": "127.0.0.1:4140", "inbound": f"{address}:4143"}, "admin": {"listen": "127.0.0.1:4191"},
                    # Neither of them may be what ends the drain here.
                    "drain": {"settle": "20s", "timeout": "40s"}}
        if at < _VOTERS:
            app = DrillApp(f"{_SERVICE}-{at + 1}", self.folder, delay_ms=5)
            self._things.append(app)
            self.apps.append(app.start())
            settings["service"] = {"name": _SERVICE, "address": f"127.0.0.1:{app.port}", "health_check": {"http": "/healthz"}}
        name = self.apps[at].name if at < _VOTERS else f"caller-{at}"
        self.sidecars.append(self.sidecar(name, settings))

    def wait_up(self, at, count):
        with self.network.hosts[at].entered():
            self.sidecars[at].wait_up(_SERVICE, count)

    def load(self, at, first_id):
        with self.network.hosts[at].entered():
            return DrillLoad(4140, _SERVICE, 500, first_id=first_id).__enter__()

    def __exit__(self, kind, *rest):
        super().__exit__(kind, *rest)
        if self.network:
            self.network.close()


class Partition(unittest.TestCase):
    def test_a_drain_waits_for_a_caller_without_the_ring_until_its_session_ends(self):
        code = netns.as_root(__file__, self.id().rsplit(".", 1)[1])
        if code is not None:
            return self.assertEqual(code, 0, "the drill, run as root, failed (above)")
        with PartitionRing() as ring:
            loads = {at: ring.load(at, first_id) for at, first_id in ((_CUT_OFF, 1), (_OTHER, 500_001))}
            try:
                self.drill(ring, loads)
            finally:
                for load in loads.values():
                    load.__exit__(None)

    def drill(self, ring, loads):
        time.sleep(1)
        ring.network.cut_port(_CUT_OFF, _RING_PORT)
        cut = time.monotonic()
        stopped = ring.sidecars[0].process
        stopped.terminate()
        wait_until(lambda: not stopped.running(), 45, lambda: f"the drain ends\n{stopped.log_tail()}")
        took = time.monotonic() - cut
        self.assertEqual(stopped.exit_code, 0, stopped.log_tail())
        self.assertEqual(ring.apps[0].stop(), 0)
        time.sleep(1)
        for at, load in loads.items():
            counts = load.stop()
            print(f"        {'cut off' if at == _CUT_OFF else 'the other'}: {counts.summary()}")
            self.assertEqual(judge(counts, ring.apps), [])
        print(f"        the drain took {took:.2f} s, a session ends after {_SESSION_SECONDS:g} s")
        # A session is touched a few times within its timeout: the last touch may have been a while before the cut.
        self.assertGreater(took, _SESSION_SECONDS / 2)
        self.assertLess(took, _SESSION_SECONDS + _MORE_SECONDS)
        ring.network.heal()
        ring.wait_up(_CUT_OFF, _VOTERS - 1)
