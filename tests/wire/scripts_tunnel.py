"""What turns into a byte tunnel: Upgrade, CONNECT, raw TCP."""
import json
import select

from wire import GET, OK, check, dead_port

OFFER = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
ASK = f"GET /chat HTTP/1.1\r\nHost: shop\r\n{OFFER}Sec-WebSocket-Key: k\r\n\r\n"
SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
CONNECT = "CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n"
CONNECTED = "HTTP/1.1 200 OK\r\nx-ringside-instance: other\r\n\r\n"
UNPROCESSED = "x-ringside-unprocessed: 1\r\n"
MEANT = "x-ringside-service: shop\r\nx-ringside-ring: default\r\n"


def _read_answer(wire):
    head = wire.head()
    wire.read(int(head.get("content-length") or 0))
    return head


def _chat(one, other):
    """Bytes both ways, then the end both ways."""
    one.send(b"\x81\x00ping")
    other.expect("\x81\x00ping")
    other.send(b"pong\xff")
    one.expect("pong\xff")
    one.end()
    other.expect_end()
    other.send("one more thing")
    one.expect("one more thing")
    other.end()
    one.expect_end()


def _upgraded(s, *options):
    """A caller and an app in a tunnel by Upgrade, and their proxy."""
    proxy, shop = s.pair(*options)
    caller = proxy.outbound()
    caller.send(ASK)
    app = shop.accept()
    app.head()
    app.send(SWITCH)
    caller.head()
    return proxy, caller, app


def _first(*upstreams):
    """The upstream that a connection came to, and the others."""
    ready, _, _ = select.select([one.listener for one in upstreams], [], [], 5)
    check(ready, "no connection came")
    first = next(one for one in upstreams if one.listener is ready[0])
    return first, [one for one in upstreams if one is not first]


# Upgrade

def AnUpgradePassesAndTheTunnelBeginsAfterThe101(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(ASK)
    app = shop.accept()
    app.head().expect("GET /chat HTTP/1.1", connection="upgrade", upgrade="websocket",
                      sec_websocket_key="k")
    app.send(SWITCH)
    caller.head().expect("HTTP/1.1 101 Switching Protocols", connection="upgrade",
                         upgrade="websocket", content_length=None, transfer_encoding=None)
    check("shop:in_flight=1" in proxy.ask("stats"), proxy.ask("stats"))
    _chat(caller, app)
    stats = proxy.ask("stats")
    check("shop:101=1 " in stats and "shop:in_flight=0" in stats and "error" not in stats, stats)


def BytesBehindAnUpgradeWaitForThe101(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(ASK + "too early")
    app = shop.accept()
    app.head()
    app.expect_quiet()
    caller.send(" still")
    app.expect_quiet()
    app.send(SWITCH + "hello")
    caller.head().expect("HTTP/1.1 101 Switching Protocols")
    caller.expect("hello")
    app.expect("too early still")
    _chat(caller, app)


def A200InsteadOf101IsAnOrdinaryAnswer(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(ASK + "GET /next HTTP/1.1\r\nHost: shop\r\n\r\n")
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             "Content-Length: 2\r\n\r\nno")
    caller.head().expect("HTTP/1.1 200 OK", upgrade=None, connection=None)
    caller.expect("no")
    # What stood behind it is the next request, on another connection: who knows what that server
    # takes the bytes on this one for.
    again = shop.accept()
    again.head().expect("GET /next HTTP/1.1", upgrade=None, connection=None)
    again.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")
    caller.expect("ok")
    app.expect_end()


def ARefusedUpgradeIsAnOrdinaryAnswer(s):
    for status in ("400 Bad Request", "403 Forbidden", "404 Not Found"):
        proxy, shop = s.pair()
        caller = proxy.outbound()
        caller.send(ASK)
        app = shop.accept()
        app.head()
        app.send(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno")
        caller.head().expect(f"HTTP/1.1 {status}", connection=None)
        caller.expect("no").send(GET)
        shop.accept().head().expect("GET / HTTP/1.1")


def A426SaysWhatIsRequired(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
             "Content-Length: 0\r\n\r\n")
    caller.head().expect("HTTP/1.1 426 Upgrade Required", connection="upgrade", upgrade="websocket")


def A101ThatNobodyAskedForIsABadResponse(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(SWITCH + "smuggled")
    caller.head().expect("HTTP/1.1 502 Bad Gateway", x_ringside_error="bad_response")
    app.expect_end()


def A101WithAProtocolThatWasNotOfferedIsABadResponse(s):
    for upgrade in ("Upgrade: other\r\n", "Upgrade: websocket, other\r\n", ""):
        proxy, shop = s.pair()
        caller = proxy.outbound()
        caller.send(ASK)
        app = shop.accept()
        app.head()
        app.send(f"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n{upgrade}\r\n")
        head = caller.head().expect("HTTP/1.1 502 Bad Gateway", x_ringside_error="bad_response")
        check(b"not offered" in caller.read(int(head.get("content-length"))), head.text)
        app.expect_end()


def A101ThatDoesNotListUpgradeIsABadResponse(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(ASK)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
    caller.head().expect("HTTP/1.1 502 Bad Gateway", x_ringside_error="bad_response")


def TheCaseOfAProtocolDoesNotMatter(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(f"GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: foo/2, WebSocket\r\n\r\n")
    app = shop.accept()
    app.head().expect("GET / HTTP/1.1", upgrade="foo/2, WebSocket")
    app.send(SWITCH)
    caller.head().expect("HTTP/1.1 101 Switching Protocols", upgrade="websocket")
    _chat(caller, app)


def LengthsOfA101CountForNothing(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(ASK)
    app = shop.accept()
    app.head()
    app.send(SWITCH[:-2] + "Content-Length: 5\r\n\r\nhello world")
    caller.head().expect("HTTP/1.1 101 Switching Protocols", content_length=None)
    caller.expect("hello world")


def AnOfferOfHttpIsPassedOver(s):
    for offer in ("h2c", "websocket, h2c", "HTTP/2.0", "websocket\r\nUpgrade: H2C"):
        proxy, shop = s.pair()
        caller = proxy.outbound()
        caller.send(f"GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: {offer}\r\n\r\n")
        app = shop.accept()
        app.head().expect("GET / HTTP/1.1", upgrade=None, connection=None)
        app.send(SWITCH)
        caller.head().expect("HTTP/1.1 502 Bad Gateway", x_ringside_error="bad_response")


def AnUpgradeThatConnectionDoesNotListIsNone(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\n\r\n")
    app = shop.accept()
    app.head().expect("GET / HTTP/1.1", upgrade=None, connection=None)
    app.send(SWITCH)
    caller.head().expect("HTTP/1.1 502 Bad Gateway", x_ringside_error="bad_response")


def AnUpgradeInHttp10IsNone(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(f"GET /svc/shop/ HTTP/1.0\r\n{OFFER}\r\n")
    shop.accept().head().expect("GET / HTTP/1.1", upgrade=None, connection=None)


def TheBodyOfAnUpgradeIsHttpAndTheTunnelFollowsIt(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(f"POST / HTTP/1.1\r\nHost: shop\r\n{OFFER}Content-Length: 6\r\n\r\nbo")
    app = shop.accept()
    app.head().expect("POST / HTTP/1.1", content_length="6", upgrade="websocket")
    app.expect("bo").send(SWITCH + "early from the app")
    caller.head().expect("HTTP/1.1 101 Switching Protocols")
    caller.expect_quiet()  # the request is not out yet
    caller.send("dy")
    app.expect("dy")
    caller.expect_quiet()
    caller.send("!!tunnel")
    app.expect("!!tunnel")
    caller.expect("early from the app")
    _chat(caller, app)


def TheChunksOfAnUpgradeAreHttpAndTheTunnelFollowsThem(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(f"POST / HTTP/1.1\r\nHost: shop\r\n{OFFER}Transfer-Encoding: chunked\r\n\r\n"
                "2\r\nbo\r\n0\r\n\r\n0\r\n\r\nraw")
    app = shop.accept()
    app.head()
    app.expect("2\r\nbo\r\n0\r\n\r\n")
    app.expect_quiet()
    app.send(SWITCH)
    caller.head().expect("HTTP/1.1 101 Switching Protocols")
    app.expect("0\r\n\r\nraw")
    _chat(caller, app)


def ABadChunkBehindA101EndsAll(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(f"POST / HTTP/1.1\r\nHost: shop\r\n{OFFER}Transfer-Encoding: chunked\r\n\r\n")
    app = shop.accept()
    app.head()
    app.send(SWITCH)
    caller.head().expect("HTTP/1.1 101 Switching Protocols")
    caller.send("zz\r\n")
    caller.expect_end("reset")
    app.expect_end()


def ARefusedUpgradeWithABodyIsNotPooled(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(f"POST / HTTP/1.1\r\nHost: shop\r\n{OFFER}Content-Length: 2\r\n\r\nhi")
    app = shop.accept()
    app.head()
    app.expect("hi").send(OK)
    caller.head()
    caller.expect("ok").send(GET)
    shop.accept().head().expect("GET / HTTP/1.1")
    app.expect_end()


def AnInterimAnswerBeforeThe101PassesOn(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(f"POST / HTTP/1.1\r\nHost: shop\r\n{OFFER}Content-Length: 2\r\n"
                "Expect: 100-continue\r\n\r\n")
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 100 Continue\r\n\r\n")
    caller.expect("HTTP/1.1 100 Continue\r\n\r\n").send("hi")
    app.expect("hi").send(SWITCH)
    caller.head().expect("HTTP/1.1 101 Switching Protocols")
    _chat(caller, app)


def AnUpgradeIsTriedAgainBeforeItsAnswerAndNeverAfter(s):
    one, two = s.upstream(), s.upstream()
    proxy = s.proxy("--endpoint", f"shop={one.address}", "--endpoint", f"shop={two.address}",
                    "--balance", "round_robin")
    caller = proxy.outbound()
    caller.send(ASK + "early")
    first, (other,) = _first(one, two)
    app = first.accept()
    app.head()
    app.close()
    app = other.accept()
    app.head().expect("GET /chat HTTP/1.1", upgrade="websocket")
    app.send(SWITCH)
    caller.head().expect("HTTP/1.1 101 Switching Protocols")
    app.expect("early")
    app.reset()
    caller.expect_end("reset")
    first.expect_no_connection()
    stats = proxy.ask("stats")
    check("shop:retry:reset=1" in stats and "shop:101=1" in stats, stats)


def AnUpgradedConnectionIsNeverPooled(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send(OK)
    _read_answer(caller)
    caller.send(ASK)  # on the pooled connection
    app.head().expect("GET /chat HTTP/1.1")
    app.send(SWITCH)
    caller.head()
    _chat(caller, app)
    other = proxy.outbound()
    other.send(GET)
    shop.accept().head()


def AnUpgradePassesThroughInbound(s):
    proxy, shop = s.inbound()
    caller = proxy.inbound()
    caller.send(f"GET / HTTP/1.1\r\nHost: shop\r\n{MEANT}{OFFER}\r\n")
    app = shop.accept()
    app.head().expect("GET / HTTP/1.1", connection="upgrade", upgrade="websocket",
                      x_ringside_service=None)
    app.send(SWITCH)
    caller.head().expect("HTTP/1.1 101 Switching Protocols", connection="upgrade",
                         upgrade="websocket", x_ringside_instance="self-1-00000001")
    _chat(caller, app)
    check("inbound:101=1" in proxy.ask("stats"), proxy.ask("stats"))


def AnUpgradeForAnotherServiceIsRefusedBeforeTheAppSeesIt(s):
    proxy, shop = s.inbound()
    caller = proxy.inbound()
    caller.send(f"GET / HTTP/1.1\r\nHost: shop\r\nx-ringside-service: bank\r\n{OFFER}\r\n")
    caller.head().expect("HTTP/1.1 421 Misdirected Request", x_ringside_unprocessed="1")
    shop.expect_no_connection()


# CONNECT

def ConnectGoesStraightToAnEndpointWithoutSidecar(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("CONNECT shop.ringside:5432 HTTP/1.1\r\nHost: shop.ringside:5432\r\n"
                "x-request-id: r1\r\n\r\n")
    app = shop.accept()
    caller.expect("HTTP/1.1 200 OK\r\nx-request-id: r1\r\n\r\n")
    app.expect_quiet()
    _chat(caller, app)
    check("shop:200=1" in proxy.ask("stats"), proxy.ask("stats"))


def AServerThatSpeaksFirstIsHeardThroughConnect(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(CONNECT)
    app = shop.accept()
    app.send("220 hello\r\n")
    caller.head().expect("HTTP/1.1 200 OK", content_length=None, transfer_encoding=None)
    caller.expect("220 hello\r\n")


def ConnectGoesThroughTheOtherSidecar(s):
    proxy, shop = s.sidecar()
    caller = proxy.outbound()
    caller.send(CONNECT + "too early")
    sidecar = shop.accept()
    sidecar.head().expect("CONNECT shop:80 HTTP/1.1", host="shop", x_ringside_service="shop",
                          x_ringside_instance="127.0.0.1-1-00000001", x_ringside_ring="default",
                          content_length=None)
    sidecar.expect_quiet()
    sidecar.send(CONNECTED + "hello")
    caller.head().expect("HTTP/1.1 200 OK", x_ringside_instance="other")
    caller.expect("hello")
    sidecar.expect("too early")
    _chat(caller, sidecar)


def AnyOtherSuccessOfTheOtherSidecarIsATunnelToo(s):
    proxy, shop = s.sidecar()
    caller = proxy.outbound()
    caller.send(CONNECT)
    sidecar = shop.accept()
    sidecar.head()
    sidecar.send("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n")
    caller.head().expect("HTTP/1.1 204 No Content", content_length=None)
    _chat(caller, sidecar)


def ConnectTakesAConnectionOfItsOwn(s):
    proxy, shop = s.sidecar()
    caller = proxy.outbound()
    caller.send(GET)
    sidecar = shop.accept()
    sidecar.head()
    sidecar.send(OK)
    _read_answer(caller)
    caller.send(CONNECT)
    fresh = shop.accept()
    fresh.head().expect("CONNECT shop:80 HTTP/1.1")
    fresh.send(CONNECTED)
    caller.head()
    _chat(caller, fresh)
    other = proxy.outbound()
    other.send(GET)
    sidecar.head().expect("GET / HTTP/1.1")


def AConnectThatASidecarDidNotProcessGoesToTheNextHost(s):
    for status in ("421 Misdirected Request", "503 Service Unavailable", "502 Bad Gateway"):
        one, two = s.upstream(), s.upstream()
        proxy = s.proxy("--endpoint", f"shop=127.0.0.1:1/{one.port}", "--endpoint",
                        f"shop=127.0.0.1:2/{two.port}", "--balance", "round_robin", "--attempts", 0)
        caller = proxy.outbound()
        caller.send(CONNECT + "early")
        first, (other,) = _first(one, two)
        sidecar = first.accept()
        sidecar.head()
        sidecar.send(f"HTTP/1.1 {status}\r\n{UNPROCESSED}x-ringside-error: wrong_instance\r\n"
                     "Content-Length: 0\r\n\r\n")
        sidecar = other.accept()
        sidecar.head().expect("CONNECT shop:80 HTTP/1.1")
        sidecar.send(CONNECTED)
        caller.head().expect("HTTP/1.1 200 OK")
        sidecar.expect("early")
        check("shop:retry:refused=1" in proxy.ask("stats"), proxy.ask("stats"))


def AConnectThatEndsWithoutAnAnswerGoesToTheNextHost(s):
    one, two = s.upstream(), s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:1/{one.port}", "--endpoint",
                    f"shop=127.0.0.1:2/{two.port}", "--balance", "round_robin", "--attempts", 0)
    caller = proxy.outbound()
    caller.send(CONNECT)
    first, (other,) = _first(one, two)
    first.accept().reset()
    sidecar = other.accept()
    sidecar.head()
    sidecar.send(CONNECTED)
    caller.head().expect("HTTP/1.1 200 OK")
    check("shop:retry:reset=1" in proxy.ask("stats"), proxy.ask("stats"))


def AConnectWhoseHostIsDownGoesToTheNextHost(s):
    up = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{dead_port()}", "--endpoint",
                    f"shop={up.address}", "--balance", "round_robin", "--attempts", 0)
    for _ in range(2):
        caller = proxy.outbound()
        caller.send(CONNECT)
        app = up.accept()
        caller.head().expect("HTTP/1.1 200 OK")
        _chat(caller, app)
    check("shop:retry:connect_failure=" in proxy.ask("stats"), proxy.ask("stats"))


def ARefusedConnectPassesAndWhatFollowsIsNotServed(s):
    proxy, shop = s.sidecar()
    caller = proxy.outbound()
    caller.send(CONNECT + "GET /smuggled HTTP/1.1\r\nHost: shop\r\n\r\n")
    sidecar = shop.accept()
    sidecar.head()
    sidecar.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
    caller.head().expect("HTTP/1.1 403 Forbidden", connection="close")
    caller.expect("no").expect_end()
    sidecar.expect_end()
    shop.expect_no_connection()


def ConnectToWhatIsNoServiceIsRefusedAndWhatFollowsIsNotServed(s):
    for name in ("nobody:80", "10.1.2.3:80", "[::1]:443", "localhost:80", "example.com:443"):
        proxy, shop = s.pair()
        caller = proxy.outbound()
        caller.send(f"CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n\r\n" + GET)
        head = caller.head().expect("HTTP/1.1 503 Service Unavailable",
                                    x_ringside_error="no_endpoints", connection="close")
        caller.read(int(head.get("content-length")))
        caller.expect_end()
        shop.expect_no_connection(0.02)


def ConnectIsAnsweredWithACauseWhenNobodyIsThere(s):
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{dead_port()}")
    caller = proxy.outbound()
    caller.send(CONNECT)
    head = caller.head().expect("HTTP/1.1 502 Bad Gateway", x_ringside_error="connect_failure",
                                connection="close")
    check(b"connection refused" in caller.read(int(head.get("content-length"))), head.text)
    caller.expect_end()


def ConnectWithABodyIsRefused(s):
    for field in ("Content-Length: 3", "Transfer-Encoding: chunked"):
        proxy, shop = s.pair()
        caller = proxy.outbound()
        caller.send(f"CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n{field}\r\n\r\n")
        caller.head().expect("HTTP/1.1 400 Bad Request", connection="close")
        shop.expect_no_connection(0.02)


def ConnectThroughInboundReachesTheLocalApp(s):
    proxy, shop = s.inbound()
    caller = proxy.inbound()
    caller.send(f"CONNECT shop:80 HTTP/1.1\r\nHost: shop\r\n{MEANT}x-request-id: r1\r\n\r\nearly")
    app = shop.accept()
    caller.expect("HTTP/1.1 200 OK\r\nx-request-id: r1\r\n"
                  "x-ringside-instance: self-1-00000001\r\n\r\n")
    app.expect("early")
    _chat(caller, app)
    check("inbound:200=1" in proxy.ask("stats"), proxy.ask("stats"))


def ConnectForAnotherServiceOrRingIsRefusedBeforeTheAppSeesIt(s):
    for wrong in ("x-ringside-service: bank\r\nx-ringside-ring: default\r\n",
                  "x-ringside-service: shop\r\nx-ringside-ring: other\r\n"):
        proxy, shop = s.inbound()
        caller = proxy.inbound()
        caller.send(f"CONNECT shop:80 HTTP/1.1\r\nHost: shop\r\n{wrong}\r\nearly")
        caller.head().expect("HTTP/1.1 421 Misdirected Request", x_ringside_error="wrong_instance",
                             x_ringside_unprocessed="1", connection="close")
        shop.expect_no_connection(0.05)


def ConnectToADeadAppIsSaidToBeUnprocessed(s):
    proxy = s.proxy("--service", f"shop=127.0.0.1:{dead_port()}")
    caller = proxy.inbound()
    caller.send(f"CONNECT shop:80 HTTP/1.1\r\nHost: shop\r\n{MEANT}\r\n")
    caller.head().expect("HTTP/1.1 502 Bad Gateway", x_ringside_error="connect_failure",
                         x_ringside_unprocessed="1", connection="close")


# Raw TCP

def RawBytesGoStraightToAnEndpointWithoutSidecar(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop={shop.address}", "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    app = shop.accept()
    app.send("220 hello\r\n")
    caller.expect("220 hello\r\n")
    _chat(caller, app)
    stats = proxy.ask("stats")
    check("shop:200=1 " in stats and "shop:in_flight=0" in stats, stats)


def RawBytesGoThroughTheOtherSidecarByConnect(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:1/{shop.port}", "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    caller.send("GET / HTTP/1.1\r\n\r\n")  # bytes, whatever they look like
    sidecar = shop.accept()
    sidecar.head().expect("CONNECT shop:0 HTTP/1.1", host="shop", x_ringside_service="shop",
                          x_ringside_instance="127.0.0.1-1-00000001", x_ringside_ring="default")
    sidecar.expect_quiet()
    sidecar.send(CONNECTED)
    sidecar.expect("GET / HTTP/1.1\r\n\r\n")
    _chat(caller, sidecar)


def RawBytesPassTwoSidecars(s):
    app = s.upstream()
    inbound = s.proxy("--service", f"shop={app.address}")
    proxy = s.proxy("--endpoint", f"shop={app.address}/{inbound.ports['inbound']}",
                    "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    at_app = app.accept()
    _chat(caller, at_app)
    check("inbound:200=1" in inbound.ask("stats"), inbound.ask("stats"))


def ARawCallerThatHasSaidAllBeforeTheConnectionStandsIsHeard(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:1/{shop.port}", "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    caller.send("all of it").end()
    sidecar = shop.accept()
    sidecar.head()
    sidecar.send(CONNECTED)
    sidecar.expect("all of it").expect_end()
    sidecar.send("and the answer").end()
    caller.expect("and the answer").expect_end()


def ARawConnectionIsTriedOnTheNextHost(s):
    up = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{dead_port()}", "--endpoint",
                    f"shop={up.address}", "--balance", "round_robin", "--attempts", 0,
                    "--tcp", "shop=0")
    for _ in range(2):
        caller = proxy.fixed("shop")
        _chat(caller, up.accept())
    check("shop:retry:connect_failure=" in proxy.ask("stats"), proxy.ask("stats"))


def ARawConnectionThatFindsNobodyIsReset(s):
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:{dead_port()}", "--tcp", "shop=0",
                    "--tcp", "nobody=0", "--access")
    proxy.fixed("shop").expect_end("reset")
    proxy.fixed("nobody").expect_end("reset")
    stats = proxy.ask("stats")
    check("shop:502=1 " in stats and "shop:error:connect_failure=1" in stats, stats)
    check("shop:in_flight=0" in stats, stats)
    record = json.loads(proxy.ask("access").split("} ")[0] + "}")
    check(record["method"] == "CONNECT" and record["code"] == 502 and
          record["cause"] == "connect_failure" and record["upstream"] == "shop", str(record))


def ARawConnectionThatTheLastSidecarRefusesIsReset(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop=127.0.0.1:1/{shop.port}", "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    sidecar = shop.accept()
    sidecar.head()
    sidecar.send(f"HTTP/1.1 421 Misdirected Request\r\n{UNPROCESSED}"
                 "x-ringside-error: wrong_instance\r\nContent-Length: 0\r\n\r\n")
    caller.expect_end("reset")
    stats = proxy.ask("stats")
    check("shop:421=1 " in stats and "shop:error:wrong_instance=1" in stats, stats)


def ARawConnectionThatIsResetBeforeAByteCountsAgainstItsHost(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop={shop.address}", "--tcp", "shop=0",
                    "--timeouts", "5000,0,0,0")  # so long it is watched after it stands
    for _ in range(7):
        caller = proxy.fixed("shop")
        caller.send("anybody?")
        shop.accept().expect("anybody?").reset()
        caller.expect_end("reset")
    proxy.fixed("shop").expect_end("reset")
    stats = proxy.ask("stats")
    check("shop:error:reset=7" in stats and "shop:error:breaker_open=1" in stats, stats)


def ARawConnectionThatIsResetAfterAByteDoesNot(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop={shop.address}", "--tcp", "shop=0")
    for _ in range(8):
        caller = proxy.fixed("shop")
        app = shop.accept()
        app.send("x")
        caller.expect("x")
        app.reset()
        caller.expect_end("reset")
    check("breaker_open" not in proxy.ask("stats"), proxy.ask("stats"))


def ACallersResetReachesTheHost(s):
    shop = s.upstream()
    proxy = s.proxy("--endpoint", f"shop={shop.address}", "--tcp", "shop=0")
    caller = proxy.fixed("shop")
    caller.send("x")
    app = shop.accept()
    app.expect("x")
    caller.reset()
    app.expect_end("reset")
    check("error" not in proxy.ask("stats"), proxy.ask("stats"))


def ATunnelIsCutAfterSilence(s):
    proxy, caller, app = _upgraded(s, "--timeouts", "1000,0,5000,1000", "--access")
    for _ in range(4):  # longer than the limit altogether
        app.expect_quiet(0.3)
        caller.send("tick")
        app.expect("tick")
    caller.expect_end("reset")
    app.expect_end("reset")
    record = json.loads(proxy.ask("access"))
    check(record["code"] == 101 and record["cause"] == "timeout" and record["bytes_in"] == 16 and
          record["duration_ms"] >= 2000, str(record))


def TheResponseTimeDoesNotCutATunnel(s):
    _, caller, app = _upgraded(s, "--timeouts", "1000,500,500,0")
    caller.expect_quiet(0.8)
    _chat(caller, app)


def AStopLetsTunnelsLiveUntilItsLimit(s):
    proxy, caller, app = _upgraded(s, "--drain", 1500)
    proxy.begin("stop")
    for _ in range(3):
        caller.send("still")
        app.expect("still")
        app.send("here")
        caller.expect("here")
    check(proxy.answer() == "stopped", "not stopped")
    caller.expect_end("reset")
    app.expect_end("reset")


def AStopEndsWithTheLastTunnel(s):
    proxy, caller, app = _upgraded(s)
    proxy.begin("stop")
    _chat(caller, app)
    check(proxy.answer() == "stopped", "not stopped")


def MegabytesPassATunnelToASlowReader(s):
    import threading
    proxy, caller, app = _upgraded(s)
    body = bytes(range(256)) * (8 * 1024 * 1024 // 256)
    app.sock.settimeout(None)
    caller.sock.settimeout(None)
    up = threading.Thread(target=lambda: caller.send(body).end())
    down = threading.Thread(target=lambda: app.send(body))
    up.start()
    down.start()
    check(caller.read(len(body)) == body, "the bytes from the app differ")
    check(app.read(len(body)) == body, "the bytes from the caller differ")
    up.join()
    down.join()
    app.expect_end()
    app.end()
    caller.expect_end()
    check("shop:in_flight=0" in proxy.ask("stats"), proxy.ask("stats"))
