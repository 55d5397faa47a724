"""What is counted: each case is a table, a request, an answer, and how many exchanges of it.

Warm-up: each endpoint is called once (in turn), then each service once by the default policy. After that nothing is connected, and
nothing allocated, for the first time. Services are called in turn, each with a request of the same length.
"""
import dataclasses

import exchanges

_FIELDS = b"User-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n"
_GET = b"GET /items/42?fields=name,price HTTP/1.1\r\nHost: service-%05d\r\n" + _FIELDS + b"\r\n"
_POST = (b"POST /items HTTP/1.1\r\nHost: service-%05d\r\n" + _FIELDS + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
         + b"y" * 1000)
_CLOSE = _GET.replace(b"keep-alive", b"close")
# As another sidecar writes it.
_INBOUND = (b"GET /items/42?fields=name,price HTTP/1.1\r\nHost: shop\r\n" + _FIELDS + b"x-request-id: 0123456789abcdef0123456789abcdef\r\n"
            b"x-ringside-service: shop\r\nx-ringside-instance: self-1-00000001\r\nx-ringside-ring: default\r\nx-ringside-deadline: 30000\r\n\r\n")
SMALLEST = "get"


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    what: str
    services: int = 1
    endpoints: int = 10
    options: tuple = ()
    request: bytes = _GET
    answer: bytes = exchanges.PLAIN
    count: int = 2000
    callers: int = 1
    close: bool = False  # each caller's connection carries one exchange, and the request says so
    swap_every: int = 0
    grows: bool = False  # judged beside SMALLEST, in the same run

    @property
    def inbound(self):
        return "--app" in self.options

    def request_of(self, number):
        return self.request if self.inbound else self.request % (number % self.services)


CASES = [
    Case(SMALLEST, "GET, 1 service of 10 endpoints without sidecars"),
    Case("get_to_sidecar", "the same, to the sidecars of the endpoints", options=("--sidecars",)),
    Case("get_inbound", "GET from another sidecar, passed to the app", options=("--app",), request=_INBOUND),
    Case("post", "POST with a body of 1,000 bytes", request=_POST),
    Case("chunked", "GET with a chunked answer", answer=exchanges.CHUNKED),
    Case("access", "GET with access records", options=("--access",)),
    Case("callers_16", "GET by 16 callers at a time", callers=16),
    Case("close", "GET by callers that connect for each request and say Connection: close", request=_CLOSE, close=True),
    Case("services_10", "GET, 10 services of 10 endpoints", services=10, grows=True),
    Case("services_100", "GET, 100 services of 10 endpoints", services=100, grows=True),
    Case("services_1000", "GET, 1,000 services of 10 endpoints", services=1000, count=3000, grows=True),
    Case("endpoints_10000", "GET, one service of 10,000 endpoints", endpoints=10_000, count=3000, grows=True),
    Case("swaps", "GET, 1 service of 10 endpoints, one of them replaced every 1,000 exchanges", count=4000, swap_every=1000, grows=True),
    Case("swaps_100", "GET, 100 services of 10 endpoints, one of them replaced every 1,000 exchanges", services=100, count=4000,
         swap_every=1000, grows=True),
    Case("swaps_1000", "GET, 1,000 services of 10 endpoints, one of them replaced every 1,000 exchanges", services=1000, count=4000,
         swap_every=1000, grows=True),
    Case("swaps_10000", "GET, one service of 10,000 endpoints, one of them replaced every 1,000 exchanges", endpoints=10_000, count=4000,
         swap_every=1000, grows=True),
]
