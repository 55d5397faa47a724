"""Connections that are used again: for how long, how their ends are met."""
import select
import time

from warm import POST, call, fresh, warm
from wire import GET, OK, check


def APostGoesByTheKeepAliveThatTheAppAnnounced(s):
    _, _, caller, app = warm(s, s.pair(), fields="Keep-Alive: timeout=5\r\n")
    time.sleep(0.4)  # over 250 ms, well under 4 s
    call(caller, app, POST)


def AnAnnouncedSecondIsTooShortForAPost(s):
    _, shop, caller, _ = warm(s, s.pair(), fields="Keep-Alive: timeout=1\r\n")
    fresh(caller, shop, POST)


def AnAnnouncedSecondHoldsForAGetUntilFourFifthsOfIt(s):
    _, shop, caller, app = warm(s, s.pair(), fields="Keep-Alive: timeout=1\r\n")
    time.sleep(0.4)
    call(caller, app, fields="Keep-Alive: timeout=1\r\n")
    time.sleep(0.85)
    fresh(caller, shop, GET)


def AnAnnouncementThatBreaksTheGrammarIsNone(s):
    _, shop, caller, _ = warm(s, s.pair(), fields="Keep-Alive: timeout=5s\r\n")
    time.sleep(0.3)
    fresh(caller, shop, POST)


def AConnectionServesNoMoreRequestsThanAnnounced(s):
    _, shop, caller, app = warm(s, s.pair(), fields="Keep-Alive: max=1\r\n")
    call(caller, app)
    app.expect_end()
    app = fresh(caller, shop, GET)
    call(caller, app, fields="Keep-Alive: timeout=9, max=0\r\n")
    app.expect_end()


def AConnectionThatIsPastWhatWasAnnouncedIsClosed(s):
    _, _, _, app = warm(s, s.pair(), fields="Keep-Alive: timeout=1\r\n")
    begin = time.monotonic()
    app.expect_end()
    took = time.monotonic() - begin
    check(took > 0.7, f"closed after {took:.2f} s")


def ACloseThatWasSeenLowersTheLimit(s):
    _, shop, caller, app = warm(s, s.pair())
    begin = time.monotonic()
    time.sleep(0.6)
    app.close()
    idle = time.monotonic() - begin  # from now on four fifths of it
    app = fresh(caller, shop, GET)
    time.sleep(0.05)
    call(caller, app)
    time.sleep(0.95 * idle)
    fresh(caller, shop, GET)


def InboundGoesByTheSameLimitsToItsApp(s):
    _, shop, caller, app = warm(s, s.inbound(), POST)
    call(caller, app, POST)
    time.sleep(0.3)
    app = fresh(caller, shop, POST)
    call(caller, app, POST, "Keep-Alive: timeout=5\r\n")
    time.sleep(0.3)
    call(caller, app, POST)


def ToASidecarAPostMayUseAnOldConnection(s):
    _, _, caller, app = warm(s, s.sidecar())
    time.sleep(0.3)
    call(caller, app, POST)


def WhatCanNotBeHeldAvoidsAnOldConnectionEvenToASidecar(s):
    body = "x" * (64 * 1024) + "the end"
    for framing, sent in ((f"Content-Length: {len(body)}", body),
                          ("Transfer-Encoding: chunked", "2\r\nhi\r\n0\r\n\r\n")):
        _, shop, caller, _ = warm(s, s.sidecar())
        time.sleep(0.3)
        fresh(caller, shop, f"POST / HTTP/1.1\r\nHost: shop\r\n{framing}\r\n\r\n{sent}")


def AnAppsTimeoutOfAnIdleConnectionIsRetriedForGetOnly(s):
    timeout = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    _, shop, caller, old = warm(s, s.pair("--attempts", 0))
    caller.send(GET)
    old.head()
    old.send(timeout).end()
    app = shop.accept()
    app.head()
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")
    _, shop, caller, old = warm(s, s.pair("--attempts", 0))
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
    fresh(caller, shop, POST)
