"""Failures upstream: retries, what is never retried, the proxy's own answers, timeouts."""
import signal
import time

from wire import GET, OK, check, dead_port

POST = "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi"


def _own_answer(caller, status, cause):
    head = caller.head()
    check(head.first.split(" ")[1] == str(status), head.text)
    head.expect(head.first, x_ringside_error=cause, content_type="text/plain; charset=utf-8")
    check(head.get("x-request-id"), "an own answer has a request id")
    return caller.read(int(head.get("content-length"))).decode()


def _two_apps(s, *options):
    """A proxy with two endpoints of `shop`, in turn."""
    one, two = s.upstream(), s.upstream()
    proxy = s.proxy("--endpoint", f"shop={one.address}", "--endpoint", f"shop={two.address}",
                    "--balance", "round_robin", *options)
    return proxy, one, two


def _first_called(one, two):
    """The upstream that got the connection, its wire, and the other upstream."""
    import select
    ready, _, _ = select.select([one.listener, two.listener], [], [], 5)
    check(ready, "no endpoint was called")
    first, other = (one, two) if ready[0] is one.listener else (two, one)
    return first, first.accept(), other


def AnUnknownServiceNamesTheNearest(s):
    proxy, _ = s.pair("--endpoint", "stock=127.0.0.1:1")
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.1\r\nHost: shpo\r\n\r\n")
    body = _own_answer(caller, 503, "no_endpoints")
    check("did you mean shop?" in body, body)
    caller.send(GET)  # kept alive
    stats = proxy.ask("stats")
    check("(unknown):503=1" in stats and "(unknown):error:no_endpoints=1" in stats, stats)


def ANamelessRequestIsToldHowToName(s):
    proxy, _ = s.pair()
    caller = proxy.outbound()
    caller.send("GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    check("/svc/SERVICE/" in _own_answer(caller, 400, "bad_request"), "no hint")


def AnOwnAnswerToHeadHasNoBody(s):
    proxy, _ = s.pair()
    caller = proxy.outbound()
    caller.send("HEAD / HTTP/1.1\r\nHost: nobody\r\nConnection: close\r\n\r\n")
    head = caller.head().expect("HTTP/1.1 503 Service Unavailable", connection="close")
    check(int(head.get("content-length")) > 0, head.text)
    caller.expect_end()


def ARefusedConnectGoesToAnotherHostWhateverTheMethod(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{dead_port()}", "--endpoint",
                    f"shop={shop.address}", "--balance", "round_robin", "--attempts", 0)
    app = None
    for _ in range(4):
        caller = proxy.outbound()
        caller.send(POST)
        app = app or shop.accept()
        app.head().expect("POST / HTTP/1.1")
        app.expect("hi").send(OK)
        caller.head().expect("HTTP/1.1 200 OK")
    check("shop:retry:connect_failure=" in proxy.ask("stats"), proxy.ask("stats"))


def NobodyThereIsToldWithAttempts(s):
    one, two = dead_port(), dead_port()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{one}", "--endpoint", f"shop=127.0.0.1:{two}")
    caller = proxy.outbound()
    caller.send(GET)
    body = _own_answer(caller, 502, "connect_failure")
    for port in (one, two):
        check(f"attempt: 127.0.0.1:{port} connect_failure after" in body, body)
    check("hint: " in body and "(connection refused)" in body, body)


def AResetBeforeTheResponseIsRetriedForGetOnly(s):
    proxy, one, two = _two_apps(s)
    caller = proxy.outbound()
    caller.send(GET)
    _, app, other = _first_called(one, two)
    app.head()
    app.close()
    app = other.accept()
    app.head()
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")
    caller.read(2)
    caller.send(POST)
    _, app, other = _first_called(one, two)
    app.head()
    app.expect("hi").close()
    body = _own_answer(caller, 502, "reset")
    check(body.count("attempt:") == 1, body)


def AFailingStatusIsRetriedAndTheLastOnePasses(s):
    proxy, one, two = _two_apps(s)
    caller = proxy.outbound()
    caller.send(GET)
    _, app, other = _first_called(one, two)
    app.head()
    app.send("HTTP/1.1 503 Down\r\nContent-Length: 1\r\n\r\na")
    app = other.accept()
    app.head()
    app.send("HTTP/1.1 502 Down Too\r\nContent-Length: 1\r\n\r\nb")
    caller.expect("HTTP/1.1 502 Down Too\r\nContent-Length: 1\r\n\r\nb")
    stats = proxy.ask("stats")
    check("shop:502=1" in stats and "shop:retry:503=1" in stats, stats)


def AFailingStatusOfAPostPassesAtOnce(s):
    proxy, one, two = _two_apps(s)
    caller = proxy.outbound()
    caller.send(POST)
    _, app, other = _first_called(one, two)
    app.head()
    app.expect("hi").send("HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n")
    caller.head().expect("HTTP/1.1 503 Down", x_ringside_error=None)
    other.expect_no_connection()


def AHeldBodyIsSentAgain(s):
    proxy, one, two = _two_apps(s)
    caller = proxy.outbound()
    body = "0123456789" * 5000
    caller.send(f"PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    _, app, other = _first_called(one, two)
    app.head()
    app.expect(body).close()
    app = other.accept()
    app.head()
    app.expect(body).send(OK)
    caller.head().expect("HTTP/1.1 200 OK")


def ABodyOverTheHoldIsNotSentAgain(s):
    proxy, one, two = _two_apps(s)
    caller = proxy.outbound()
    body = "0123456789" * 10000
    caller.send(f"PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    _, app, other = _first_called(one, two)
    app.head()
    app.expect(body).close()
    _own_answer(caller, 502, "reset")
    other.expect_no_connection()


def AReusedConnectionThatClosedIsReplacedForGet(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(OK)
    caller.head()
    caller.read(2)
    caller.send(GET)
    app.head()
    app.close()  # the end of an idle connection crossed the request
    app = shop.accept()
    app.head().expect("GET / HTTP/1.1")
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")


def AnIdleConnectionThatEndsLeavesThePool(s):
    proxy, shop = s.pair("--attempts", 0)
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(OK)
    caller.head()
    caller.read(2)
    app.end()
    app.expect_end()  # the proxy has closed its side too
    caller.send(POST)
    shop.accept().head().expect("POST / HTTP/1.1")


def AnUnsafeMethodAvoidsAnOldConnectionToAnApp(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(OK)
    caller.head()
    caller.read(2)
    time.sleep(0.3)
    caller.send(POST)
    fresh = shop.accept()
    fresh.head()
    fresh.expect("hi").send(OK)
    caller.head()
    caller.read(2)
    caller.send(POST)  # not idle for long: used again
    fresh.head()


def ATruncatedResponseIsCutOffNotCompleted(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart").close()
    caller.expect("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart").expect_end()
    check("shop:error:reset=1" in proxy.ask("stats"), proxy.ask("stats"))


def ATruncatedChunkedResponseToAnOldClientIsReset(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET /svc/shop/ HTTP/1.0\r\n\r\n")
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n")
    caller.head()
    caller.expect("part")
    app.close()
    caller.expect_end("reset")


def ABadResponseIsToldNotPassed(s):
    proxy, shop = s.pair()
    for bad in ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                "nonsense\r\n\r\n"):
        caller = proxy.outbound()
        caller.send(POST)
        app = shop.accept()
        app.head()
        app.expect("hi").send(bad)
        _own_answer(caller, 502, "bad_response")


def NoResponseInTimeIsATimeout(s):
    proxy, shop = s.pair("--timeouts", "1000,0,150,0")
    caller = proxy.outbound()
    begin = time.monotonic()
    caller.send(GET)
    app = shop.accept()
    app.head()
    body = _own_answer(caller, 504, "timeout")
    check(0.14 <= time.monotonic() - begin < 1, "the time is wrong")
    check("timeouts.response" in body, body)
    app.expect_end()


def ATryThatTakesTooLongIsATimeoutToo(s):
    proxy, shop = s.pair("--timeouts", "1000,100,2000,0")
    caller = proxy.outbound()
    caller.send(GET)
    shop.accept().head()
    check("timeouts.per_try" in _own_answer(caller, 504, "timeout"), "the wrong limit")


def ASlowBodyIsNoResponseTimeout(s):
    proxy, shop = s.pair("--timeouts", "1000,0,150,0")
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na")
    for byte in "bc":
        time.sleep(0.2)
        app.send(byte)
    caller.expect("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")


def ASlowUploadIsNoResponseTimeout(s):
    proxy, shop = s.pair("--timeouts", "1000,0,150,0")
    caller = proxy.outbound()
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\na")
    for byte in "bc":
        time.sleep(0.2)
        caller.send(byte)
    app = shop.accept()
    app.head()
    app.expect("abc").send(OK)
    caller.head().expect("HTTP/1.1 200 OK")


def ASilentBodyMeetsTheIdleTimeout(s):
    proxy, shop = s.pair("--timeouts", "1000,0,0,150")
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na")
    caller.head()
    caller.expect("a").expect_end()
    app.expect_end()


def AnEarlyResponseThatAResetCutsNeverLooksComplete(s):
    """The reset is seen first by writing the request."""
    for _ in range(5):
        proxy, shop = s.pair()
        caller = proxy.outbound()
        caller.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 400000\r\n\r\n" + "x" * 200000)
        app = shop.accept()
        app.head()
        app.read(200000)
        app.send("HTTP/1.1 200 OK\r\n\r\nfirst")
        caller.head()
        caller.expect("5\r\nfirst\r\n")
        proxy.process.send_signal(signal.SIGSTOP)  # so that it sees both at once
        caller.send("x" * 200000)
        app.send("second")
        app.reset()
        proxy.process.send_signal(signal.SIGCONT)
        while caller._fill():
            pass
        check(not caller.buffer.endswith(b"0\r\n\r\n"), "it looks complete")


def AnIdleCallerIsClosed(s):
    proxy, _ = s.pair("--timeouts", "1000,0,0,150")
    caller = proxy.outbound()
    caller.expect_end()


def AnEarlyResponsePassesAndTheConnectionCloses(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000\r\n\r\nsome")
    app = shop.accept()
    app.head()
    app.expect("some").send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
    caller.head().expect("HTTP/1.1 413 Too Large", connection="close")
    caller.expect("no")
    caller.send("more of it")  # no reset although nobody wants it
    caller.expect_end()
    app.expect_end()


def AnEarlyResponseBodyAndTheRequestRunSideBySide(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n\r\nab")
    app = shop.accept()
    app.head()
    app.expect("ab").send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n")
    caller.head()
    caller.expect("1\r\nA\r\n")
    caller.send("cd")
    app.expect("cd").send("1\r\nB\r\n0\r\n\r\n")
    caller.expect("1\r\nB\r\n0\r\n\r\n").expect_end()


def AHalfClosedCallerGetsItsResponse(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET).end()
    app = shop.accept()
    app.head()
    app.expect_quiet()
    app.send(OK)
    caller.expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").expect_end()


def ACallerThatBreaksOffEndsTheUpstreamCall(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    caller.reset()
    app.expect_end()
    stats = proxy.ask("stats")
    check("shop:499=1" in stats and "shop:in_flight=0" in stats, stats)


def AnUnfinishedRequestEndsWithItsCaller(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nabc")
    app = shop.accept()
    app.head()
    app.expect("abc")
    caller.end()
    app.expect_end()


def AnUnfinishedRequestBehindAnotherEndsWithItsCallerToo(s):
    for tail in ("POST /two HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\npart", "GET /two HT"):
        proxy, shop = s.pair()
        caller = proxy.outbound()
        caller.send(GET + tail)
        caller.end()
        app = shop.accept()
        app.head()
        time.sleep(0.05)  # time is the matter: the end comes while the first one runs
        app.send(OK)
        caller.head()
        caller.expect("ok")
        if tail.startswith("POST"):
            app.head()
            app.expect("part")
            app.expect_end()
        caller.expect_end()


def AnOpenBreakerAnswersItself(s):
    port = dead_port()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{port}")
    caller = proxy.outbound()
    for _ in range(7):
        caller.send(GET)
        _own_answer(caller, 502, "connect_failure")
    caller.send(GET)
    _own_answer(caller, 503, "breaker_open")
