"""The policies are exact over 5,000 requests on 64 connections, with one worker and with two."""
import unittest

from ringside_testing.load import closed_loop
from ringside_testing.ring import Bench, Ring

_REQUESTS = 5000
_CONNECTIONS = 64


class Balance(unittest.TestCase):
    def shares(self, caller, service="orders"):
        results = closed_loop(caller.outbound, service, _CONNECTIONS, requests=_REQUESTS)
        self.assertEqual(results.failed(), [])
        self.assertEqual(len(results), _REQUESTS)
        self.assertEqual(caller.metric("ringside_upstream_retries_total"), 0)
        return results.per_instance()

    def test_round_robin_is_exact(self):
        for workers in (1, 2):
            with self.subTest(workers=workers), Ring(caller_settings={
                    "defaults": {"balance": "round_robin"}, "proxy": {"workers": workers}}) as ring:
                shares = self.shares(ring.caller)
                self.assertEqual(len(shares), 3)
                for count in shares.values():
                    self.assertAlmostEqual(count, _REQUESTS / 3, delta=1)

    def test_weighted_is_exact(self):
        weights = [{"service": {"weight": weight}} for weight in (300, 100, 100)]
        for workers in (1, 2):
            with self.subTest(workers=workers), Ring(each=weights, caller_settings={
                    "defaults": {"balance": "weighted"}, "proxy": {"workers": workers}}) as ring:
                shares = self.shares(ring.caller)
                for name, count in (("orders-1", 3000), ("orders-2", 1000), ("orders-3", 1000)):
                    self.assertAlmostEqual(shares[name], count, delta=1)

    def test_least_connection_spares_a_slow_instance(self):
        for workers in (1, 2):
            with self.subTest(workers=workers), Bench() as bench:
                apps = [bench.app(f"orders-{i}") for i in (1, 2, 3)]
                caller = bench.static_caller("orders", apps, {"balance": "least_connection"}, {"proxy": {"workers": workers}})
                apps[0].control("delay?ms=200")
                results = closed_loop(caller.outbound, "orders", _CONNECTIONS, seconds=5)
                self.assertEqual(results.failed(), [])
                shares = results.per_instance()
                self.assertGreater(shares["orders-1"], 0)
                for fast in ("orders-2", "orders-3"):
                    self.assertLess(shares["orders-1"], shares[fast] / 10)
