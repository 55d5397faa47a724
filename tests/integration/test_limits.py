"""`limits` of an upstream through the real binary with two workers: who waits, who is told to go, and a reload."""
import threading
import unittest

from ringside_testing import http_client
from ringside_testing.load import closed_loop
from ringside_testing.process import wait_until
from ringside_testing.ring import Bench

_SERVICE = "orders"


class Calls:
    """Calls that go on beside the test."""

    def __init__(self, caller, count, path):
        self.answers = []
        self.threads = [threading.Thread(target=self.one, args=(caller, path)) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def one(self, caller, path):
        self.answers.append(http_client.call(caller.outbound, _SERVICE, path, timeout=60))

    def statuses(self):
        for thread in self.threads:
            thread.join()
        return sorted(answer.status for answer in self.answers)


class Limits(unittest.TestCase):
    def start(self, limits, **more):
        self.bench = self.enterContext(Bench())
        self.app = self.bench.app("orders-1")
        self.caller = self.bench.static_caller(_SERVICE, [self.app], {
            "limits": limits, "timeouts": {"connect": "30s"}, **more}, {"proxy": {"workers": 2}})

    def in_flight(self):
        return self.app.control("counts")["in_flight"]

    def pending(self):
        return self.caller.metric("ringside_upstream_requests_pending", upstream=_SERVICE)

    def test_requests_wait_within_pending_and_what_is_more_is_overflow(self):
        self.start({"requests": 2, "pending": 4})
        calls = Calls(self.caller, 6, "/slow?ms=3000")
        wait_until(lambda: self.pending() == 4, 2.9, "four wait", interval=0.01)
        self.assertEqual(self.in_flight(), 2)
        answer = http_client.call(self.caller.outbound, _SERVICE)
        self.assertEqual((answer.status, answer.headers["x-ringside-error"]), (503, "overflow"))
        for part in ("limits.requests (2)", "limits.pending (4)", "upstreams.orders.limits.requests"):
            self.assertIn(part, answer.text())
        self.assertEqual(calls.statuses(), [200] * 6)
        self.assertEqual(self.pending(), 0)
        self.assertEqual(self.caller.metric("ringside_upstream_errors_total", upstream=_SERVICE, cause="overflow"), 1)
        self.assertEqual(self.caller.metric("ringside_upstream_requests_in_flight", upstream=_SERVICE), 0)

    def test_a_reload_lets_more_in_at_once(self):
        self.start({"requests": 1})
        calls = Calls(self.caller, 3, "/slow?ms=5000")
        wait_until(lambda: self.pending() == 2, 4, "two wait", interval=0.01)
        self.caller.settings["upstreams"][_SERVICE]["limits"]["requests"] = 3
        self.caller.write_settings()
        self.caller.reload()
        wait_until(lambda: self.in_flight() == 3, 4, "all are under way", interval=0.01)  # the first has not ended yet
        self.assertEqual(calls.statuses(), [200] * 3)

    def test_many_callers_over_few_connections_lose_nothing(self):
        self.start({"connections": 3, "requests": 10})
        results = closed_loop(self.caller.outbound, _SERVICE, 64, requests=3000)
        self.assertEqual(results.failed(), [])
        self.assertEqual(len(results), 3000)
        self.assertEqual(self.app.control("counts")["requests"], 3000)
