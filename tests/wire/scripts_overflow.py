"""limits.connections, .pending and .requests: who waits, who is turned away, who comes next."""
import time

from waiting import answered, get, next_request, overflow, rss, until
from wire import GET, LIMIT, OK, check, dead_port

POST = "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi"


def ARequestOverTheLimitWaitsForAnotherToEnd(s):
    proxy, shop = s.pair("--limits", "100,10,1")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(get("/1"))
    app = shop.accept()
    app.head()
    second.send(get("/2"))
    until(proxy, "shop:pending=1", "shop:in_flight=2")
    app.expect_quiet(0.1)
    shop.expect_no_connection(0.05)
    app.send(OK)
    answered(first)
    app.head().expect("GET /2 HTTP/1.1")  # by the connection that came free
    until(proxy, "shop:pending=0")
    app.send(OK)
    answered(second)
    until(proxy, "shop:in_flight=0", "shop:200=2")


def WaitersComeInTheOrderInWhichTheyCameOverAllWorkers(s):
    proxy, shop = s.pair("--limits", "100,10,1", "--workers", 2, "--timeouts", "5000,0,0,0")
    callers = [proxy.outbound() for _ in range(7)]
    order = [0, 3, 1, 2, 6, 5, 4]
    for waiting, i in enumerate(order):
        callers[i].send(get(f"/{i}"))
        until(proxy, f"shop:pending={waiting}", f"shop:in_flight={waiting + 1}")
    for i in order:
        app, head = next_request(shop)
        head.expect(f"GET /{i} HTTP/1.1")
        app.send(OK)
        answered(callers[i])
    check(proxy.ask("open").split() == ["4", "3"], "the callers are not on both workers")


def WhoFindsNoPlaceToWaitIsTurnedAwayAtOnce(s):
    proxy, shop = s.pair("--limits", "100,1,1", "--workers", 2)
    first, second, third = proxy.outbound(), proxy.outbound(), proxy.outbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    second.send(GET)
    until(proxy, "shop:pending=1")
    third.send(GET)
    body = overflow(third)
    for part in ("limits.requests (1) is reached", "limits.pending (1)", "raise upstreams.shop.limits.requests",
                 "defaults.limits.requests", "upstream: shop"):
        check(part in body, body)
    third.send("GET / HTTP/1.1\r\nHost: nobody\r\n\r\n")  # kept alive
    third.head().expect("HTTP/1.1 503 Service Unavailable", x_ringside_error="no_endpoints")
    until(proxy, "shop:error:overflow=1", "shop:503=1", "shop:pending=1")
    app.send(OK)
    answered(first)


def PendingZeroMeansThatNobodyWaits(s):
    proxy, shop = s.pair("--limits", "1,0,1")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    second.send(GET)
    check("limits.pending (0)" in overflow(second), "the wrong limit")
    app.send(OK)
    answered(first)
    second.send(GET)
    app.head()
    app.send(OK)
    answered(second)


def AWaiterIsTurnedAwayAfterTheConnectTimeout(s):
    proxy, shop = s.pair("--limits", "100,10,1", "--timeouts", "150,0,0,0")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    begin = time.monotonic()
    second.send(GET)
    body = overflow(second)
    check(0.14 <= time.monotonic() - begin, "too early")
    check("waited 150 ms (timeouts.connect) for one of limits.requests (1)" in body, body)
    until(proxy, "shop:pending=0", "shop:error:overflow=1")
    app.send(OK)
    answered(first)
    second.send(GET)
    app.head()
    app.send(OK)
    answered(second)


def TheWaitIsNoPartOfTheResponseTime(s):
    for limits in ("100,10,1", "1,10,100"):
        proxy, shop = s.pair("--limits", limits, "--timeouts", "5000,0,1000,0")
        first, second = proxy.outbound(), proxy.outbound()
        first.send(GET)
        app = shop.accept()
        app.head()
        time.sleep(0.6)
        second.send(GET)
        app.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")  # it goes on for longer than a head may take
        first.head()
        time.sleep(1.2)
        app.send("k")
        first.read(2)
        app.head()
        time.sleep(0.3)
        app.send(OK)
        answered(second)


def ACallerThatGoesAwayLeavesTheQueue(s):
    proxy, shop = s.pair("--limits", "100,2,1", "--workers", 2)
    first, gone, last = proxy.outbound(), proxy.outbound(), proxy.outbound()
    first.send(get("/first"))
    app = shop.accept()
    app.head()
    gone.send(get("/gone"))
    until(proxy, "shop:pending=1")
    last.send(get("/last"))
    until(proxy, "shop:pending=2")
    gone.reset()
    until(proxy, "shop:pending=1", "shop:499=1")
    app.send(OK)
    answered(first)
    app, head = next_request(shop)
    head.expect("GET /last HTTP/1.1")
    app.send(OK)
    answered(last)
    until(proxy, "shop:in_flight=0", "shop:pending=0")


def AConnectionOverTheLimitIsNotOpened(s):
    proxy, shop = s.pair("--limits", "1,10,100")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(get("/1"))
    app = shop.accept()
    app.head()
    second.send(get("/2"))
    until(proxy, "shop:pending=1")
    shop.expect_no_connection(0.1)
    app.send(OK)
    answered(first)
    app.head().expect("GET /2 HTTP/1.1")  # the connection itself goes to who waits in the same worker
    app.send(OK)
    answered(second)
    shop.expect_no_connection(0.05)


def AConnectionThatEndsMakesRoomForAnother(s):
    proxy, shop = s.pair("--limits", "1,10,100")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(get("/1"))
    app = shop.accept()
    app.head()
    second.send(POST)
    until(proxy, "shop:pending=1")
    app.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    first.head().expect("HTTP/1.1 200 OK")
    app.expect_end()
    app = shop.accept()
    app.head().expect("POST / HTTP/1.1")
    app.expect("hi").send(OK)
    answered(second)


def WhoWaitsTooLongForAConnectionIsToldTo(s):
    proxy, shop = s.pair("--limits", "1,10,100", "--timeouts", "150,0,0,0")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    second.send(GET)
    body = overflow(second)
    check(f"waited 150 ms (timeouts.connect) for one of limits.connections (1) to {shop.address}" in body, body)
    check("raise upstreams.shop.limits.connections" in body, body)
    app.send(OK)
    answered(first)


def AnIdleConnectionOfAnotherWorkerIsGivenUp(s):
    proxy, shop = s.pair("--limits", "1,10,100", "--workers", 3)
    callers = [proxy.outbound() for _ in range(3)]
    for i in (0, 1, 2, 0, 2):  # each time it is another worker that has the one connection
        callers[i].send(get(f"/{i}"))
        app = shop.accept()
        app.head().expect(f"GET /{i} HTTP/1.1")
        for wire in shop.wires[:-1]:
            wire.expect_end()
        app.send(OK)
        answered(callers[i])
    until(proxy, "shop:pending=0", "shop:200=5")


def AConnectionThatComesFreeGoesToAWaiterOfAnotherWorker(s):
    proxy, shop = s.pair("--limits", "1,10,100", "--workers", 2)
    first, second, third = (proxy.outbound() for _ in range(3))
    first.send(get("/1"))
    app = shop.accept()
    app.head()
    second.send(get("/2"))
    until(proxy, "shop:pending=1")
    third.send(get("/3"))  # in the worker of the first
    until(proxy, "shop:pending=2")
    app.send(OK)
    answered(first)
    app.expect_end()
    app = shop.accept()
    app.head().expect("GET /2 HTTP/1.1")
    app.send(OK)
    answered(second)
    app.expect_end()
    app = shop.accept()
    app.head().expect("GET /3 HTTP/1.1")
    app.send(OK)
    answered(third)


def AConnectionPassedOnIsNotUsedForAPostThatItMayNotCarry(s):
    proxy, shop = s.pair("--limits", "1,10,100")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    second.send(POST)
    until(proxy, "shop:pending=1")
    # Less a fifth and at least 1 s, nothing is left of the time that is announced.
    app.send("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok")
    answered(first)
    app.expect_end()
    app = shop.accept()
    app.head().expect("POST / HTTP/1.1")
    app.expect("hi").send(OK)
    answered(second)


def AnIdleConnectionTooOldForAPostMakesRoomForAFreshOne(s):
    proxy, shop = s.pair("--limits", "1,10,100")
    caller = proxy.outbound()
    caller.send(GET)
    old = shop.accept()
    old.head()
    old.send(OK)
    answered(caller)
    time.sleep(0.3)
    caller.send(POST)
    fresh = shop.accept()
    old.expect_end()
    fresh.head()
    fresh.expect("hi").send(OK)
    answered(caller)


def AHostWithRoomIsTakenBeforeAnybodyWaits(s):
    one, two = s.upstream(), s.upstream()
    proxy = s.proxy("--endpoint", f"shop={one.address}", "--endpoint", f"shop={two.address}", "--balance", "round_robin",
                    "--limits", "1,10,100")
    stuck, other, last = proxy.outbound(), proxy.outbound(), proxy.outbound()
    stuck.send(get("/stuck"))
    held, _ = next_request(one, two)
    for i in range(4):  # each second pick is the host that is full
        other.send(get(f"/{i}"))
        app, head = next_request(one, two)
        head.expect(f"GET /{i} HTTP/1.1")
        app.send(OK)
        answered(other)
    other.send(get("/both"))
    app, _ = next_request(one, two)
    last.send(get("/last"))
    until(proxy, "shop:pending=1")  # all are full now
    held.send(OK)
    app.send(OK)
    answered(stuck)
    answered(other)
    app, head = next_request(one, two)
    head.expect("GET /last HTTP/1.1")
    app.send(OK)
    answered(last)


def ARetryWaitsForTheHostThatIsLeft(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{dead_port()}", "--endpoint", f"shop={shop.address}", "--limits", "1,10,100",
                    "--balance", "round_robin", "--no-breaker")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(get("/1"))
    app = shop.accept()
    app.head()
    second.send(get("/2"))
    until(proxy, "shop:pending=1")
    app.send(OK)
    answered(first)
    app.head().expect("GET /2 HTTP/1.1")
    app.send(OK)
    answered(second)


def AReloadThatRaisesALimitLetsWaitersIn(s):
    proxy, shop = s.pair("--limits", "1,10,2", "--workers", 2, "--timeouts", "5000,0,0,0")
    callers = [proxy.outbound() for _ in range(4)]
    callers[0].send(get("/0"))
    apps = [shop.accept()]
    apps[0].head()
    for i in (1, 2, 3):  # the second waits for a connection, the others for a request to end
        callers[i].send(get(f"/{i}"))
        until(proxy, f"shop:pending={i}")
    check(proxy.ask("limits 3,10,3") == "ok", "no reload")
    apps += [shop.accept(), shop.accept()]
    until(proxy, "shop:pending=1")
    check(proxy.ask("limits 4,10,4") == "ok", "no reload")
    apps.append(shop.accept())
    until(proxy, "shop:pending=0")
    for app in apps:
        app.send(OK)
    for caller in callers:
        answered(caller)


def AReloadThatLowersALimitClosesWhatComesBack(s):
    proxy, shop = s.pair("--limits", "2,10,100")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(get("/1"))
    one = shop.accept()
    one.head()
    second.send(get("/2"))
    two = shop.accept()
    two.head()
    check(proxy.ask("limits 1,10,100") == "ok", "no reload")
    one.send(OK)
    answered(first)
    one.expect_end()
    two.send(OK)
    answered(second)
    first.send(get("/3"))
    two.head().expect("GET /3 HTTP/1.1")
    two.send(OK)
    answered(first)


def AProbeThatWaitsAndGoesAwayIsGivenBack(s):
    proxy, shop = s.pair("--limits", "2,10,100", "--attempts", 0, "--breaker", "1,50")
    long, failing, prober, last = (proxy.outbound() for _ in range(4))
    long.send(get("/long"))
    app = shop.accept()
    app.head()
    failing.send(GET)
    other = shop.accept()
    other.head()
    other.send("HTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")  # opens the breaker
    failing.head().expect("HTTP/1.1 500 Oh")
    other.expect_end()
    check(proxy.ask("limits 1,10,100") == "ok", "no reload")
    time.sleep(0.06)
    prober.send(GET)  # the one probe, which has no connection to go by
    until(proxy, "shop:pending=1")
    last.send(GET)
    last.head().expect("HTTP/1.1 503 Service Unavailable", x_ringside_error="breaker_open")
    prober.reset()
    until(proxy, "shop:pending=0")
    app.send(OK)
    answered(long)
    failing.read(2)
    failing.send(get("/probe"))
    app.head().expect("GET /probe HTTP/1.1")
    app.send(OK)
    answered(failing)


def AWaitingRequestTakesLittleMemory(s):
    proxy, shop = s.pair("--limits", "100,10,1", "--timeouts", "3000,0,0,0")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    second.send("PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000000\r\n\r\n")
    until(proxy, "shop:pending=1")
    before = rss(proxy)
    second.sock.settimeout(0.3)
    sent = 0
    try:
        while sent < 200 * 1024 * 1024:
            sent += second.sock.send(b"x" * 1024 * 1024)
        check(False, "the proxy took it all")
    except TimeoutError:
        pass
    check(proxy.ports["sanitized"] or rss(proxy) - before < 4 * 1024 * 1024, "it grew")
    second.sock.settimeout(LIMIT)
    app.send(OK)
    answered(first)
    app.head().expect("PUT / HTTP/1.1")
    app.read(sent)  # nothing of it is lost


def ATunnelHoldsItsConnectionAndItsRequest(s):
    for limits in ("1,10,5", "5,10,1"):
        proxy, shop = s.pair("--limits", limits)
        tunnel, second = proxy.outbound(), proxy.outbound()
        tunnel.send("CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n")
        app = shop.accept()
        check(tunnel.head().first.startswith("HTTP/1.1 200 "), "no tunnel")
        tunnel.send("raw")
        app.expect("raw")
        second.send(GET)
        until(proxy, "shop:pending=1", "shop:in_flight=2")
        shop.expect_no_connection(0.05)
        app.end()
        tunnel.end()
        app = shop.accept()
        app.head()
        app.send(OK)
        answered(second)
        until(proxy, "shop:in_flight=0", "shop:pending=0")


def ATunnelThatWaitsTakesNoConnectionThatWasUsed(s):
    proxy, shop = s.pair("--limits", "1,10,5")
    first, tunnel = proxy.outbound(), proxy.outbound()
    first.send(GET)
    used = shop.accept()
    used.head()
    tunnel.send("CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n")
    until(proxy, "shop:pending=1")
    used.send(OK)
    answered(first)
    used.expect_end()
    fresh = shop.accept()
    check(tunnel.head().first.startswith("HTTP/1.1 200 "), "no tunnel")
    tunnel.send("raw")
    fresh.expect("raw")
