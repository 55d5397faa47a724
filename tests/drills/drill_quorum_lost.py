"""Two of three ring members killed with their apps, under 200 GET/s: calls go on for a minute, then the ring heals."""
import time
import unittest

from ringside_testing.load import OpenLoop
from ringside_testing.process import wait_until
from ringside_testing.ring import Ring

_SECONDS = 60


class QuorumLost(unittest.TestCase):
    def test_calls_go_on_without_a_quorum_and_the_ring_heals(self):
        with Ring() as ring, OpenLoop(ring.caller.outbound, ring.service) as load:
            time.sleep(1)
            lost = ring.sidecars[:2]
            for app, sidecar in zip(ring.apps[:2], lost):
                app.kill()
                sidecar.kill()
            without = time.monotonic()
            wait_until(lambda: not ring.caller.ring()["quorum"], 10, lambda: f"the caller knows: {ring.caller.ring()}")
            self.assertEqual(ring.caller.get("/readyz").status, 200)
            self.assertEqual(ring.caller.get("/readyz").json()["ring"], "stale")
            # No endpoint is forgotten while nobody may decide it.
            self.assertEqual(len(ring.caller.endpoints(ring.service)), 3)
            time.sleep(max(0.0, without + _SECONDS - time.monotonic()))
            self.assertEqual(len(ring.caller.endpoints(ring.service)), 3)
            results = load.results.since(without)
            self.assertEqual(list(results.per_instance()), [ring.apps[2].name])
            self.assertEqual(results.failed(), [])

            ring.apps[0].start()
            healing = time.monotonic()
            lost[0].start()
            ring.leader(timeout=15)
            took = time.monotonic() - healing
            ring.caller.wait_up(ring.service, 2, timeout=20)
            wait_until(lambda: ring.caller.ring()["quorum"], 10, lambda: f"the caller is in contact: {ring.caller.ring()}")
            time.sleep(1)
            results = load.stop()
            print(f"        {_SECONDS} s without a quorum, healed {took:.2f} s after one came back: {results.summary()}")
            self.assertEqual(results.failed(), [])
            self.assertGreater(results.since(healing).per_instance()[ring.apps[0].name], 0)
