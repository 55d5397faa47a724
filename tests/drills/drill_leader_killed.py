"""kill -9 of the leader's sidecar alone under 200 GET/s: no call fails, a new leader and a new instance within a second each."""
import time
import unittest

from ringside_testing.load import OpenLoop
from ringside_testing.process import wait_until
from ringside_testing.ring import Ring

_LEADER_SECONDS = 1.0
_TRAFFIC_SECONDS = 1.0


class LeaderKilled(unittest.TestCase):
    def test_the_leader_killed_costs_no_call(self):
        with Ring() as ring, OpenLoop(ring.caller.outbound, ring.service) as load:
            old = ring.leader()
            epoch = old.ring()["epoch"]
            time.sleep(1)
            began = time.monotonic()
            old.kill()
            new = ring.leader(timeout=5)
            took = time.monotonic() - began
            self.assertIsNot(new, old)
            self.assertGreater(new.ring()["epoch"], epoch)
            self.assertLess(took, _LEADER_SECONDS)
            time.sleep(2)
            results = load.stop()
            print(f"        leader killed, a new one after {took:.3f} s: {results.summary()}")
            self.assertEqual(results.failed(), [])

    def test_a_new_instance_takes_traffic_soon_after_the_leader_was_killed(self):
        with Ring() as ring, OpenLoop(ring.caller.outbound, ring.service) as load:
            time.sleep(1)
            ring.leader().kill()
            app, _ = ring.add_instance("orders-new")

            def first_answer():
                return next((r.at + r.took for r in list(load.results) if r.instance == app.name), None)

            answered = wait_until(first_answer, 10, lambda: f"{app.name} takes traffic: {load.results.summary()}")
            checked = app.control("counts")["first_health"]
            print(f"        first call {answered - checked:.3f} s after the first passing check")
            self.assertLess(answered - checked, _TRAFFIC_SECONDS)
            time.sleep(1)
            self.assertEqual(load.stop().failed(), [])
