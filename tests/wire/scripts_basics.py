"""Keep-alive, bodies, naming, heads."""
from wire import GET, OK, check


def RequestAndResponsePassAndBothSidesStayOpen(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head().expect("GET / HTTP/1.1", host="shop", x_forwarded_for="127.0.0.1")
    app.send(OK)
    caller.expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    caller.send(GET)
    app.head()
    app.send(OK)
    caller.expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    shop.expect_no_connection()


def OrderAndCaseOfFieldsAreKept(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET /a?b=c HTTP/1.1\r\nHOST: shop\r\nX-One: 1\r\nx-TWO:  two words \r\n\r\n")
    app = shop.accept()
    head = app.head()
    check(head.text.startswith("GET /a?b=c HTTP/1.1\r\nHOST: shop\r\nX-One: 1\r\nx-TWO: two words\r\n"),
          head.text)
    app.send("HTTP/1.1 200 Fine\r\nX-B: 1\r\nx-a: 2\r\nCONTENT-length: 0\r\n\r\n")
    caller.expect("HTTP/1.1 200 Fine\r\nX-B: 1\r\nx-a: 2\r\nCONTENT-length: 0\r\n\r\n")


def AbsoluteFormNamesTheServiceAndOutranksHost(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET http://shop:8080/x HTTP/1.1\r\nHost: other\r\n\r\n")
    shop.accept().head().expect("GET /x HTTP/1.1", host="shop")


def ThePrefixNamesTheServiceAndIsRemoved(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET /svc/shop/x?y HTTP/1.1\r\nHost: 127.0.0.1:4140\r\n\r\n")
    shop.accept().head().expect("GET /x?y HTTP/1.1", host="shop")


def AFixedPortNeedsNoNameAndKeepsThePath(s):
    proxy, shop = s.pair("--fixed", "shop=0")
    caller = proxy.fixed("shop")
    caller.send("GET /svc/other/x HTTP/1.0\r\n\r\n")
    shop.accept().head().expect("GET /svc/other/x HTTP/1.1", host="shop")


def ADomainIsStrippedAndCaseDoesNotMatter(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.1\r\nHost: Shop.ringside:99\r\n\r\n")
    shop.accept().head().expect("GET / HTTP/1.1", host="shop")


def HopByHopFieldsStayHere(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.1\r\nHost: shop\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n"
                "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\n\r\n")
    app = shop.accept()
    app.head().expect("GET / HTTP/1.1", connection=None, x_hop=None, keep_alive=None,
                      proxy_connection=None, te=None)
    app.send("HTTP/1.1 200 OK\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=9\r\n"
             "Content-Length: 0\r\n\r\n")
    caller.expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def ForwardedForIsAppended(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n")
    shop.accept().head().expect("GET / HTTP/1.1", x_forwarded_for="9.9.9.9, 127.0.0.1")


def RequestIdIsKeptOrDrawnAndTraceparentPasses(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.1\r\nHost: shop\r\nX-Request-ID: mine\r\ntraceparent: 00-a-b-01\r\n\r\n")
    app = shop.accept()
    head = app.head().expect("GET / HTTP/1.1", x_request_id="mine", traceparent="00-a-b-01")
    check(len(head.all("x-request-id")) == 1, head.text)
    app.send(OK)
    caller.head()
    caller.read(2)
    caller.send(GET)
    drawn = app.head().get("x-request-id")
    check(drawn and len(drawn) == 32, f"drawn id {drawn!r}")


def SizedBodyPassesBothWays(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("POST /p HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello")
    app = shop.accept()
    app.head().expect("POST /p HTTP/1.1", content_length="5")
    app.expect("hello")
    app.send("HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nyes")
    caller.expect("HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nyes")


def ChunksPassBothWaysWithTrailers(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                "5;ext=1\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n")
    app = shop.accept()
    app.head().expect("POST / HTTP/1.1", transfer_encoding="chunked", content_length=None)
    app.expect("5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n")
    app.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-T: 1\r\n\r\n")
    caller.expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-T: 1\r\n\r\n")


def ChunksPassAsTheyComeNotAtTheEnd(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
    caller.head()
    caller.expect("3\r\none\r\n")
    app.send("3\r\ntwo\r\n")
    caller.expect("3\r\ntwo\r\n")
    app.send("0\r\n\r\n")
    caller.expect("0\r\n\r\n")


def HeadHasNoBodyAndKeepsItsLength(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n")
    app = shop.accept()
    app.head().expect("HEAD / HTTP/1.1")
    app.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    caller.expect("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    caller.send(GET)
    app.head().expect("GET / HTTP/1.1")


def NoContentAndNotModifiedHaveNoBody(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    app = None
    for status in ("204 No Content", "304 Not Modified"):
        caller.send(GET)
        app = app or shop.accept()
        app.head()
        app.send(f"HTTP/1.1 {status}\r\nETag: x\r\n\r\n")
        caller.expect(f"HTTP/1.1 {status}\r\nETag: x\r\n\r\n")


def ABodyThatEndsWithTheConnectionBecomesChunked(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 200 OK\r\n\r\nall of it")
    caller.expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n")
    app.close()
    caller.expect("0\r\n\r\n")
    caller.send(GET)
    shop.accept().head()


def PipelinedRequestsAreAnsweredInOrder(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("".join(f"GET /{i} HTTP/1.1\r\nHost: shop\r\n\r\n" for i in range(5)))
    app = shop.accept()
    for i in range(5):
        app.head().expect(f"GET /{i} HTTP/1.1")
        app.expect_quiet(0.02)
        app.send(f"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{i}")
        caller.expect(f"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{i}")


def ARequestMayComeByteByByte(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    for byte in "POST /b HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nxyz":
        caller.send(byte)
    app = shop.accept()
    app.head().expect("POST /b HTTP/1.1")
    app.expect("xyz")
    for byte in "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc":
        app.send(byte)
    caller.expect("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")


def OldClientGetsNoChunksAndItsConnectionCloses(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET /svc/shop/ HTTP/1.0\r\n\r\n")
    app = shop.accept()
    app.head().expect("GET / HTTP/1.1", host="shop")
    app.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    caller.head().expect("HTTP/1.1 200 OK", transfer_encoding=None, connection="close")
    caller.expect("abc").expect_end()


def OldClientMayKeepAlive(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET /svc/shop/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    app = shop.accept()
    app.head().expect("GET / HTTP/1.1", connection=None)
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK", connection="keep-alive")
    caller.expect("ok")
    caller.send("GET /svc/shop/2 HTTP/1.0\r\n\r\n")
    app.head().expect("GET /2 HTTP/1.1")


def OldServerClosesAndIsNotReused(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    app.send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
    caller.expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    caller.send(GET)
    shop.accept().head()


def ConnectionCloseFromTheCallerClosesItsSideOnly(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
    app = shop.accept()
    app.head().expect("GET / HTTP/1.1", connection=None)
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK", connection="close")
    caller.expect("ok").expect_end()
    again = proxy.outbound()
    again.send(GET)
    app.head()


def InterimResponsesPassOn(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    app = shop.accept()
    app.head().expect("POST / HTTP/1.1", expect="100-continue")
    app.send("HTTP/1.1 100 Continue\r\n\r\n")
    caller.expect("HTTP/1.1 100 Continue\r\n\r\n")
    caller.send("hi")
    app.expect("hi")
    app.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK)
    caller.expect("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    caller.head().expect("HTTP/1.1 200 OK")


def OldClientsGetNoInterimResponses(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET /svc/shop/ HTTP/1.0\r\n\r\n")
    app = shop.accept()
    app.head()
    app.send("HTTP/1.1 103 Early Hints\r\n\r\n" + OK)
    caller.head().expect("HTTP/1.1 200 OK")


def ALargeBodyPassesToASlowReader(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send(GET)
    app = shop.accept()
    app.head()
    size = 8 * 1024 * 1024
    body = bytes(range(256)) * (size // 256)
    app.sock.settimeout(None)
    import threading
    sender = threading.Thread(target=lambda: app.send(
        f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + body))
    sender.start()
    caller.head()
    check(caller.read(size) == body, "the body differs")
    sender.join()


def ALargeUploadPassesToASlowApp(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    size = 8 * 1024 * 1024
    body = bytes(range(256)) * (size // 256)
    caller.sock.settimeout(None)
    import threading
    sender = threading.Thread(target=lambda: caller.send(
        f"PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: {size}\r\n\r\n".encode() + body))
    sender.start()
    app = shop.accept()
    app.head()
    check(app.read(size) == body, "the body differs")
    sender.join()
    app.send(OK)
    caller.head().expect("HTTP/1.1 200 OK")
