"""Limits over all workers at once: what an app sees of many callers, counted."""
import selectors
import socket
import threading
import time

from waiting import answered, get, next_request, until
from wire import GET, OK, Mismatch, check


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
                answered(wire)
        except (Mismatch, OSError) as problem:
            problems.append(str(problem))

    threads = [threading.Thread(target=call, args=(wire,)) for wire in wires]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not problems, problems[:1])
    check(app.answered == callers * calls, f"{app.answered} answered")
    until(proxy, f"shop:200={callers * calls}", "shop:in_flight=0", "shop:pending=0")
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


def ALimitThatWasLoweredMakesNoWorkerWaitForIdleConnections(s):
    proxy, shop = s.pair("--limits", "4,10,100", "--workers", 3, "--timeouts", "2000,0,0,0")
    callers = [proxy.outbound() for _ in range(12)]  # every third in the same worker
    for caller in callers[0:12:3]:
        caller.send(GET)
        shop.accept().head()
    for caller, app in zip(callers[0:12:3], shop.wires):
        app.send(OK)
        answered(caller)
    check(proxy.ask("limits 1,10,100") == "ok", "no reload")  # four are idle now
    callers[1].send(GET)
    app = shop.accept()
    app.head()
    for idle in shop.wires[:-1]:
        idle.expect_end()
    app.send(OK)
    answered(callers[1])


def ALimitThatWasLoweredMakesNobodyWaitForHisOwnIdleConnections(s):
    proxy, shop = s.pair("--limits", "3,10,100", "--timeouts", "2000,0,0,0")
    callers = [proxy.outbound() for _ in range(3)]
    for caller in callers:
        caller.send(GET)
        shop.accept().head()
    for caller, app in zip(callers, shop.wires):
        app.send(OK)
        answered(caller)
    check(proxy.ask("limits 1,10,100") == "ok", "no reload")
    callers[0].send("CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n")  # never by a connection that was used
    shop.accept()
    check(callers[0].head().first.startswith("HTTP/1.1 200 "), "no tunnel")
    for idle in shop.wires[:-1]:
        idle.expect_end()


def WhoWaitsIsNotSentToAHostWhoseBreakerOpened(s):
    proxy, shop = s.pair("--limits", "1,10,100", "--workers", 2, "--attempts", 0, "--breaker", "1,60000", "--timeouts",
                         "5000,0,0,0")
    callers = [proxy.outbound() for _ in range(6)]
    callers[0].send(GET)
    app = shop.accept()
    app.head()
    for waiting, caller in enumerate(callers[1:], 1):
        caller.send(GET)
        until(proxy, f"shop:pending={waiting}")
    app.send("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno")
    callers[0].head().expect("HTTP/1.1 500 Oh")
    for caller in callers[1:]:
        caller.head().expect("HTTP/1.1 503 Service Unavailable", x_ringside_error="breaker_open")
    callers[0].expect("no")
    app.expect_end()  # without another request
    shop.expect_no_connection(0.05)
    until(proxy, "shop:in_flight=0", "shop:pending=0", "shop:error:breaker_open=5")


def AConnectionThatHadEndedIsReplacedBeforeOthersGetOne(s):
    proxy, shop = s.pair("--limits", "1,1,100", "--timeouts", "5000,0,0,0")
    first, second = proxy.outbound(), proxy.outbound()
    first.send(get("/warm"))
    app = shop.accept()
    app.head()
    app.send(OK)
    answered(first)
    first.send(get("/1"))
    app.head().expect("GET /1 HTTP/1.1")
    second.send(get("/2"))  # the one that may wait
    until(proxy, "shop:pending=1")
    app.close()
    app = shop.accept()
    app.head().expect("GET /1 HTTP/1.1")
    app.send(OK)
    answered(first)
    app.head().expect("GET /2 HTTP/1.1")
    app.send(OK)
    answered(second)


def WhoWaitedInVainForOneHostGoesToAnotherThatHasRoomByThen(s):
    one, two = s.upstream(), s.upstream()
    proxy = s.proxy("--endpoint", f"shop={one.address}", "--endpoint", f"shop={two.address}", "--limits", "1,10,100",
                    "--timeouts", "1500,0,0,0")
    stuck, other, *waiters = (proxy.outbound() for _ in range(4))
    stuck.send(GET)
    held, _ = next_request(one, two)
    other.send(GET)
    app, _ = next_request(one, two)
    for waiting, caller in enumerate(waiters, 1):  # one for each host
        caller.send(GET)
        until(proxy, f"shop:pending={waiting}")
    app.send(OK)
    answered(other)
    for waiting in (1, 0):
        free, _ = next_request(one, two)
        check(free is app, "by the host that is full")
        until(proxy, f"shop:pending={waiting}")
        free.send(OK)
    for caller in waiters:
        answered(caller)
    held.send(OK)
    answered(stuck)
