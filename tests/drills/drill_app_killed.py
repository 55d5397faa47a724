"""kill -9 of an app, and of an app with its sidecar, under 200 GET/s: no call fails, and the entry goes when it must."""
import time
import unittest

from ringside_testing.load import OpenLoop
from ringside_testing.ring import SESSION_TIMEOUT_SECONDS, Ring


class AppKilled(unittest.TestCase):
    def hold(self, load, label):
        results = load.stop()
        print(f"        {label}: {results.summary()}")
        self.assertGreater(len(results), 200)
        self.assertEqual(results.failed(), [])

    def test_an_app_killed_costs_no_call(self):
        with Ring() as ring, OpenLoop(ring.caller.outbound, ring.service) as load:
            time.sleep(2)
            self.assertEqual(len(load.results.per_instance()), 3)
            ring.apps[1].kill()
            time.sleep(5)
            late = load.results.since(time.monotonic() - 1).per_instance()
            self.assertEqual(late[ring.apps[1].name], 0)
            ring.apps[1].start()
            back = time.monotonic()
            time.sleep(5)
            self.hold(load, "app killed, then back")
            self.assertGreater(load.results.since(back).per_instance()[ring.apps[1].name], 0)

    def app_and_sidecar_killed(self, leads):
        limit = SESSION_TIMEOUT_SECONDS + 1 + (2 if leads else 0)
        with Ring() as ring, OpenLoop(ring.caller.outbound, ring.service) as load:
            leader = ring.leader()
            at = next(i for i, sidecar in enumerate(ring.sidecars) if (sidecar is leader) == leads)
            time.sleep(1)
            ring.apps[at].kill()
            ring.sidecars[at].kill()
            took = ring.wait_gone(ring.apps[at], limit)
            time.sleep(1)
            self.hold(load, f"app and {'the leading' if leads else 'a following'} sidecar killed, entry gone after {took:.2f} s (limit {limit:g})")

    def test_an_app_killed_with_its_sidecar_costs_no_call(self):
        self.app_and_sidecar_killed(leads=False)

    def test_an_app_killed_with_the_leading_sidecar_costs_no_call(self):
        self.app_and_sidecar_killed(leads=True)
