"""Stop and start of every sidecar and app in turn, under 200 GET/s: no call fails."""
import os
import time
import unittest

from ringside_testing.load import OpenLoop
from ringside_testing.ring import Ring

_ROUNDS = 5 if os.environ.get("RINGSIDE_FULL") else 1


class RollingRestart(unittest.TestCase):
    def whole_again(self, ring):
        ring.leader()
        for sidecar in ring.living():
            sidecar.wait_ready()
            sidecar.wait_up(ring.service, 3)

    def hold(self, load, label):
        results = load.stop()
        print(f"        {label}: {results.summary()}")
        self.assertEqual(results.failed(), [])
        self.assertEqual(len(results.per_instance()), 3)

    def test_sidecar_then_app_stopped_and_started_costs_no_call(self):
        with Ring() as ring, OpenLoop(ring.caller.outbound, ring.service) as load:
            for _ in range(_ROUNDS):
                for app, sidecar in zip(ring.apps, ring.sidecars):
                    self.assertEqual(sidecar.stop(), 0, sidecar.process.log_tail())
                    app.stop()
                    time.sleep(0.3)
                    app.start()
                    sidecar.start()
                    self.whole_again(ring)
            self.hold(load, "all three stopped and started")

    def test_sidecar_restarted_then_app_restarted_costs_no_call(self):
        with Ring() as ring, OpenLoop(ring.caller.outbound, ring.service) as load:
            for app, sidecar in zip(ring.apps, ring.sidecars):
                self.assertEqual(sidecar.stop(), 0, sidecar.process.log_tail())
                sidecar.start()
                self.whole_again(ring)
                app.stop()
                app.start()
                self.whole_again(ring)
            self.hold(load, "each restarted by itself")
