"""limits.connections, .pending and .requests, over all workers: who waits, who is turned away, who comes next."""
import os
import selectors
import socket
import threading
import time

from wire import GET, LIMIT, OK, Mismatch, check, dead_port

POST = "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi"


def _get(path):
    return f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n"


def _until(proxy, *words):
    """Waits until `stats` has all words."""
    end = time.monotonic() + LIMIT
    while True:
        stats = proxy.ask("stats")
        sums = _sums(stats)
        if all(sums.get(word.split("=")[0], 0) == int(word.split("=")[1]) for word in words):
            return
        check(time.monotonic() < end, f"no {words} in {stats}")
        time.sleep(0.005)


def _sums(stats):
    """Each counter, summed over the workers."""
    sums = {}
    for word in stats.split():
        name, value = word.rsplit("=", 1)
        sums[name] = sums.get(name, 0) + int(value)
    return sums


def _overflow(caller):
    head = caller.head().expect("HTTP/1.1 503 Service Unavailable", x_ringside_error="overflow")
    return caller.read(int(head.get("content-length"))).decode()


def _answered(caller):
    caller.head().expect("HTTP/1.1 200 OK")
    caller.expect("ok")


def _next_request(*apps):
    """Whichever connection of these upstreams a request comes by next, an old one or a new one: (its wire, the head)."""
    with selectors.DefaultSelector() as chosen:
        for app in apps:
            chosen.register(app.listener, selectors.EVENT_READ, app)
            for wire in app.wires:
                if not wire.ended:
                    chosen.register(wire.sock, selectors.EVENT_READ, wire)
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            for key, _ in chosen.select(LIMIT):
                if key.fileobj in [app.listener for app in apps]:
                    wire = key.data.accept()
                    chosen.register(wire.sock, selectors.EVENT_READ, wire)
                elif key.data._fill():
                    return key.data, key.data.head()
                else:
                    chosen.unregister(key.fileobj)
    raise Mismatch("no request came")


def ARequestOverTheLimitWaitsForAnotherToEnd(s):
    proxy, shop = s.pair("--limits", "100,10,1")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(_get("/1"))
    app = shop.accept()
    app.head()
    second.send(_get("/2"))
    _until(proxy, "shop:pending=1", "shop:in_flight=2")
    app.expect_quiet(0.1)
    shop.expect_no_connection(0.05)
    app.send(OK)
    _answered(first)
    app.head().expect("GET /2 HTTP/1.1")  # by the connection that came free
    _until(proxy, "shop:pending=0")
    app.send(OK)
    _answered(second)
    _until(proxy, "shop:in_flight=0", "shop:200=2")


def WaitersComeInTheOrderInWhichTheyCameOverAllWorkers(s):
    proxy, shop = s.pair("--limits", "100,10,1", "--workers", 2, "--timeouts", "5000,0,0,0")
    callers = [proxy.outbound() for _ in range(7)]
    order = [0, 3, 1, 2, 6, 5, 4]
    for waiting, i in enumerate(order):
        callers[i].send(_get(f"/{i}"))
        _until(proxy, f"shop:pending={waiting}", f"shop:in_flight={waiting + 1}")
    for i in order:
        app, head = _next_request(shop)
        head.expect(f"GET /{i} HTTP/1.1")
        app.send(OK)
        _answered(callers[i])
    check(proxy.ask("open").split() == ["4", "3"], "the callers are not on both workers")


def WhoFindsNoPlaceToWaitIsTurnedAwayAtOnce(s):
    proxy, shop = s.pair("--limits", "100,1,1", "--workers", 2)
    first, second, third = proxy.outbound(), proxy.outbound(), proxy.outbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    second.send(GET)
    _until(proxy, "shop:pending=1")
    third.send(GET)
    body = _overflow(third)
    for part in ("limits.requests (1) is reached", "limits.pending (1)", "raise upstreams.shop.limits.requests",
                 "defaults.limits.requests", "upstream: shop"):
        check(part in body, body)
    third.send("GET / HTTP/1.1\r\nHost: nobody\r\n\r\n")  # kept alive
    third.head().expect("HTTP/1.1 503 Service Unavailable", x_ringside_error="no_endpoints")
    _until(proxy, "shop:error:overflow=1", "shop:503=1", "shop:pending=1")
    app.send(OK)
    _answered(first)


def PendingZeroMeansThatNobodyWaits(s):
    proxy, shop = s.pair("--limits", "1,0,1")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    second.send(GET)
    check("limits.pending (0)" in _overflow(second), "the wrong limit")
    app.send(OK)
    _answered(first)
    second.send(GET)
    app.head()
    app.send(OK)
    _answered(second)


def AWaiterIsTurnedAwayAfterTheConnectTimeout(s):
    proxy, shop = s.pair("--limits", "100,10,1", "--timeouts", "150,0,0,0")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    begin = time.monotonic()
    second.send(GET)
    body = _overflow(second)
    check(0.14 <= time.monotonic() - begin, "too early")
    check("waited 150 ms (timeouts.connect) for one of limits.requests (1)" in body, body)
    _until(proxy, "shop:pending=0", "shop:error:overflow=1")
    app.send(OK)
    _answered(first)
    second.send(GET)
    app.head()
    app.send(OK)
    _answered(second)


def ACallerThatGoesAwayLeavesTheQueue(s):
    proxy, shop = s.pair("--limits", "100,2,1", "--workers", 2)
    first, gone, last = proxy.outbound(), proxy.outbound(), proxy.outbound()
    first.send(_get("/first"))
    app = shop.accept()
    app.head()
    gone.send(_get("/gone"))
    _until(proxy, "shop:pending=1")
    last.send(_get("/last"))
    _until(proxy, "shop:pending=2")
    gone.reset()
    _until(proxy, "shop:pending=1", "shop:499=1")
    app.send(OK)
    _answered(first)
    app, head = _next_request(shop)
    head.expect("GET /last HTTP/1.1")
    app.send(OK)
    _answered(last)
    _until(proxy, "shop:in_flight=0", "shop:pending=0")


def AConnectionOverTheLimitIsNotOpened(s):
    proxy, shop = s.pair("--limits", "1,10,100")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(_get("/1"))
    app = shop.accept()
    app.head()
    second.send(_get("/2"))
    _until(proxy, "shop:pending=1")
    shop.expect_no_connection(0.1)
    app.send(OK)
    _answered(first)
    app.head().expect("GET /2 HTTP/1.1")  # the connection itself goes to who waits in the same worker
    app.send(OK)
    _answered(second)
    shop.expect_no_connection(0.05)


def AConnectionThatEndsMakesRoomForAnother(s):
    proxy, shop = s.pair("--limits", "1,10,100")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(_get("/1"))
    app = shop.accept()
    app.head()
    second.send(POST)
    _until(proxy, "shop:pending=1")
    app.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    first.head().expect("HTTP/1.1 200 OK")
    app.expect_end()
    app = shop.accept()
    app.head().expect("POST / HTTP/1.1")
    app.expect("hi").send(OK)
    _answered(second)


def WhoWaitsTooLongForAConnectionIsToldTo(s):
    proxy, shop = s.pair("--limits", "1,10,100", "--timeouts", "150,0,0,0")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    second.send(GET)
    body = _overflow(second)
    check(f"waited 150 ms (timeouts.connect) for one of limits.connections (1) to {shop.address}" in body, body)
    check("raise upstreams.shop.limits.connections" in body, body)
    app.send(OK)
    _answered(first)


def AnIdleConnectionOfAnotherWorkerIsGivenUp(s):
    proxy, shop = s.pair("--limits", "1,10,100", "--workers", 3)
    callers = [proxy.outbound() for _ in range(3)]
    for i in (0, 1, 2, 0, 2):  # each time it is another worker that has the one connection
        callers[i].send(_get(f"/{i}"))
        app = shop.accept()
        app.head().expect(f"GET /{i} HTTP/1.1")
        for wire in shop.wires[:-1]:
            wire.expect_end()
        app.send(OK)
        _answered(callers[i])
    _until(proxy, "shop:pending=0", "shop:200=5")


def AConnectionThatComesFreeGoesToAWaiterOfAnotherWorker(s):
    proxy, shop = s.pair("--limits", "1,10,100", "--workers", 2)
    first, second, third = (proxy.outbound() for _ in range(3))
    first.send(_get("/1"))
    app = shop.accept()
    app.head()
    second.send(_get("/2"))
    _until(proxy, "shop:pending=1")
    third.send(_get("/3"))  # in the worker of the first
    _until(proxy, "shop:pending=2")
    app.send(OK)
    _answered(first)
    app.expect_end()
    app = shop.accept()
    app.head().expect("GET /2 HTTP/1.1")
    app.send(OK)
    _answered(second)
    app.expect_end()
    app = shop.accept()
    app.head().expect("GET /3 HTTP/1.1")
    app.send(OK)
    _answered(third)


def AnIdleConnectionTooOldForAPostMakesRoomForAFreshOne(s):
    proxy, shop = s.pair("--limits", "1,10,100")
    caller = proxy.outbound()
    caller.send(GET)
    old = shop.accept()
    old.head()
    old.send(OK)
    _answered(caller)
    time.sleep(0.3)
    caller.send(POST)
    fresh = shop.accept()
    old.expect_end()
    fresh.head()
    fresh.expect("hi").send(OK)
    _answered(caller)


def AHostWithRoomIsTakenBeforeAnybodyWaits(s):
    one, two = s.upstream(), s.upstream()
    proxy = s.proxy("--endpoint", f"shop={one.address}", "--endpoint", f"shop={two.address}", "--balance", "round_robin",
                    "--limits", "1,10,100")
    stuck, other, last = proxy.outbound(), proxy.outbound(), proxy.outbound()
    stuck.send(_get("/stuck"))
    held, _ = _next_request(one, two)
    for i in range(4):  # each second pick is the host that is full
        other.send(_get(f"/{i}"))
        app, head = _next_request(one, two)
        head.expect(f"GET /{i} HTTP/1.1")
        app.send(OK)
        _answered(other)
    other.send(_get("/both"))
    app, _ = _next_request(one, two)
    last.send(_get("/last"))
    _until(proxy, "shop:pending=1")  # all are full now
    held.send(OK)
    app.send(OK)
    _answered(stuck)
    _answered(other)
    app, head = _next_request(one, two)
    head.expect("GET /last HTTP/1.1")
    app.send(OK)
    _answered(last)


def ARetryWaitsForTheHostThatIsLeft(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{dead_port()}", "--endpoint", f"shop={shop.address}", "--limits", "1,10,100",
                    "--balance", "round_robin", "--no-breaker")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(_get("/1"))
    app = shop.accept()
    app.head()
    second.send(_get("/2"))
    _until(proxy, "shop:pending=1")
    app.send(OK)
    _answered(first)
    app.head().expect("GET /2 HTTP/1.1")
    app.send(OK)
    _answered(second)


def AReloadThatRaisesALimitLetsWaitersIn(s):
    proxy, shop = s.pair("--limits", "1,10,2", "--workers", 2, "--timeouts", "5000,0,0,0")
    callers = [proxy.outbound() for _ in range(4)]
    callers[0].send(_get("/0"))
    apps = [shop.accept()]
    apps[0].head()
    for i in (1, 2, 3):  # the second waits for a connection, the others for a request to end
        callers[i].send(_get(f"/{i}"))
        _until(proxy, f"shop:pending={i}")
    check(proxy.ask("limits 3,10,3") == "ok", "no reload")
    apps += [shop.accept(), shop.accept()]
    _until(proxy, "shop:pending=1")
    check(proxy.ask("limits 4,10,4") == "ok", "no reload")
    apps.append(shop.accept())
    _until(proxy, "shop:pending=0")
    for app in apps:
        app.send(OK)
    for caller in callers:
        _answered(caller)


def AReloadThatLowersALimitClosesWhatComesBack(s):
    proxy, shop = s.pair("--limits", "2,10,100")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(_get("/1"))
    one = shop.accept()
    one.head()
    second.send(_get("/2"))
    two = shop.accept()
    two.head()
    check(proxy.ask("limits 1,10,100") == "ok", "no reload")
    one.send(OK)
    _answered(first)
    one.expect_end()
    two.send(OK)
    _answered(second)
    first.send(_get("/3"))
    two.head().expect("GET /3 HTTP/1.1")
    two.send(OK)
    _answered(first)


def AProbeThatWaitsAndGoesAwayIsGivenBack(s):
    proxy, shop = s.pair("--limits", "2,10,100", "--attempts", 0, "--breaker", "1,50")
    long, failing, prober, last = (proxy.outbound() for _ in range(4))
    long.send(_get("/long"))
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
    _until(proxy, "shop:pending=1")
    last.send(GET)
    last.head().expect("HTTP/1.1 503 Service Unavailable", x_ringside_error="breaker_open")
    prober.reset()
    _until(proxy, "shop:pending=0")
    app.send(OK)
    _answered(long)
    failing.read(2)
    failing.send(_get("/probe"))
    app.head().expect("GET /probe HTTP/1.1")
    app.send(OK)
    _answered(failing)


def AWaitingRequestTakesLittleMemory(s):
    proxy, shop = s.pair("--limits", "100,10,1", "--timeouts", "3000,0,0,0")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(GET)
    app = shop.accept()
    app.head()
    second.send("PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000000\r\n\r\n")
    _until(proxy, "shop:pending=1")
    before = _rss(proxy)
    second.sock.settimeout(0.3)
    sent = 0
    try:
        while sent < 200 * 1024 * 1024:
            sent += second.sock.send(b"x" * 1024 * 1024)
        check(False, "the proxy took it all")
    except TimeoutError:
        pass
    check(proxy.ports["sanitized"] or _rss(proxy) - before < 4 * 1024 * 1024, "it grew")
    second.sock.settimeout(LIMIT)
    app.send(OK)
    _answered(first)
    app.head().expect("PUT / HTTP/1.1")
    app.read(sent)  # nothing of it is lost


def _rss(proxy):
    with open(f"/proc/{proxy.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class _CountingApp:
    """Answers each request after a moment; knows how many requests and connections it had at most at a time."""

    def __init__(self, upstream, limit):
        self.listener = upstream.listener
        self.limit = limit
        self.open = {}  # socket -> bytes
        self.most_open = self.most_running = self.answered = 0
        self.held = []  # requests to be answered
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        self.listener.settimeout(0)
        with selectors.DefaultSelector() as chosen:
            chosen.register(self.listener, selectors.EVENT_READ)
            while not self.over.is_set():
                ready = [key.fileobj for key, _ in chosen.select(0.002)]
                for sock in [one for one in ready if one is not self.listener]:
                    self.read(sock, chosen)
                if self.listener in ready:
                    self.take(chosen)
                self.most_running = max(self.most_running, len(self.held))
                # Some are answered while others wait, so that connections and requests overlap in all ways.
                for sock in self.held[:max(1, len(self.held) // 2)]:
                    self.held.remove(sock)
                    self.answered += 1
                    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def take(self, chosen):
        sock, _ = self.listener.accept()
        sock.setblocking(False)
        end = time.monotonic() + 1
        while len(self.open) >= self.limit and time.monotonic() < end:
            # The end of the one that was closed for it may be a moment behind.
            if not self.drop_ended(chosen):
                time.sleep(0.001)
        self.open[sock] = b""
        self.most_open = max(self.most_open, len(self.open))
        chosen.register(sock, selectors.EVENT_READ)

    def drop_ended(self, chosen):
        dropped = False
        for sock in list(self.open):
            try:
                if sock.recv(1, socket.MSG_PEEK) == b"":
                    self.end(sock, chosen)
                    dropped = True
            except BlockingIOError:
                pass
            except ConnectionResetError:
                self.end(sock, chosen)
                dropped = True
        return dropped

    def end(self, sock, chosen):
        chosen.unregister(sock)
        del self.open[sock]
        sock.close()

    def read(self, sock, chosen):
        if sock not in self.open:
            return
        try:
            data = sock.recv(65536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self.end(sock, chosen)
            return
        self.open[sock] += data
        if self.open[sock].endswith(b"\r\n\r\n"):
            self.open[sock] = b""
            self.held.append(sock)

    def close(self):
        self.over.set()
        self.thread.join()
        for sock in self.open:
            sock.close()


def _many_calls(s, limits, callers, calls, workers=2):
    proxy, shop = s.pair("--limits", limits, "--workers", workers, "--timeouts", "60000,0,0,0")
    app = _CountingApp(shop, int(limits.split(",")[0]))
    s.stack.callback(app.close)
    wires = [proxy.outbound() for _ in range(callers)]
    problems = []

    def call(wire):
        try:
            for _ in range(calls):
                wire.sock.settimeout(60)
                wire.send(GET)
                _answered(wire)
        except (Mismatch, OSError) as problem:
            problems.append(str(problem))

    threads = [threading.Thread(target=call, args=(wire,)) for wire in wires]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not problems, problems[:1])
    check(app.answered == callers * calls, f"{app.answered} answered")
    _until(proxy, f"shop:200={callers * calls}", "shop:in_flight=0", "shop:pending=0")
    return app


def TwoWorkersTogetherKeepToTheLimitOfRequests(s):
    app = _many_calls(s, "100,1000,4", 24, 40)
    check(app.most_running == 4, f"{app.most_running} requests at a time")


def TwoWorkersTogetherKeepToTheLimitOfConnections(s):
    app = _many_calls(s, "3,1000,100", 24, 40)
    check(app.most_open == 3, f"{app.most_open} connections at a time")
    check(app.most_running == 3, f"{app.most_running} requests at a time")


def BothLimitsHoldTogether(s):
    app = _many_calls(s, "2,1000,5", 16, 40, workers=3)
    check(app.most_open == 2, f"{app.most_open} connections at a time")
