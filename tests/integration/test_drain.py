"""The acknowledged drain: by a stop, by `ringside drain`, with a caller that does not hear of it."""
import json
import re
import signal
import threading
import time
import unittest

from ringside_testing import http_client
from ringside_testing.load import OpenLoop
from ringside_testing.process import wait_until
from ringside_testing.ring import SESSION_TIMEOUT_SECONDS, Bench, Ring
from ringside_testing.sidecar import cli

_ACKNOWLEDGED = re.compile(r"every living sidecar routes around this instance, (\d+\.\d+) s after")
_SETTLE = 5.0


def acknowledged_after(sidecar):
    """What the log says of the last drain, in seconds; None while it says nothing."""
    found = _ACKNOWLEDGED.findall(sidecar.process.log_text())
    return float(found[-1]) if found else None


def request(sidecar, method):
    return http_client.request(sidecar.admin, method, "/v1/drain")


class ByAStop(unittest.TestCase):
    def stopped_under_load(self, choose):
        with Ring() as ring, OpenLoop(ring.caller.outbound, "orders", rate=200) as load:
            leaver = choose(ring)
            app = ring.apps[ring.sidecars.index(leaver)]
            time.sleep(0.5)
            self.assertEqual(leaver.stop(), 0, leaver.process.log_tail())
            self.assertLess(ring.wait_gone(app, 1.0), 1.0)
            self.assertEqual(load.stop().failed(), [])
            self.assertIsNotNone(acknowledged_after(leaver), leaver.process.log_tail())
            self.assertLess(acknowledged_after(leaver), _SETTLE / 2)
            return leaver.process.log_text()

    def test_the_ring_says_when_everybody_knows(self):
        self.stopped_under_load(lambda ring: next(s for s in ring.sidecars if s is not ring.leader()))

    def test_a_leader_hands_over_before_it_drains(self):
        text = self.stopped_under_load(lambda ring: ring.leader())
        self.assertLess(text.index("handed over"), text.index("every living sidecar routes around"))

    def test_a_frozen_caller_counts_until_its_session_ends(self):
        with Ring() as ring:
            leaver = next(s for s in ring.sidecars if s is not ring.leader())
            caller = str(ring.caller.ring()["id"])
            others = next(s for s in ring.sidecars if s is not leaver)
            ring.caller.process.signal(signal.SIGSTOP)
            try:
                with OpenLoop(others.outbound, "orders", rate=100) as load:
                    began = time.monotonic()
                    self.assertEqual(leaver.stop(), 0, leaver.process.log_tail())
                    took = time.monotonic() - began
                    self.assertEqual(load.stop().failed(), [])
            finally:
                ring.caller.process.signal(signal.SIGCONT)
            self.assertGreater(acknowledged_after(leaver), SESSION_TIMEOUT_SECONDS / 2, leaver.process.log_tail())
            self.assertLess(took, SESSION_TIMEOUT_SECONDS + 3)
            self.assertRegex(leaver.process.log_text(), rf"of the living sidecars may still send here:.* {caller}")

    def test_without_a_quorum_settle_has_to_do(self):
        with Ring(settings={"drain": {"timeout": "30s", "settle": "1500ms"}}) as ring:
            leaver, *others = ring.sidecars
            for sidecar in others:
                sidecar.kill()
            wait_until(lambda: leaver.get("/readyz").json()["ring"] == "stale", 5, "the quorum is lost")
            began = time.monotonic()
            self.assertEqual(leaver.stop(), 0, leaver.process.log_tail())
            self.assertGreater(time.monotonic() - began, 1.5)
            self.assertIn("drain.settle", leaver.process.log_text())


class ByCommand(unittest.TestCase):
    def test_a_drained_instance_gets_nothing_until_it_is_undone(self):
        with Ring() as ring, OpenLoop(ring.caller.outbound, "orders", rate=200) as load:
            drained = ring.sidecars[1]
            app = ring.apps[1]
            at = ("--admin", f"127.0.0.1:{drained.admin}")
            done = cli("drain", *at)
            self.assertEqual(done.returncode, 0, done)
            self.assertRegex(done.stdout, r"drained after \d+\.\d s")
            self.assertLess(acknowledged_after(drained), _SETTLE / 2)
            # Acknowledged: from this moment no call comes, not a little later.
            before = app.control("counts")["requests"]
            time.sleep(1)
            self.assertEqual(app.control("counts")["requests"], before)
            for sidecar in [*ring.sidecars, ring.caller]:
                self.assertEqual([entry["state"] for entry in ring.entries(sidecar, app)], ["draining"])
            self.assertIn("draining        yes", cli("status", *at).stdout)
            state = drained.json("/v1/drain")
            self.assertEqual((state["state"], state["behind"], state["in_flight"]), ("drained", [], 0))
            self.assertRegex(state["zxid"], r"^0x[0-9a-f]+$")
            undone = cli("drain", "--undo", "--json", *at)
            self.assertEqual(undone.returncode, 0, undone)
            self.assertEqual(json.loads(undone.stdout)["state"], "serving")
            wait_until(lambda: app.control("counts")["requests"] > before, 5, "traffic comes back")
            self.assertEqual(load.stop().failed(), [])
            self.assertTrue(drained.process.running())

    def test_it_says_who_is_behind_and_gives_up_after_its_timeout(self):
        with Ring() as ring:
            drained = next(s for s in ring.sidecars if s is not ring.leader())
            caller = str(ring.caller.ring()["id"])
            at = ("--admin", f"127.0.0.1:{drained.admin}")
            ring.caller.process.signal(signal.SIGSTOP)
            try:
                early = cli("drain", "--timeout", "500ms", *at)
                self.assertEqual(early.returncode, 1, early)
                self.assertIn("not drained after 500ms", early.stderr)
                self.assertRegex(early.stderr, rf"sidecars may still send here:.* {caller}@")
                late = cli("drain", *at)  # goes on with the one that has begun
                self.assertEqual(late.returncode, 0, late)
            finally:
                ring.caller.process.signal(signal.SIGCONT)

    def test_a_drain_survives_a_change_of_leader(self):
        with Ring() as ring:
            leader = ring.leader()
            drained = next(s for s in ring.sidecars if s is not leader)
            self.assertEqual(request(drained, "POST").status, 200)
            leader.kill()
            done = cli("drain", "--admin", f"127.0.0.1:{drained.admin}")
            self.assertEqual(done.returncode, 0, done)
            ring.leader()
            app = ring.apps[ring.sidecars.index(drained)]
            self.assertEqual([entry["state"] for entry in ring.entries(ring.caller, app)], ["draining"])

    def test_a_lost_session_does_not_put_it_back_into_use(self):
        with Ring() as ring:
            drained = next(s for s in ring.sidecars if s is not ring.leader())
            app = ring.apps[ring.sidecars.index(drained)]
            self.assertEqual(request(drained, "POST").status, 200)
            drained.process.signal(signal.SIGSTOP)
            gone = [s for s in [*ring.sidecars, ring.caller] if s is not drained]
            wait_until(lambda: all(not ring.entries(s, app) for s in gone), 15, "its session ends")
            drained.process.signal(signal.SIGCONT)
            wait_until(lambda: drained.json("/v1/drain")["state"] == "drained", 10,
                       lambda: f"drained\n{drained.process.log_tail()}")
            time.sleep(0.5)
            self.assertEqual(ring.entries(ring.caller, app), [])
            self.assertEqual(request(drained, "DELETE").status, 200)
            ring.caller.wait_up("orders", 3)

    def test_a_stop_is_not_undone(self):
        with Bench() as bench:
            app = bench.app("orders-1")
            sidecar = bench.sidecar("orders-1", {"service": {
                "name": "orders", "address": f"127.0.0.1:{app.port}", "health_check": {"interval": "100ms"}}})
            sidecar.wait_ready().wait_up("orders", 1)
            slow = threading.Thread(target=lambda: http_client.call(sidecar.outbound, "orders", "/slow?ms=3000"))
            slow.start()
            wait_until(lambda: app.control("counts")["in_flight"] == 1, 5, "a call in flight")
            sidecar.process.signal(signal.SIGTERM)
            wait_until(lambda: sidecar.json("/v1/drain")["stopping"], 5, "the stop has begun")
            refused = request(sidecar, "DELETE")
            self.assertEqual((refused.status, refused.json()["error"]), (409, "stopping"))
            self.assertEqual(request(sidecar, "POST").status, 200)
            slow.join()
            wait_until(lambda: sidecar.process.exit_code == 0, 10, lambda: f"ended\n{sidecar.process.log_tail()}")

    def test_a_sidecar_without_a_service_is_drained_at_once(self):
        with Bench() as bench:
            caller = bench.static_caller("orders", [bench.app("a")])
            done = cli("drain", "--admin", f"127.0.0.1:{caller.admin}")
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual(http_client.call(caller.outbound, "orders").status, 200)
            self.assertLess(self.seconds(caller.stop), 2)

    @staticmethod
    def seconds(action):
        began = time.monotonic()
        action()
        return time.monotonic() - began
