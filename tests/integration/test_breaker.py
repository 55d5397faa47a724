"""An instance that answers 500: its breaker opens as configured, probes, and closes; seen in endpoints, metrics and log."""
import threading
import time
import unittest

from ringside_testing import http_client
from ringside_testing.process import wait_until
from ringside_testing.ring import Bench

_FAILURES = 5
_PROBES = 2
_OPEN_SECONDS = 1.0


class Breaker(unittest.TestCase):
    def setUp(self):
        self.bench = self.enterContext(Bench())
        self.good, self.bad = self.bench.app("good"), self.bench.app("bad")
        self.caller = self.bench.static_caller("orders", [self.good, self.bad], {
            "balance": "round_robin",
            "circuit_breaker": {"consecutive_failures": _FAILURES, "failure_ratio": 0, "open_for": f"{_OPEN_SECONDS:g}s",
                                "half_open_requests": _PROBES}})

    def breaker(self, app):
        return next(e["breaker"] for e in self.caller.endpoints("orders") if e["port"] == app.port)

    def state_metric(self, app):
        return self.caller.metric("ringside_circuit_breaker_state", upstream="orders", endpoint=f"127.0.0.1:{app.port}")

    def transitions(self, to):
        return self.caller.metric("ringside_circuit_breaker_transitions_total", upstream="orders", to=to)

    def statuses(self, count):
        return [http_client.call(self.caller.outbound, "orders").status for _ in range(count)]

    def open_it(self):
        self.bad.control("status?status=500")
        return self.statuses(_FAILURES * 2)

    def test_it_opens_after_the_configured_failures(self):
        self.assertEqual(self.open_it().count(500), _FAILURES)
        self.assertEqual(self.breaker(self.bad), "open")
        self.assertEqual(self.breaker(self.good), "closed")
        self.assertEqual(self.state_metric(self.bad), 2)
        self.assertEqual(self.state_metric(self.good), 0)
        self.assertEqual(self.transitions("open"), 1)
        self.assertEqual(self.statuses(20), [200] * 20)
        self.assertEqual(self.bad.control("counts")["requests"], _FAILURES)
        wait_until(self.log_names_the_bad_one, 2, lambda: f"the log says so\n{self.caller.process.log_tail()}")

    def log_names_the_bad_one(self):
        lines = [line for line in self.caller.process.log_text().splitlines() if "breaker" in line and "open" in line]
        return any(str(self.bad.port) in line for line in lines)

    def test_a_bad_probe_opens_it_again_for_longer(self):
        self.open_it()
        time.sleep(_OPEN_SECONDS + 0.2)
        self.statuses(2)
        wait_until(lambda: self.transitions("open") == 2, 2, "the probe failed")
        seen = self.bad.control("counts")["requests"]
        time.sleep(_OPEN_SECONDS + 0.2)  # now it is open for twice as long
        self.assertEqual(self.statuses(6), [200] * 6)
        self.assertEqual(self.bad.control("counts")["requests"], seen)

    def test_half_open_sends_the_configured_probes_and_good_ones_close_it(self):
        self.open_it()
        self.bad.control("status?status=200")
        self.bad.control("delay?ms=500")
        before = self.bad.control("counts")["requests"]
        time.sleep(_OPEN_SECONDS + 0.2)
        calls = [threading.Thread(target=self.statuses, args=(1,)) for _ in range(12)]
        for call in calls:
            call.start()
        wait_until(lambda: self.breaker(self.bad) == "half_open", 0.4, "half open", interval=0.01)
        self.assertEqual(self.state_metric(self.bad), 1)
        self.assertEqual(self.bad.control("counts")["in_flight"], _PROBES)
        for call in calls:
            call.join()
        self.assertEqual(self.bad.control("counts")["requests"] - before, _PROBES)
        self.assertEqual(self.breaker(self.bad), "closed")
        self.assertEqual(self.transitions("closed"), 1)
        self.bad.control("delay?ms=0")
        instances = {http_client.call(self.caller.outbound, "orders").headers["x-instance"] for _ in range(4)}
        self.assertEqual(instances, {"good", "bad"})

    def test_all_open_answers_breaker_open(self):
        self.good.control("status?status=500")
        self.open_it()
        self.statuses(_FAILURES)
        answer = http_client.call(self.caller.outbound, "orders")
        self.assertEqual((answer.status, answer.headers.get("x-ringside-error")), (503, "breaker_open"))
