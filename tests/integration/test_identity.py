"""An address that another service, or another instance, has taken over before the registry knows: no call ends up wrong."""
import unittest

from ringside_testing import http_client, yaml_text
from ringside_testing.ring import Ring

_CALLS = 60


class RecycledAddress(unittest.TestCase):
    def calls(self, ring):
        """The instances that answered so many POSTs; none may fail."""
        served = []
        for turn in range(_CALLS):
            answer = http_client.call(ring.caller.outbound, "orders", method="POST", body=b"hi")
            self.assertEqual(answer.status, 200, f"call {turn}: {answer}")
            served.append(answer.headers["x-instance"])
        return set(served)

    def taken_over(self, ring, name, service, app):
        """Kills an instance and its sidecar and starts a sidecar for `app` on its inbound port; gives what was killed and the new sidecar."""
        leader = ring.leader()
        at = next(i for i, sidecar in enumerate(ring.sidecars) if sidecar is not leader)
        ring.apps[at].kill()
        ring.sidecars[at].kill()
        settings = {"service": {"name": service}, "proxy": {"inbound": f"127.0.0.1:{ring.sidecars[at].inbound}"}}
        return ring.apps[at], ring.sidecar(name, yaml_text.merge(ring.member(app), settings)).wait_ready()

    def refused(self, ring):
        return ring.caller.metric("ringside_upstream_retries_total", upstream="orders", reason="refused")

    def test_another_service_at_the_address_of_a_killed_instance_sees_nothing(self):
        with Ring(settings={"ring": {"session_timeout": "20s"}}) as ring:
            bank = ring.app("bank-1")
            killed, _ = self.taken_over(ring, "bank-1", "bank", bank)
            served = self.calls(ring)
            self.assertTrue(ring.entries(ring.caller, killed), "the registry was too quick for this test")
            self.assertEqual(served, {app.name for app in ring.apps if app is not killed})
            self.assertEqual(bank.control("counts")["requests"], 0)
            # Met once, then avoided for 10 s; more only on a machine that is very slow.
            self.assertGreaterEqual(self.refused(ring), 1)
            self.assertLess(self.refused(ring), _CALLS / 6)

    def test_another_instance_at_the_address_of_a_killed_one_serves(self):
        with Ring(settings={"ring": {"session_timeout": "20s"}}) as ring:
            other = ring.app("orders-9")
            killed, _ = self.taken_over(ring, "orders-9", "orders", other)
            served = self.calls(ring)
            self.assertIn(other.name, served)
            self.assertNotIn(killed.name, served)
            self.assertEqual(self.refused(ring), 0)
