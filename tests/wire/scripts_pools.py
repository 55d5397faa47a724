"""Connections that are used again: for how long, how their ends are met, what a goodbye proves."""
import select
import socket
import threading
import time

from wire import GET, OK, Mismatch, check

POST = "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi"
GOODBYE = ("HTTP/1.1 408 Request Timeout\r\nx-ringside-unprocessed: 1\r\nConnection: close\r\n"
           "Content-Length: 0\r\n\r\n")


def _ok(fields=""):
    return f"HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok"


def _take(app, request):
    """Reads all of `request`, as the proxy sends it."""
    body = request.split("\r\n\r\n", 1)[1]
    app.read_until(body[-8:] if len(body) > 8 else "\r\n\r\n" + body)


def _call(caller, app, request=GET, fields=""):
    """One exchange through to `app`, a connection that the proxy has."""
    caller.send(request)
    _take(app, request)
    app.send(_ok(fields))
    caller.head().expect("HTTP/1.1 200 OK")
    caller.expect("ok")


def _warm(s, made, request=GET, fields=""):
    """A caller and an app with a connection between that carried one exchange."""
    proxy, shop = made
    caller = proxy.inbound() if "--service" in proxy.process.args else proxy.outbound()
    caller.send(request)
    app = shop.accept()
    _take(app, request)
    app.send(_ok(fields))
    caller.head()
    caller.expect("ok")
    return proxy, shop, caller, app


def _fresh(caller, shop, request):
    """`request` must come by a new connection; gives it, answered."""
    caller.send(request)
    app = shop.accept()
    _take(app, request)
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")
    caller.expect("ok")
    return app


class _Serving:
    """Answers every request to `app` while it is entered."""

    def __init__(self, app):
        self.app = app
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.app.listener.settimeout(0.1)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _accept(self):
        while not self.over.is_set():
            try:
                wire = self.app.accept()
            except Mismatch:
                continue
            threading.Thread(target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, wire):
        try:
            while True:
                head = wire.head()
                wire.read(int(head.get("content-length") or 0))
                wire.send(OK)
        except (Mismatch, OSError):
            wire.close()


def APostGoesByTheKeepAliveThatTheAppAnnounced(s):
    _, _, caller, app = _warm(s, s.pair(), fields="Keep-Alive: timeout=5\r\n")
    time.sleep(0.4)  # over 250 ms, well under 4 s
    _call(caller, app, POST)


def AnAnnouncedSecondIsTooShortForAPost(s):
    _, shop, caller, _ = _warm(s, s.pair(), fields="Keep-Alive: timeout=1\r\n")
    _fresh(caller, shop, POST)


def AnAnnouncedSecondHoldsForAGetUntilFourFifthsOfIt(s):
    _, shop, caller, app = _warm(s, s.pair(), fields="Keep-Alive: timeout=1\r\n")
    time.sleep(0.4)
    _call(caller, app, fields="Keep-Alive: timeout=1\r\n")
    time.sleep(0.85)
    _fresh(caller, shop, GET)


def AnAnnouncementThatBreaksTheGrammarIsNone(s):
    _, shop, caller, _ = _warm(s, s.pair(), fields="Keep-Alive: timeout=5s\r\n")
    time.sleep(0.3)
    _fresh(caller, shop, POST)


def AConnectionServesNoMoreRequestsThanAnnounced(s):
    _, shop, caller, app = _warm(s, s.pair(), fields="Keep-Alive: max=1\r\n")
    _call(caller, app)
    app.expect_end()
    app = _fresh(caller, shop, GET)
    _call(caller, app, fields="Keep-Alive: timeout=9, max=0\r\n")
    app.expect_end()


def AConnectionThatIsPastWhatWasAnnouncedIsClosed(s):
    _, _, _, app = _warm(s, s.pair(), fields="Keep-Alive: timeout=1\r\n")
    begin = time.monotonic()
    app.expect_end()
    took = time.monotonic() - begin
    check(took > 0.7, f"closed after {took:.2f} s")


def ACloseThatWasSeenLowersTheLimit(s):
    _, shop, caller, app = _warm(s, s.pair())
    begin = time.monotonic()
    time.sleep(0.6)
    app.close()
    idle = time.monotonic() - begin  # from now on four fifths of it
    app = _fresh(caller, shop, GET)
    time.sleep(0.05)
    _call(caller, app)
    time.sleep(0.95 * idle)
    _fresh(caller, shop, GET)


def InboundGoesByTheSameLimitsToItsApp(s):
    _, shop, caller, app = _warm(s, s.inbound(), POST)
    _call(caller, app, POST)
    time.sleep(0.3)
    app = _fresh(caller, shop, POST)
    _call(caller, app, POST, "Keep-Alive: timeout=5\r\n")
    time.sleep(0.3)
    _call(caller, app, POST)


def ToASidecarAPostMayUseAnOldConnection(s):
    _, _, caller, app = _warm(s, s.sidecar())
    time.sleep(0.3)
    _call(caller, app, POST)


def WhatCanNotBeHeldAvoidsAnOldConnectionEvenToASidecar(s):
    body = "x" * (64 * 1024) + "the end"
    for framing, sent in ((f"Content-Length: {len(body)}", body),
                          ("Transfer-Encoding: chunked", "2\r\nhi\r\n0\r\n\r\n")):
        _, shop, caller, _ = _warm(s, s.sidecar())
        time.sleep(0.3)
        _fresh(caller, shop, f"POST / HTTP/1.1\r\nHost: shop\r\n{framing}\r\n\r\n{sent}")


def AGoodbyeThatCrossedIsFollowedByTheWholeBodyAgain(s):
    body = "0123456789" * 6000
    post = f"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: {len(body)}\r\n\r\n"
    proxy, shop, caller, old = _warm(s, s.sidecar("--attempts", 0))
    caller.send(post + body[:30000])
    old.head()
    old.expect(body[:30000]).send(GOODBYE).end()
    app = shop.accept()
    app.head().expect("POST / HTTP/1.1")
    caller.send(body[30000:])
    app.expect(body).send(OK)
    caller.head().expect("HTTP/1.1 200 OK")
    check("shop:retry:refused=1" in proxy.ask("stats"), proxy.ask("stats"))


def AResetBehindAGoodbyeDoesNotHideIt(s):
    for _ in range(20):
        _, shop, caller, old = _warm(s, s.sidecar("--attempts", 0))
        caller.send(POST)
        old.head()
        old.send(GOODBYE).reset()
        app = shop.accept()
        app.head()
        app.expect("hi").send(OK)
        caller.head().expect("HTTP/1.1 200 OK")


def ASidecarThatResetsItsIdleConnectionsWithAGoodbyeLosesNoPost(s):
    """Goodbye and reset are there before the request leaves."""
    _, shop, caller, old = _warm(s, s.sidecar("--attempts", 0))
    for _ in range(20):
        old.send(GOODBYE).reset()
        old = _fresh(caller, shop, POST)


def AGoodbyeOnAFreshConnectionIsFollowedOnceMore(s):
    proxy, shop = s.sidecar("--attempts", 0)
    caller = proxy.outbound()
    caller.send(POST)
    for _ in range(2):
        app = shop.accept()
        app.head()
        app.expect("hi").send(GOODBYE).end()
    caller.head().expect("HTTP/1.1 408 Request Timeout", x_ringside_unprocessed="1")
    shop.expect_no_connection()


def AnAppsTimeoutOfAnIdleConnectionIsRetriedForGetOnly(s):
    timeout = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    _, shop, caller, old = _warm(s, s.pair("--attempts", 0))
    caller.send(GET)
    old.head()
    old.send(timeout).end()
    app = shop.accept()
    app.head()
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")
    _, shop, caller, old = _warm(s, s.pair("--attempts", 0))
    caller.send(POST)
    old.head()
    old.expect("hi").send(timeout).end()
    caller.head().expect("HTTP/1.1 408 Request Timeout")
    shop.expect_no_connection()


def AnAppsTimeoutOnAFreshConnectionPasses(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    caller.head().expect("HTTP/1.1 408 Request Timeout")
    shop.expect_no_connection()


def AnInterimResponseOfAFailedTryReachesNobody(s):
    one, two, bank = s.upstream(), s.upstream(), s.upstream()
    proxy = s.proxy("--endpoint", f"shop={one.address}", "--endpoint", f"shop={two.address}",
                    "--endpoint", f"bank={bank.address}", "--balance", "round_robin")
    caller, other = proxy.outbound(), proxy.outbound()
    caller.send(GET)
    ready, _, _ = select.select([one.listener, two.listener], [], [], 5)
    first, second = (one, two) if ready[0] is one.listener else (two, one)
    app = first.accept()
    app.head()
    app.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
             "HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n")
    app = second.accept()
    app.head()
    other.send("GET / HTTP/1.1\r\nHost: bank\r\n\r\n")
    at_bank = bank.accept()
    at_bank.head()
    at_bank.send(OK)
    other.head().expect("HTTP/1.1 200 OK")
    other.expect("ok")
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")
    caller.expect("ok")


def AResponseThatTheUpstreamHalfClosesBehindCostsTheNextCallNothing(s):
    proxy, shop = s.pair("--attempts", 0)
    caller = proxy.outbound()
    for _ in range(20):
        caller.send(POST)
        app = shop.accept()
        app.head()
        app.expect("hi").send(OK).end()
        caller.head().expect("HTTP/1.1 200 OK")
        caller.expect("ok")
        app.expect_end()  # seen: out of the pool
    check("retry" not in proxy.ask("stats"), proxy.ask("stats"))


def ABodyIsNotSentBeforeTheAppAsksForIt(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    app = shop.accept()
    app.head().expect("POST / HTTP/1.1", expect="100-continue")
    app.expect_quiet()
    app.send("HTTP/1.1 100 Continue\r\n\r\n")
    caller.expect("HTTP/1.1 100 Continue\r\n\r\n").send("hi")
    app.expect("hi").send(OK)
    caller.head().expect("HTTP/1.1 200 OK")


def AnExpectationThatMeetsAGoodbyeGoesToAFreshConnection(s):
    _, shop, caller, old = _warm(s, s.sidecar("--attempts", 0))
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    old.head()
    old.send(GOODBYE).end()
    app = shop.accept()
    app.head().expect("POST / HTTP/1.1", expect="100-continue")
    app.send("HTTP/1.1 100 Continue\r\n\r\n")
    caller.expect("HTTP/1.1 100 Continue\r\n\r\n").send("hi")
    app.expect("hi").send(OK)
    caller.head().expect("HTTP/1.1 200 OK")


def AnExpectationThatIsRefusedEndsWithoutTheBody(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno")
    caller.head().expect("HTTP/1.1 417 Expectation Failed", connection="close")
    caller.expect("no").expect_end()
    app.expect_end()


def AResponseThatEndsWithItsConnectionIsNotKept(s):
    proxy, shop = s.pair("--attempts", 0)
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 200 OK\r\n\r\nbody")
    caller.head().expect("HTTP/1.1 200 OK", transfer_encoding="chunked")
    caller.expect("4\r\nbody\r\n")
    app.end()
    caller.expect("0\r\n\r\n")
    app.expect_end()
    _fresh(caller, shop, POST)


def _wait_refused(port):
    try:
        while True:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        pass


def AStopBehindAResponseThatPromisedMoreSaysGoodbye(s):
    proxy, shop = s.inbound()
    caller = proxy.inbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
    caller.head().expect("HTTP/1.1 200 OK", connection=None)
    caller.expect("o")
    proxy.begin("stop")
    _wait_refused(proxy.ports["inbound"])
    app.send("k")
    caller.expect("k")
    caller.head().expect("HTTP/1.1 408 Request Timeout", x_ringside_unprocessed="1",
                         connection="close", content_length="0")
    caller.send(POST)  # crossed it: read and dropped
    caller.expect_end()
    caller.end()
    check(proxy.answer() == "stopped", "not stopped")


def AStopServesWhatHadConnectedOnEveryWorker(s):
    proxy, shop = s.inbound("--workers", 3)
    with _Serving(shop):
        callers = [proxy.inbound() for _ in range(12)]
        proxy.begin("stop")
        for caller in callers:
            caller.send(GET)
        for caller in callers:
            caller.head().expect("HTTP/1.1 200 OK", connection="close")
            caller.expect("ok").expect_end()
    check(proxy.answer() == "stopped", "not stopped")


def ACallerTooManyIsToldAndNothingWasProcessed(s):
    proxy, shop = s.inbound("--connections", 1)
    first = proxy.inbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    second = proxy.inbound()
    second.send(POST)
    head = second.head().expect("HTTP/1.1 503 Service Unavailable", x_ringside_error="overflow",
                                x_ringside_unprocessed="1", connection="close")
    second.read(int(head.get("content-length")))
    second.expect_end()
    second.end()
    app.send(OK)
    first.head().expect("HTTP/1.1 200 OK")
    check(proxy.ask("refused") == "1", proxy.ask("refused"))


def ASidecarThatIsFullCostsNoPost(s):
    full_app, other_app = s.upstream(), s.upstream()
    full = s.proxy("--service", f"shop={full_app.address}", "--connections", 1)
    other = s.proxy("--service", f"shop={other_app.address}")
    holder = full.inbound()
    holder.send(GET)
    full_app.accept().head()
    outbound = s.proxy(
        "--endpoint", f"shop={full_app.address}/{full.ports['inbound']}",
        "--endpoint", f"shop={other_app.address}/{other.ports['inbound']}",
        "--balance", "round_robin", "--attempts", 0)
    caller, app = outbound.outbound(), None
    for _ in range(6):
        caller.send(POST)
        app = app or other_app.accept()
        app.head()
        app.expect("hi").send(OK)
        caller.head().expect("HTTP/1.1 200 OK")
        caller.expect("ok")
    check("shop:retry:refused=" in outbound.ask("stats"), outbound.ask("stats"))


def AnIdleInboundConnectionSaysGoodbyeWhenItsTimeIsUp(s):
    proxy, shop = s.inbound("--timeouts", "1000,0,0,200")
    caller = proxy.inbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(OK)
    caller.head()
    caller.expect("ok")
    caller.head().expect("HTTP/1.1 408 Request Timeout", x_ringside_unprocessed="1",
                         connection="close", content_length="0")
    caller.send(POST)
    caller.expect_end()  # an end, no reset: it reads on
    shop.expect_no_connection()


def SidecarsWhoseIdleTimeRunsOutBetweenCallsLoseNoPost(s):
    """Calls about as far apart as inbound's idle time, so that some cross its goodbyes."""
    app = s.upstream()
    inbound = s.proxy("--service", f"shop={app.address}", "--timeouts", "1000,0,0,600")
    outbound = s.proxy("--endpoint", f"shop={app.address}/{inbound.ports['inbound']}",
                       "--attempts", 0)
    failed = []

    def call(offset):
        caller = outbound.outbound()
        for i in range(5):
            caller.send(POST)
            head = caller.head()
            caller.read(int(head.get("content-length")))
            if head.first != "HTTP/1.1 200 OK":
                failed.append(head.text)
            time.sleep(0.590 + 0.001 * ((i + offset) % 25))

    with _Serving(app):
        callers = [threading.Thread(target=call, args=(i * 3,)) for i in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    check(not failed, f"{len(failed)} failed, e.g. {failed[:1]}")


def ARecycledAddressIsPassedOverAtOnceAndThenAvoided(s):
    bank_app, shop_app = s.upstream(), s.upstream()
    bank = s.proxy("--service", f"bank={bank_app.address}")  # where a shop was a moment ago
    shop = s.proxy("--service", f"shop={shop_app.address}")
    outbound = s.proxy(
        "--endpoint", f"shop={bank_app.address}/{bank.ports['inbound']}",
        "--endpoint", f"shop={shop_app.address}/{shop.ports['inbound']}",
        "--balance", "round_robin", "--attempts", 0)
    caller, app = outbound.outbound(), None
    for _ in range(8):
        caller.send(POST)
        app = app or shop_app.accept()
        app.head().expect("POST / HTTP/1.1", host="shop")
        app.expect("hi").send(OK)
        caller.head().expect("HTTP/1.1 200 OK")
        caller.expect("ok")
    check("shop:retry:refused=1" in outbound.ask("stats").split(), outbound.ask("stats"))
    check("inbound:421=1" in bank.ask("stats").split(), bank.ask("stats"))
    bank_app.expect_no_connection()


def AStrangerIsCalledAgainWhereNobodyElseIsLeft(s):
    proxy, shop = s.sidecar("--attempts", 0)
    caller = proxy.outbound()
    caller.send(POST)
    app = shop.accept()
    app.head()
    app.expect("hi").send("HTTP/1.1 421 Misdirected Request\r\nx-ringside-unprocessed: 1\r\n"
                          "x-ringside-error: wrong_instance\r\nContent-Length: 0\r\n\r\n")
    caller.head().expect("HTTP/1.1 421 Misdirected Request", x_ringside_error="wrong_instance")
    _call(caller, app, POST)


def AnotherInstanceOfTheServiceServesAndSaysItsName(s):
    app = s.upstream()
    inbound = s.proxy("--service", f"shop={app.address}")
    outbound = s.proxy("--endpoint", f"shop=127.0.0.1:1/{inbound.ports['inbound']}")
    caller = outbound.outbound()
    caller.send(POST)
    served = app.accept()
    served.head().expect("POST / HTTP/1.1", x_ringside_instance=None)
    served.expect("hi").send(OK)
    caller.head().expect("HTTP/1.1 200 OK", x_ringside_instance="self-1-00000001")
    check("retry" not in outbound.ask("stats"), outbound.ask("stats"))
