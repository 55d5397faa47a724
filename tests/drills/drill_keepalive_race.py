"""Apps that close idle connections after a second, and calls about a second apart, of any method: none fails, none is doubled.

Each call has an id that the app counts: what may not be repeated must have been processed exactly once.
"""
import asyncio
import collections
import os
import random
import sys
import time
import unittest

from ringside_testing import http_client, yaml_text
from ringside_testing.load import Result, Results, exchange
from ringside_testing.ports import free_port
from ringside_testing.process import wait_until
from ringside_testing.ring import Ring

_SECONDS = 60 if os.environ.get("RINGSIDE_FULL") else 15
_CONNECTIONS = 100  # for each service
_IDLE = 1
_APART = (0.95, 1.05)
_SUPPORT = os.path.dirname(os.path.dirname(os.path.abspath(http_client.__file__)))
_PROGRAMS = {"python": [sys.executable, "-m", "ringside_testing.idle_app"],
             "node": ["node", os.path.join(_SUPPORT, "ringside_testing", "idle_app.js")]}
# A body is held for a retry up to 64 KiB.
_CALLS = (("GET", 0), ("POST", 2), ("PUT", 1000), ("POST", 100_000), ("PATCH", 2), ("DELETE", 0), ("POST", 60_000))
_ONCE = {"POST", "PATCH"}


class IdleApp:
    def __init__(self, bench, kind):
        self.name = f"{kind}-1"
        self.kind = kind
        self.port = free_port()
        self.process = bench.process(f"app-{kind}", [*_PROGRAMS[kind], self.port, _IDLE], env={"PYTHONPATH": _SUPPORT})
        wait_until(self._answers, 10, lambda: f"the {kind} app listens\n{self.process.log_tail()}")

    def _answers(self):
        try:
            return http_client.request(self.port, path="/healthz", timeout=1).status == 200
        except OSError:
            return False

    def seen(self):
        return http_client.request(self.port, path="/seen").json()


class IdleRing(Ring):
    """A voter beside the python app, an observer beside the node app, and the caller."""

    def __init__(self):
        super().__init__(size=1, service="python")

    def app(self, name, port=None):
        return IdleApp(self, "python")

    def __enter__(self):
        super().__enter__()
        try:
            self.apps.append(IdleApp(self, "node"))
            other = yaml_text.merge(self.member(self.apps[1]), {"service": {"name": "node"}})
            self.sidecars.append(self.sidecar("node-1", other).wait_ready())
            self.caller.wait_up("node", 1)
        except BaseException:
            self.__exit__(BaseException)
            raise
        return self


class Calls:
    """Every answer of `_CONNECTIONS` callers per service, each with a connection that it keeps."""

    def __init__(self, port, services):
        self.port = port
        self.results = {service: Results() for service in services}
        self.methods = {service: {} for service in services}  # id: method

    def run(self):
        asyncio.run(self._run())

    async def _run(self):
        end = time.monotonic() + _SECONDS
        callers = [self._caller(service, number, end) for service in self.results for number in range(_CONNECTIONS)]
        await asyncio.gather(*callers)

    async def _caller(self, service, number, end):
        draw = random.Random(number)
        await asyncio.sleep(draw.random())  # not all at one moment
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for turn in range(sys.maxsize):
            if time.monotonic() >= end:
                break
            method, size = _CALLS[(number + turn) % len(_CALLS)]
            request_id = f"{service}-{number}-{turn}"
            self.methods[service][request_id] = method
            head = f"{method} / HTTP/1.1\r\nhost: {service}\r\nx-id: {request_id}\r\ncontent-length: {size}\r\n\r\n"
            result = Result(time.monotonic())
            reuse = False
            try:
                reuse = await asyncio.wait_for(exchange(reader, writer, head.encode() + b"x" * size, result), 30)
            except (OSError, asyncio.IncompleteReadError, ValueError, KeyError, TimeoutError) as error:
                result.status, result.error = 0, type(error).__name__
            result.instance = method
            self.results[service].append(result)
            if not reuse:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            await asyncio.sleep(draw.uniform(*_APART))
        writer.close()


class KeepAliveRace(unittest.TestCase):
    def hold(self, caller, apps, label):
        calls = Calls(caller.outbound, [app.kind for app in apps])
        calls.run()
        for app in apps:
            results, seen = calls.results[app.kind], app.seen()
            retries = caller.metric("ringside_upstream_retries_total", upstream=app.kind)
            print(f"        {app.kind} {label}: {results.summary()}, {retries:g} retries")
            self.assertGreater(len(results), _CONNECTIONS * (_SECONDS / _APART[1] - 3) / 2)
            self.assertEqual(results.failed(), [])
            methods = calls.methods[app.kind]
            self.assertEqual(set(methods) - set(seen), set(), "answered, but never processed")
            doubled = collections.Counter(methods[one] for one, count in seen.items() if count > 1)
            self.assertEqual({method: count for method, count in doubled.items() if method in _ONCE}, {}, "processed twice")

    def test_apps_called_directly_lose_no_call(self):
        with IdleRing() as ring:
            upstreams = {app.kind: {"endpoints": [f"127.0.0.1:{app.port}"]} for app in ring.apps}
            caller = ring.sidecar("direct", {"upstreams": upstreams}).wait_ready()
            self.hold(caller, ring.apps, "directly")

    def test_apps_behind_their_sidecars_lose_no_call(self):
        with IdleRing() as ring:
            self.hold(ring.caller, ring.apps, "through two sidecars")
