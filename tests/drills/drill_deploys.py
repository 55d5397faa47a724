"""Deploys under 1,000 requests/s of mixed GET and POST with bodies: every instance is restarted in turn, and no call fails.

Each drill ends with drill_rules.judge: beside the failures it looks for POSTs that reached an app twice.
"""
import os
import time
import unittest

from ringside_testing.drill_load import DrillLoad
from ringside_testing.drill_ring import DrillRing
from ringside_testing.drill_rules import Incident, judge

_RATE = 1000
_ROUNDS = 20 if os.environ.get("RINGSIDE_FULL") else 2


class Deploys(unittest.TestCase):
    def hold(self, label, ring, load, incidents=()):
        counts = load.stop()
        print(f"        {label}: {counts.summary()}")
        problems = judge(counts, ring.apps, incidents)
        self.assertEqual(problems[:10], [], f"{len(problems)} problems")
        self.assertEqual(set(counts.instances), {app.name for app in ring.apps})
        return counts

    def test_sidecar_then_app_restarted_costs_no_call(self):
        with DrillRing(delay_ms=5) as ring, DrillLoad(ring.caller.outbound, ring.service, _RATE) as load:
            for _ in range(_ROUNDS):
                for app, sidecar in zip(ring.apps, ring.sidecars):
                    self.assertEqual(sidecar.stop(), 0, sidecar.process.log_tail())
                    self.assertEqual(app.stop(), 0, app.process.log_tail())
                    app.start()
                    sidecar.start()
                    ring.wait_whole()
            self.hold(f"sidecar, then app, of 4 instances, {_ROUNDS} times", ring, load)

    def test_instances_that_run_their_app_restarted_costs_no_call(self):
        with DrillRing(exec_mode=True, delay_ms=5) as ring, DrillLoad(ring.caller.outbound, ring.service, _RATE) as load:
            for _ in range(_ROUNDS):
                for sidecar in ring.sidecars:
                    self.assertEqual(sidecar.stop(), 0, sidecar.process.log_tail())
                    sidecar.start()
                    ring.wait_whole()
            self.hold(f"`ringside exec` of 4 instances, {_ROUNDS} times", ring, load)

    def app_before_sidecar(self, label, **flags):
        with DrillRing(**flags) as ring, DrillLoad(ring.caller.outbound, ring.service, _RATE) as load:
            incidents = []
            for at, (app, sidecar) in enumerate(zip(ring.apps, ring.sidecars)):
                time.sleep(0.5)
                began, before = time.monotonic(), len(app.closed())
                self.assertEqual(app.stop(), 0, app.process.log_tail())
                # What it closed itself without an answer: idle ones, on which a request may have been on its way, and cut ones.
                incidents.append(Incident(f"{app.name} stopped", ring.addresses(at), began, time.monotonic(),
                                          len(app.closed()) - before))
                self.assertEqual(sidecar.stop(), 0, sidecar.process.log_tail())
                app.start()
                sidecar.start()
                ring.wait_whole()
            counts = self.hold(label, ring, load, incidents)
            self.assertEqual(counts.failed("GET"), 0)
            print("        " + "; ".join(f"{one.what}: {one.used} POSTs of {one.most} connections closed" for one in incidents))

    def test_an_app_that_ends_well_before_its_sidecar_costs_posts_only_where_it_closed_the_connection(self):
        self.app_before_sidecar("app, then sidecar", delay_ms=5)

    def test_an_app_that_cuts_its_connections_costs_posts_only_where_it_cut(self):
        self.app_before_sidecar("app that cuts its connections, then sidecar", delay_ms=20, cut=True)

    def test_an_instance_killed_costs_posts_only_where_they_had_been_sent_to_it(self):
        with DrillRing(delay_ms=20) as ring, DrillLoad(ring.caller.outbound, ring.service, _RATE) as load:
            incidents = []
            for at, (app, sidecar) in enumerate(zip(ring.apps, ring.sidecars)):
                time.sleep(1)
                began = time.monotonic()
                app.kill()
                sidecar.kill()
                incidents.append(Incident(f"{app.name} killed", ring.addresses(at), began, time.monotonic(),
                                          cuts_answers=True))
                ring.wait_gone(app, 10)
                time.sleep(0.5)
                app.start()
                sidecar.start()
                ring.wait_whole()
            counts = self.hold("4 instances killed in turn", ring, load, incidents)
            self.assertEqual(counts.failed("GET"), 0)
            print("        " + "; ".join(f"{one.what}: {one.used} POSTs lost" for one in incidents))
