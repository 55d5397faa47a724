"""Slow peers: a healthy stream is never cut, however slow; a peer that has stopped is, by timeouts.idle. Time itself is
the matter in all of these."""
import socket
import threading
import time

from waiting import rss
from wire import GET, LIMIT, OK, Mismatch, Wire, check

STEP = 128 * 1024


def _slow_reader(proxy):
    """A caller whose kernel takes little."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    sock.connect(("127.0.0.1", proxy.ports["outbound"]))
    wire = Wire(sock)
    proxy.wires.append(wire)
    return wire


def _small_app(shop):
    shop.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)


def _own_answer(caller, status, cause):
    head = caller.head()
    check(head.first.split(" ")[1] == str(status) and head.get("x-ringside-error") == cause, head.text)
    return caller.read(int(head.get("content-length"))).decode()


def AnEventNowAndThenKeepsAStreamOpen(s):
    proxy, shop = s.pair("--timeouts", "1000,300,300,600")
    caller = proxy.outbound()
    caller.send("GET /events HTTP/1.1\r\nHost: shop\r\nAccept: text/event-stream\r\n\r\n")
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    caller.head()
    for _ in range(7):  # twice as long as any of the limits
        time.sleep(0.2)
        app.send("1\r\n:\r\n")
        caller.expect("1\r\n:\r\n")
    app.send("0\r\n\r\n")
    caller.expect("0\r\n\r\n")


def AnEventNowAndThenKeepsAStreamOpenOverTwoSidecars(s):
    app = s.upstream()
    far = s.proxy("--service", f"shop={app.address}", "--timeouts", "1000,300,300,600")
    near = s.proxy("--endpoint", f"shop=127.0.0.1:1/{far.ports['inbound']}", "--timeouts", "1000,300,300,600")
    caller = near.outbound()
    caller.send(GET)
    stream = app.accept()
    stream.head()
    stream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    caller.head()
    for _ in range(7):
        time.sleep(0.2)
        stream.send("1\r\n:\r\n")
        caller.expect("1\r\n:\r\n")


def AByteNowAndThenKeepsAnUploadGoing(s):
    proxy, shop = s.pair("--timeouts", "1000,300,300,600")
    caller = proxy.outbound()
    caller.send("PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 7\r\n\r\n")
    app = shop.accept()
    app.head()
    for _ in range(7):
        time.sleep(0.2)
        caller.send("x")
        app.expect("x")
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")


def AnUploadThatStopsIsCutAfterIdleAndTheHostIsNotBlamed(s):
    proxy, shop = s.pair("--timeouts", "1000,0,0,200", "--breaker", "1,60000")
    caller = proxy.outbound()
    caller.send("PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 7\r\n\r\nxx")
    app = shop.accept()
    app.head()
    app.expect("xx")
    check("timeouts.idle" in _own_answer(caller, 504, "timeout"), "another limit")
    app.expect_end()
    caller = proxy.outbound()
    caller.send(GET)  # the breaker is closed
    shop.accept().head()


def ACallerThatTakesALittleNowAndThenIsNotCut(s):
    # Also its last bytes, which the proxy holds when the app has long sent all of it.
    for close in ("", "Connection: close\r\n"):
        proxy, shop = s.pair("--timeouts", "1000,0,0,500")
        caller = _slow_reader(proxy)
        caller.send(f"GET / HTTP/1.1\r\nHost: shop\r\n{close}\r\n")
        app = shop.accept()
        app.head()
        size = 6 * 1024 * 1024
        sender = app.pump(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size)
        caller.head()
        left = size - len(caller.buffer)
        caller.buffer = b""
        while left > 0:
            time.sleep(0.06)
            step = min(left, STEP)
            while step > 0:
                count = len(caller.sock.recv(step))
                check(count > 0, f"cut with {left} bytes missing")
                left -= count
                step -= count
        sender.join()
        stats = proxy.ask("stats")
        check("error" not in stats, stats)


def ACallerThatStopsReadingIsCutAfterIdleAndTheHostIsNotBlamed(s):
    proxy, shop = s.pair("--timeouts", "1000,0,0,300", "--breaker", "1,60000")
    caller = _slow_reader(proxy)
    caller.send(GET)
    app = shop.accept()
    app.head()
    begin = time.monotonic()
    size = 30 * 1024 * 1024
    sender = app.pump(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size)
    sender.join(LIMIT)
    check(not sender.is_alive(), "the app's connection is still open")
    check(time.monotonic() - begin > 0.29, "cut too early")
    caller.head()
    try:
        while caller.sock.recv(1024 * 1024):
            pass
        raise Mismatch("it looks as if the response were complete, or ended in order")
    except ConnectionResetError:
        pass
    check("shop:error:timeout=1" in proxy.ask("stats"), proxy.ask("stats"))
    caller = proxy.outbound()
    caller.send(GET)  # the breaker is closed
    shop.accept().head()


def _response_held_back(proxy, shop, close):
    """A caller for which the proxy itself holds the last bytes of a response that it has read to its end; and its size.

    How much the kernel takes is found by trying: the largest response that the proxy reads to its end though nobody reads
    what it writes."""
    found = None
    for tries in range(1, 100):
        size = tries * 96 * 1024
        caller = _slow_reader(proxy)
        caller.send(f"GET / HTTP/1.1\r\nHost: shop\r\n{close}\r\n")
        app = shop.accept()
        app.head()
        app.pump(f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size)
        end = time.monotonic() + 0.3
        while f"shop:200={tries} " not in proxy.ask("stats"):
            if time.monotonic() > end:
                return found
            time.sleep(0.005)
        found = caller, size
    raise Mismatch("the kernel takes all")


def _read_slowly(caller, size):
    caller.head()
    left = size - len(caller.buffer)
    caller.buffer = b""
    while left > 0:
        count = len(caller.sock.recv(1024 * 1024))
        check(count > 0, f"cut with {left} bytes missing")
        left -= count
    caller.expect_end()


def TheLastBytesOfAResponseWaitForASlowCaller(s):
    caller, size = _response_held_back(*s.pair(), "Connection: close\r\n")
    time.sleep(2.5)  # longer than the 2 s for which the proxy reads on behind a last response
    _read_slowly(caller, size)


def ACallerThatEndsBeforeItHasReadAllGetsTheRest(s):
    caller, size = _response_held_back(*s.pair(), "")
    caller.end()
    time.sleep(0.1)
    _read_slowly(caller, size)


def AHostThatTakesTheRequestALittleNowAndThenIsNotCut(s):
    proxy, shop = s.pair("--timeouts", "1000,0,400,500")
    _small_app(shop)
    caller = proxy.outbound()
    size = 6 * 1024 * 1024
    sender = caller.pump(f"PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size)
    app = shop.accept()
    app.head()
    left = size - len(app.buffer)
    app.buffer = b""
    while left > 0:
        time.sleep(0.06)
        step = min(left, STEP)
        while step > 0:
            count = len(app.sock.recv(step))
            check(count > 0, f"cut with {left} bytes missing")
            left -= count
            step -= count
    sender.join()
    caller.sock.settimeout(LIMIT)
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")


def AHostThatDoesNotTakeTheRequestIsCutAfterIdle(s):
    proxy, shop = s.pair("--timeouts", "1000,0,0,300")
    _small_app(shop)
    caller = proxy.outbound()
    size = 30 * 1024 * 1024
    caller.pump(f"PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size)
    app = shop.accept()
    app.head()
    body = _own_answer(caller, 504, "timeout")
    check("timeouts.idle" in body, body)


def _a_head_that_trickles(s, timeouts, limit):
    """The caller gets a timeout by that limit, whatever comes of the head meanwhile."""
    proxy, shop = s.pair("--timeouts", timeouts, "--attempts", 0)
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    stop = threading.Event()

    def trickle():
        try:
            app.send("HTTP/1.1 200 OK\r\nX: ")
            while not stop.wait(0.05):
                app.send("x")
        except OSError:
            pass

    thread = threading.Thread(target=trickle)
    thread.start()
    body = _own_answer(caller, 504, "timeout")
    check(limit in body, body)
    stop.set()
    thread.join()


def AHeadThatTricklesIsNoResponse(s):
    _a_head_that_trickles(s, "1000,0,300,0", "timeouts.response")


def AHeadThatTricklesIsNoSignOfLifeEither(s):
    _a_head_that_trickles(s, "1000,0,0,300", "timeouts.idle")


def AnInterimResponseIsASignOfLife(s):
    proxy, shop = s.pair("--timeouts", "1000,0,0,600")
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    for _ in range(4):
        time.sleep(0.3)
        app.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        caller.head().expect("HTTP/1.1 103 Early Hints")
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")


def PipelinedResponsesWaitForTheirReaderWithinABound(s):
    proxy, shop = s.pair()
    caller = _slow_reader(proxy)
    count, size = 600, 60000
    caller.send(GET * count)
    app = shop.accept()
    before = rss(proxy)
    response = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size
    asked = 0
    app.sock.settimeout(0.5)
    try:
        while asked < count:
            app.head()
            app.sock.sendall(response)
            asked += 1
    except Mismatch:
        pass  # no further request while so much waits for the caller
    check(asked < count, "the proxy went on")
    limit = (64 if proxy.ports["sanitized"] else 4) * 1024 * 1024
    check(rss(proxy) - before < limit, f"grew by {rss(proxy) - before} bytes")
    app.sock.settimeout(LIMIT)

    def serve():
        for _ in range(count - asked):
            app.head()
            app.sock.sendall(response)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    for _ in range(count):
        caller.head().expect("HTTP/1.1 200 OK")
        caller.read(size)
    thread.join()
