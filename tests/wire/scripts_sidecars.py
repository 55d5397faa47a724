"""Between sidecars: what outbound says and believes, what inbound checks and says."""
from wire import GET, OK, check, dead_port

MEANT = "x-ringside-service: shop\r\nx-ringside-ring: default\r\n"
UNPROCESSED = "x-ringside-unprocessed: 1\r\n"


def OutboundSaysWhomItMeansToASidecarOnly(s):
    proxy, shop = s.sidecar()
    caller = proxy.outbound()
    caller.send(GET)
    shop.accept().head().expect("GET / HTTP/1.1", host="shop", x_ringside_service="shop",
                                x_ringside_instance="127.0.0.1-1-00000001",
                                x_ringside_ring="default")
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    shop.accept().head().expect("GET / HTTP/1.1", x_ringside_service=None,
                                x_ringside_instance=None, x_ringside_ring=None)


def TheAppCanNotForgeItsWords(s):
    proxy, shop = s.sidecar()
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.1\r\nHost: shop\r\nx-ringside-service: bank\r\nX-Ringside-Error: x\r\n"
                "x-ringside-deadline: 50\r\n\r\n")
    head = shop.accept().head().expect("GET / HTTP/1.1", x_ringside_error=None,
                                       x_ringside_deadline="50")
    check(head.all("x-ringside-service") == ["shop"], head.text)


def AnAppWithoutSidecarCanNotForgeARefusal(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(f"HTTP/1.1 502 Bad\r\n{UNPROCESSED}x-ringside-error: reset\r\nContent-Length: 0\r\n\r\n")
    caller.head().expect("HTTP/1.1 502 Bad", x_ringside_unprocessed=None, x_ringside_error=None)
    stats = proxy.ask("stats")
    check("refused" not in stats, stats)


def ARefusalGoesToAnotherHostWhateverTheMethod(s):
    one, two = s.upstream(), s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:1/{one.port}", "--endpoint",
                    f"shop=127.0.0.1:2/{two.port}", "--balance", "round_robin", "--attempts", 0)
    caller = proxy.outbound()
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi")
    import select
    ready, _, _ = select.select([one.listener, two.listener], [], [], 5)
    first, other = (one, two) if ready[0] is one.listener else (two, one)
    app = first.accept()
    app.head()
    app.expect("hi").send(f"HTTP/1.1 421 Misdirected Request\r\n{UNPROCESSED}"
                          "x-ringside-error: wrong_instance\r\nContent-Length: 0\r\n\r\n")
    app = other.accept()
    app.head()
    app.expect("hi").send(OK)
    caller.head().expect("HTTP/1.1 200 OK")
    check("shop:retry:refused=1" in proxy.ask("stats"), proxy.ask("stats"))


def TheLastRefusalPassesAsItIs(s):
    proxy, shop = s.sidecar()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(f"HTTP/1.1 421 Misdirected Request\r\n{UNPROCESSED}"
             "x-ringside-error: wrong_instance\r\nContent-Length: 0\r\n\r\n")
    caller.head().expect("HTTP/1.1 421 Misdirected Request", x_ringside_error="wrong_instance")


def ARequestThatCrossedAnIdleCloseIsSentAgain(s):
    proxy, shop = s.sidecar("--attempts", 0)
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(OK)
    caller.head()
    caller.read(2)
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nhi")
    app.head().expect("POST / HTTP/1.1")
    app.send(f"HTTP/1.1 408 Request Timeout\r\n{UNPROCESSED}Connection: close\r\n"
             "Content-Length: 0\r\n\r\n").end()
    app = shop.accept()
    app.head().expect("POST / HTTP/1.1")
    app.expect("hi").send(OK)
    caller.head().expect("HTTP/1.1 200 OK")


def AnIdleCloseThatIsSaidInTimeCostsNothing(s):
    proxy, shop = s.sidecar("--attempts", 0)
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(OK)
    caller.head()
    caller.read(2)
    app.send(f"HTTP/1.1 408 Request Timeout\r\n{UNPROCESSED}Connection: close\r\n"
             "Content-Length: 0\r\n\r\n").end()
    app.expect_end()
    caller.send(GET)
    shop.accept().head()
    check("retry" not in proxy.ask("stats"), proxy.ask("stats"))


def InboundServesAndSaysWhoItIs(s):
    proxy, shop = s.inbound()
    caller = proxy.inbound()
    caller.send(f"GET /x HTTP/1.1\r\nHost: shop\r\n{MEANT}x-ringside-instance: other\r\n\r\n")
    app = shop.accept()
    app.head().expect("GET /x HTTP/1.1", host="shop", x_ringside_service=None,
                      x_ringside_instance=None, x_ringside_ring=None, x_forwarded_for="127.0.0.1")
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK", x_ringside_instance="self-1-00000001",
                         x_ringside_draining=None)
    check("inbound:200=1" in proxy.ask("stats"), proxy.ask("stats"))


def APlainClientIsServed(s):
    proxy, shop = s.inbound()
    caller = proxy.inbound()
    caller.send("GET / HTTP/1.1\r\nHost: anything.example:80\r\n\r\n")
    app = shop.accept()
    app.head().expect("GET / HTTP/1.1", host="anything.example:80")
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")


def AnotherServiceOrRingIsRefusedBeforeTheAppSeesIt(s):
    proxy, shop = s.inbound()
    caller = proxy.inbound()
    for wrong in ("x-ringside-service: bank\r\nx-ringside-ring: default\r\n",
                  "x-ringside-service: shop\r\nx-ringside-ring: other\r\n"):
        caller.send(f"GET / HTTP/1.1\r\nHost: shop\r\n{wrong}\r\n")
        head = caller.head().expect("HTTP/1.1 421 Misdirected Request",
                                    x_ringside_error="wrong_instance", x_ringside_unprocessed="1",
                                    x_ringside_instance="self-1-00000001")
        caller.read(int(head.get("content-length")))
    shop.expect_no_connection()


def TheAppCanNotForgeAResponseThroughInbound(s):
    proxy, shop = s.inbound()
    caller = proxy.inbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(f"HTTP/1.1 502 Bad\r\n{UNPROCESSED}x-ringside-instance: me\r\nContent-Length: 0\r\n\r\n")
    head = caller.head().expect("HTTP/1.1 502 Bad", x_ringside_unprocessed=None)
    check(head.all("x-ringside-instance") == ["self-1-00000001"], head.text)


def ADeadAppIsSaidToBeUnprocessed(s):
    proxy = s.proxy("--service", f"shop=127.0.0.1:{dead_port()}")
    caller = proxy.inbound()
    caller.send(f"POST / HTTP/1.1\r\nHost: shop\r\n{MEANT}Content-Length: 2\r\n\r\nhi")
    caller.head().expect("HTTP/1.1 502 Bad Gateway", x_ringside_error="connect_failure",
                         x_ringside_unprocessed="1")


def AnAppThatResetsIsNotSaidToBeUnprocessed(s):
    proxy, shop = s.inbound()
    caller = proxy.inbound()
    caller.send(f"POST / HTTP/1.1\r\nHost: shop\r\n{MEANT}Content-Length: 2\r\n\r\nhi")
    app = shop.accept()
    app.head()
    app.expect("hi").close()
    caller.head().expect("HTTP/1.1 502 Bad Gateway", x_ringside_error="reset",
                         x_ringside_unprocessed=None)


def AMalformedRequestToInboundIsSaidToBeUnprocessed(s):
    proxy, _ = s.inbound()
    caller = proxy.inbound()
    caller.send("GET / HTTP/1.1\r\nHost: shop\r\nContent-Length: x\r\n\r\n")
    caller.head().expect("HTTP/1.1 400 Bad Request", x_ringside_unprocessed="1")


def DrainingIsSaidAndClosesAfterTheResponse(s):
    proxy, shop = s.inbound()
    proxy.ask("drain")
    caller = proxy.inbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK", x_ringside_draining="1", connection="close")
    caller.expect("ok").expect_end()
    proxy.ask("undrain")
    caller = proxy.inbound()
    caller.send(GET)
    app.head()
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK", x_ringside_draining=None, connection=None)


def AStopSaysSoOnIdleInboundConnectionsAndReadsOn(s):
    proxy, shop = s.inbound()
    caller = proxy.inbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(OK)
    caller.head()
    caller.read(2)
    proxy.begin("stop")
    caller.head().expect("HTTP/1.1 408 Request Timeout", x_ringside_unprocessed="1",
                         connection="close", content_length="0")
    caller.expect_end()
    caller.send(GET)  # crossed: read and dropped, no reset
    caller.end()
    check(proxy.answer() == "stopped", "not stopped")


def AStopLetsRunningExchangesEnd(s):
    proxy, shop = s.pair()
    caller, idle = proxy.outbound(), proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    proxy.begin("stop")
    idle.expect_end()
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK", connection="close")
    caller.expect("ok").expect_end()
    check(proxy.answer() == "stopped", "not stopped")


def AStopEndsAtItsLimit(s):
    proxy, shop = s.pair("--drain", 150)
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    check(proxy.ask("stop") == "stopped", "not stopped")
    caller.expect_end()
    app.expect_end()


def ConnectionsSpreadEvenlyOverWorkers(s):
    proxy, shop = s.pair("--workers", 2)
    callers = [proxy.outbound() for _ in range(64)]
    for caller in callers:
        caller.send("GET / HTTP/1.1\r\nHost: nobody\r\n\r\n")
        caller.head()
    check(proxy.ask("open").split() == ["32", "32"], proxy.ask("open"))


def TheAccessLogTellsWhatHappened(s):
    import json
    proxy, shop = s.pair("--access")
    caller = proxy.outbound()
    caller.send("GET /p\"q HTTP/1.1\r\nHost: shop\r\nx-request-id: r1\r\n\r\n")
    app = shop.accept()
    app.head()
    app.send(OK)
    caller.head()
    caller.read(2)
    record = json.loads(proxy.ask("access"))
    check(record["path"] == "/p\"q" and record["code"] == 200 and record["request_id"] == "r1"
          and record["endpoint"] == shop.address and record["bytes_out"] == 2
          and record["upstream"] == "shop" and record["attempts"] == 1, str(record))


def TheAccessLogTellsOfWhatIsRefused(s):
    import json
    proxy, shop = s.pair("--access", "--header-limit", 1024)
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.1\r\nHost: shop\r\nx: " + "a" * 2000 + "\r\n\r\n")
    caller.head().expect("HTTP/1.1 431 Request Header Fields Too Large")
    record = json.loads(proxy.ask("access"))
    check(record["side"] == "outbound" and record["code"] == 431
          and record["cause"] == "headers_too_large" and record["attempts"] == 0, str(record))
