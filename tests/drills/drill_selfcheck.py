"""The drills' own load, app and rules: what they must find, they find."""
import tempfile
import time
import unittest

from ringside_testing.drill_app import DrillApp, posts_seen_twice
from ringside_testing.drill_load import Counts, DrillLoad
from ringside_testing.drill_rules import Incident, judge

_IDS = 1 << 16


class Record:
    """Stands for an app: (id, times seen, times answered) each."""

    def __init__(self, *entries):
        seen, answered = bytearray(_IDS), bytearray(_IDS)
        for number, times_seen, times_answered in entries:
            seen[number], answered[number] = times_seen, times_answered
        self.seen, self.answered = lambda: bytes(seen), lambda: bytes(answered)


def failed(number, **fields):
    counts = Counts()
    failure = {"id": number, "method": "POST" if number % 2 else "GET", "what": "502 reset", "due": 10.0, "sent": 10.0, "end": 10.1,
               "body": "ringside: reset\nattempt: 127.0.0.1:81 reset after 3 ms\n", **fields}
    counts.failures = [failure]
    counts.outcomes[failure["method"]][failure["what"]] = 1
    return counts


class Rules(unittest.TestCase):
    def killed(self, most=5):
        return Incident("killed", {"127.0.0.1:81", "a"}, 9.9, 10.05, most)

    def test_a_post_lost_with_the_one_who_had_it_is_allowed(self):
        incident = self.killed()
        self.assertEqual(judge(failed(7), [Record((7, 1, 0))], [incident]), [])
        self.assertEqual(incident.used, 1)

    def test_nothing_else_is_allowed(self):
        for counts in (failed(8), failed(7, what="503 draining"), failed(7, sent=10.06), failed(7, sent=9.0, end=9.5),
                       failed(7, body="attempt: 127.0.0.1:82 reset after 3 ms\n"), failed(7, body=""), failed(7, what="closed"),
                       failed(7, body="attempt: 127.0.0.1:81 reset after 3 ms\nattempt: 127.0.0.1:82 reset after 3 ms\n")):
            self.assertEqual(len(judge(counts, [Record()], [self.killed()])), 1, counts.failures)
        self.assertEqual(len(judge(failed(7), [Record()])), 1)

    def test_more_than_there_can_have_been_are_not_allowed(self):
        self.assertEqual(len(judge(failed(7), [Record()], [self.killed(most=0)])), 1)

    def test_a_failure_that_was_answered_is_not_allowed_but_where_the_sidecar_was_killed(self):
        incident = self.killed()
        incident.cuts_answers = True
        self.assertEqual(judge(failed(7), [Record((7, 1, 1))], [incident]), [])
        self.assertEqual(len(judge(failed(7), [Record((7, 1, 1))], [self.killed()])), 1)

    def test_a_post_done_twice_is_found_whoever_did_it(self):
        self.assertEqual(posts_seen_twice([Record((5, 1, 1), (6, 1, 1)), Record((6, 1, 1), (9, 1, 1))]), [])
        self.assertEqual(posts_seen_twice([Record((5, 1, 0)), Record((5, 1, 1))]), [5])
        self.assertEqual(len(judge(Counts(), [Record((5, 2, 1))])), 1)


class LoadAndApp(unittest.TestCase):
    def app(self, folder, **flags):
        return DrillApp("a", folder, ids=_IDS, **flags).start()

    def test_the_load_and_the_apps_record_agree(self):
        with tempfile.TemporaryDirectory() as folder:
            app = self.app(folder, delay_ms=2, close_after=50)
            try:
                with DrillLoad(app.port, rate=1000, connections=16) as load:
                    time.sleep(1)
                    counts = load.stop()
                self.assertEqual(app.stop(), 0)  # it writes down an answer after it was given
            finally:
                app.kill()
            self.assertEqual(judge(counts, [app]), [])
            self.assertGreater(min(counts.ok("GET"), counts.ok("POST")), 100)
            self.assertEqual(counts.instances["a"], counts.requests)
            self.assertEqual((sum(app.seen()), sum(app.answered())), (counts.requests, counts.requests))
            self.assertTrue(all(why == "limit" and answered == 50 for why, answered, _, _, _ in app.closed()), app.closed())

    def test_the_load_tells_what_a_killed_app_costs(self):
        with tempfile.TemporaryDirectory() as folder:
            app = self.app(folder, delay_ms=20)
            try:
                with DrillLoad(app.port, rate=500, connections=16) as load:
                    time.sleep(0.5)
                    app.kill()
                    time.sleep(0.3)
                    app.start()
                    time.sleep(0.5)
                    counts = load.stop()
            finally:
                app.kill()
            # What was under way was closed, what fell due meanwhile was refused.
            words = set(counts.outcomes["GET"]) | set(counts.outcomes["POST"])
            self.assertIn("refused", words)
            self.assertTrue(words & {"closed", "reset"}, words)
            self.assertEqual(len(judge(counts, [app])), counts.failed("GET") + counts.failed("POST"))
            unanswered = sum(app.seen()) - sum(app.answered())
            self.assertGreaterEqual(counts.failed("GET") + counts.failed("POST"), unanswered)
            self.assertEqual(counts.requests, counts.ok("GET") + counts.ok("POST") + len(counts.failures))
