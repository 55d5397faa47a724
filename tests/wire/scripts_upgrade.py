"""Upgrade: a tunnel after the 101 that takes up the offer, and never else."""
from tunnels import ASK, MEANT, OFFER, SWITCH, chat, read_answer, reached
from wire import GET, OK, check


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
    chat(caller, app)
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
    chat(caller, app)


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
    chat(caller, app)


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
    chat(caller, app)


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
    chat(caller, app)


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
    chat(caller, app)


def AnUpgradeIsTriedAgainBeforeItsAnswerAndNeverAfter(s):
    one, two = s.upstream(), s.upstream()
    proxy = s.proxy("--endpoint", f"shop={one.address}", "--endpoint", f"shop={two.address}",
                    "--balance", "round_robin")
    caller = proxy.outbound()
    caller.send(ASK + "early")
    first, (other,) = reached(one, two)
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
    read_answer(caller)
    caller.send(ASK)  # on the pooled connection
    app.head().expect("GET /chat HTTP/1.1")
    app.send(SWITCH)
    caller.head()
    chat(caller, app)
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
    chat(caller, app)
    check("inbound:101=1" in proxy.ask("stats"), proxy.ask("stats"))


def AnUpgradeForAnotherServiceIsRefusedBeforeTheAppSeesIt(s):
    proxy, shop = s.inbound()
    caller = proxy.inbound()
    caller.send(f"GET / HTTP/1.1\r\nHost: shop\r\nx-ringside-service: bank\r\n{OFFER}\r\n")
    caller.head().expect("HTTP/1.1 421 Misdirected Request", x_ringside_unprocessed="1")
    shop.expect_no_connection()
