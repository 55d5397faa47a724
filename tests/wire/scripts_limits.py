"""Bounds: memory with large bodies, waiting bytes, connections."""
import os

from wire import GET, OK, check

MIB = b"x" * (1024 * 1024)


def _rss(proxy):
    with open(f"/proc/{proxy.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _check_growth(proxy, before):
    limit = (64 if proxy.ports["sanitized"] else 4) * 1024 * 1024
    check(_rss(proxy) - before < limit, f"grew by {_rss(proxy) - before} bytes")


def _swallow(wire, size):
    left = size - len(wire.buffer)
    wire.buffer = b""
    while left > 0:
        count = len(wire.sock.recv(1024 * 1024))
        check(count > 0, f"ended with {left} bytes missing")
        left -= count


def ALargeDownloadTakesNoMemory(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    size = 1024 * 1024 * 1024
    before = _rss(proxy)
    sender = app.pump(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n", *[MIB] * (size // len(MIB)))
    caller.head()
    _swallow(caller, size)
    sender.join()
    _check_growth(proxy, before)


def ALargeUploadTakesNoMemory(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    size = 1024 * 1024 * 1024
    before = _rss(proxy)
    sender = caller.pump(f"PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: {size}\r\n\r\n", *[MIB] * (size // len(MIB)))
    app = shop.accept()
    app.head()
    _swallow(app, size)
    sender.join()
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")
    _check_growth(proxy, before)


def AReaderThatStopsHoldsTheAppBack(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    before = _rss(proxy)
    app.sock.settimeout(0.5)
    sent = 0
    try:
        while sent < 200 * 1024 * 1024:
            sent += app.sock.send(b"x" * 1024 * 1024)
        check(False, "the proxy took it all")
    except TimeoutError:
        pass
    _check_growth(proxy, before)


def PipelinedBytesWaitOnlyUpToABound(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    before = _rss(proxy)
    caller.sock.settimeout(0.5)
    sent = 0
    try:
        while sent < 200 * 1024 * 1024:
            sent += caller.sock.send(GET.encode() * 20000)
        check(False, "the proxy took it all")
    except TimeoutError:
        pass
    _check_growth(proxy, before)


def AHeadThatWaitsBehindAnExchangeIsReadOn(s):
    proxy, shop = s.pair("--header-limit", 1048576)
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    filler = "".join(f"X-{i}: {'y' * 4000}\r\n" for i in range(60))
    caller.send("GET /big HTTP/1.1\r\nHost: shop\r\n" + filler[:100000])
    caller.expect_quiet()
    app.send(OK)
    caller.head()
    caller.read(2)
    caller.send(filler[100000:] + "\r\n")
    check(len(app.head().expect("GET /big HTTP/1.1").text) > 200000, "fields are missing")


def ABodyThatWaitsForItsConnectionIsBounded(s):
    # A listener whose queue is full: connecting takes until timeouts.connect.
    import socket
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(0)
    port = silent.getsockname()[1]
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        fillers.append(filler)
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{port}", "--timeouts", "1500,0,0,0")
    caller = proxy.outbound()
    caller.send("PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000000\r\n\r\n")
    before = _rss(proxy)
    caller.sock.settimeout(0.5)
    sent = 0
    try:
        while sent < 200 * 1024 * 1024:
            sent += caller.sock.send(b"x" * 1024 * 1024)
        check(False, "the proxy took it all")
    except TimeoutError:
        pass
    _check_growth(proxy, before)
    caller.sock.settimeout(5)
    caller.head().expect("HTTP/1.1 502 Bad Gateway", x_ringside_error="connect_failure")
    for filler in fillers:
        filler.close()
    silent.close()


def AHeadThatDoesNotEndIsCutOff(s):
    proxy, shop = s.pair("--head-time", 150)
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.1\r\nHost: shop\r\n")
    for _ in range(3):
        caller.expect_quiet(0.03)
        caller.send("X: 1\r\n")  # trickling does not help
    head = caller.head().expect("HTTP/1.1 400 Bad Request", x_ringside_error="bad_request",
                                connection="close")
    caller.read(int(head.get("content-length")))
    caller.expect_end()


def CallersOverTheBoundAreToldAndCounted(s):
    proxy, shop = s.pair("--connections", 2)
    first, second = proxy.outbound(), proxy.outbound()
    for caller in (first, second):
        caller.send("GET / HTTP/1.1\r\nHost: nobody\r\n\r\n")
        head = caller.head()
        caller.read(int(head.get("content-length")))
    third = proxy.outbound()
    head = third.head().expect("HTTP/1.1 503 Service Unavailable", x_ringside_error="overflow",
                               x_ringside_unprocessed=None, connection="close")
    third.read(int(head.get("content-length")))
    third.expect_end()
    third.close()
    check(proxy.ask("refused") == "1", proxy.ask("refused"))
    first.close()
    while proxy.ask("open") != "1":
        pass
    third = proxy.outbound()
    third.send(GET)
    shop.accept().head()
