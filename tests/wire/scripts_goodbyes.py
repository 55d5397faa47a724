"""What is said when a connection ends or is refused, and what a caller's sidecar makes of it; who is at an address."""
import socket
import threading
import time

from warm import POST, Serving, call, fresh, warm
from wire import GET, OK, check

GOODBYE = ("HTTP/1.1 408 Request Timeout\r\nx-ringside-unprocessed: 1\r\nConnection: close\r\n"
           "Content-Length: 0\r\n\r\n")


def AGoodbyeThatCrossedIsFollowedByTheWholeBodyAgain(s):
    body = "0123456789" * 6000
    post = f"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: {len(body)}\r\n\r\n"
    proxy, shop, caller, old = warm(s, s.sidecar("--attempts", 0))
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
        _, shop, caller, old = warm(s, s.sidecar("--attempts", 0))
        caller.send(POST)
        old.head()
        old.send(GOODBYE).reset()
        app = shop.accept()
        app.head()
        app.expect("hi").send(OK)
        caller.head().expect("HTTP/1.1 200 OK")


def ASidecarThatResetsItsIdleConnectionsWithAGoodbyeLosesNoPost(s):
    """Goodbye and reset are there before the request leaves."""
    _, shop, caller, old = warm(s, s.sidecar("--attempts", 0))
    for _ in range(20):
        old.send(GOODBYE).reset()
        old = fresh(caller, shop, POST)


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


def AnExpectationThatMeetsAGoodbyeGoesToAFreshConnection(s):
    _, shop, caller, old = warm(s, s.sidecar("--attempts", 0))
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    old.head()
    old.send(GOODBYE).end()
    app = shop.accept()
    app.head().expect("POST / HTTP/1.1", expect="100-continue")
    app.send("HTTP/1.1 100 Continue\r\n\r\n")
    caller.expect("HTTP/1.1 100 Continue\r\n\r\n").send("hi")
    app.expect("hi").send(OK)
    caller.head().expect("HTTP/1.1 200 OK")


def _wait_refused(port):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            pass  # just then


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


def AStopLeavesNobodyWithoutAWordOnAnyWorker(s):
    """Who had connected is served, or told that nothing was processed; nobody is reset."""
    proxy, shop = s.inbound("--workers", 3)
    with Serving(shop):
        callers = [proxy.inbound() for _ in range(12)]
        proxy.begin("stop")
        for caller in callers:
            caller.send(GET)
        for caller in callers:
            head = caller.head()
            caller.read(int(head.get("content-length")))
            if head.get("connection") is None:  # served before the stop came
                head.expect("HTTP/1.1 200 OK")
                head = caller.head().expect("HTTP/1.1 408 Request Timeout")
            head.expect(head.first, connection="close")
            if head.first != "HTTP/1.1 200 OK":
                head.expect("HTTP/1.1 408 Request Timeout", x_ringside_unprocessed="1")
            caller.expect_end()
            caller.end()
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

    with Serving(app):
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
    call(caller, app, POST)


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
