"""Server-sent events for a minute, and meanwhile gigabytes down and up beside them: no event waits for the next
one, every byte is the right one, and the memory of neither sidecar grows by 4 MiB.
"""
import http.client
import os
import threading
import time
import unittest

from ringside_testing import flood
from ringside_testing.pair import REAL, SUPPORT, Pair

_PYTHON = "/usr/bin/python3"
_EVENTS, _EVERY_MS = 60, 1000
_BYTES = 5_000_000_000
_GROWTH_KIB = 4096


class Events(threading.Thread):
    """Reads a stream of events and keeps when each was sent and when it came."""

    def __init__(self, pair, path):
        super().__init__(daemon=True)
        self.pair, self.path = pair, path
        self.came = []  # (number, sent, received)
        self.problem = "it has not ended"

    def run(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.pair.caller.outbound, timeout=20)
            connection.request("GET", self.path, headers={"Host": self.pair.service})
            answer = connection.getresponse()
            while (line := answer.readline()):
                if line.startswith(b"id: "):
                    number = int(line[4:])
                elif line.startswith(b"data: "):
                    self.came.append((number, float(line[6:]), time.monotonic()))
            connection.close()
            self.problem = None
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.problem = repr(error)


class RealStreams(unittest.TestCase):
    def events_of(self, pair, name, *command):
        path = pair.file(1)
        pair.start(name, [*command, pair.port, path])
        pair.join()
        events = Events(pair, f"/events?n={_EVENTS}&ms={_EVERY_MS}")
        events.start()
        return events

    def whole(self, events):
        events.join(_EVENTS * _EVERY_MS / 1000 + 30)
        self.assertIsNone(events.problem)
        self.assertEqual([number for number, _, _ in events.came], list(range(_EVENTS)))
        # Each came before the next one was even sent.
        late = [number for (number, _, received), (_, sent, _) in zip(events.came, events.came[1:]) if received > sent]
        self.assertEqual(late, [])

    def test_a_minute_of_events_and_gigabytes_both_ways(self):
        with Pair() as node, Pair() as python, Pair() as flooded:
            streams = [self.events_of(node, "node", "node", os.path.join(REAL, "server.js")),
                       self.events_of(python, "http.server", _PYTHON, os.path.join(REAL, "server_http.py"))]
            self.flood_both_ways(flooded)
            for events in streams:
                self.whole(events)
            self.assertEqual([pair.errors() for pair in (node, python, flooded)], [0, 0, 0])

    def flood_both_ways(self, pair):
        pair.start("flood", [_PYTHON, os.path.join(REAL, "server_flood.py"), pair.port], {"PYTHONPATH": SUPPORT})
        pair.join()
        for transfer in (self.download, self.upload):
            transfer(pair, 64 << 20)  # warm: what a first stream needs is no growth
            before = [process.reset_peak_rss_kib() for process in (pair.caller.process, pair.owner.process)]
            began = time.monotonic()
            transfer(pair, _BYTES)
            took = time.monotonic() - began
            grown = [process.peak_rss_kib() - had for process, had in zip((pair.caller.process, pair.owner.process), before)]
            print(f"        {transfer.__name__} of {_BYTES / 1e9:g} GB in {took:.1f} s, memory of the caller's sidecar and of the owner's "
                  f"grown by {grown[0]} and {grown[1]} KiB")
            self.assertLess(max(grown), _GROWTH_KIB)

    def download(self, pair, length):
        connection = http.client.HTTPConnection("127.0.0.1", pair.caller.outbound, timeout=30)
        connection.request("GET", f"/give/{length}", headers={"Host": pair.service})
        answer = connection.getresponse()
        self.assertEqual((answer.status, int(answer.getheader("content-length"))), (200, length))
        self.assertEqual(flood.take(answer.read1, length), length)
        connection.close()

    def upload(self, pair, length):
        connection = http.client.HTTPConnection("127.0.0.1", pair.caller.outbound, timeout=30)
        connection.putrequest("POST", "/take", skip_host=True)
        connection.putheader("Host", pair.service)
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        flood.give(connection.sock, length)
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, b"%d" % length))
        connection.close()
