"""CONNECT to a service: straight, through the other sidecar, and at inbound."""
from tunnels import CONNECT, CONNECTED, MEANT, UNPROCESSED, chat, read_answer, reached
from wire import GET, OK, check, dead_port


def ConnectGoesStraightToAnEndpointWithoutSidecar(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("CONNECT shop.ringside:5432 HTTP/1.1\r\nHost: shop.ringside:5432\r\n"
                "x-request-id: r1\r\n\r\n")
    app = shop.accept()
    caller.expect("HTTP/1.1 200 OK\r\nx-request-id: r1\r\n\r\n")
    app.expect_quiet()
    chat(caller, app)
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
    chat(caller, sidecar)


def AnyOtherSuccessOfTheOtherSidecarIsATunnelToo(s):
    proxy, shop = s.sidecar()
    caller = proxy.outbound()
    caller.send(CONNECT)
    sidecar = shop.accept()
    sidecar.head()
    sidecar.send("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n")
    caller.head().expect("HTTP/1.1 204 No Content", content_length=None)
    chat(caller, sidecar)


def ConnectTakesAConnectionOfItsOwn(s):
    proxy, shop = s.sidecar()
    caller = proxy.outbound()
    caller.send(GET)
    sidecar = shop.accept()
    sidecar.head()
    sidecar.send(OK)
    read_answer(caller)
    caller.send(CONNECT)
    fresh = shop.accept()
    fresh.head().expect("CONNECT shop:80 HTTP/1.1")
    fresh.send(CONNECTED)
    caller.head()
    chat(caller, fresh)
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
        first, (other,) = reached(one, two)
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
    first, (other,) = reached(one, two)
    sidecar = first.accept()
    sidecar.head()
    sidecar.reset()
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
        chat(caller, app)
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
    chat(caller, app)
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
