"""What is refused: smuggling, limits."""
from wire import check


def _refused(s, request, status=400, cause="bad_request", reason=None, options=()):
    proxy, shop = s.pair(*options)
    caller = proxy.outbound()
    caller.send(request)
    head = caller.head()
    check(head.first.startswith(f"HTTP/1.1 {status} "), head.text)
    head.expect(head.first, x_ringside_error=cause, connection="close")
    body = caller.read(int(head.get("content-length"))).decode()
    check(reason is None or reason in body, body)
    caller.expect_end()
    shop.expect_no_connection(0.02)
    return proxy


def BothLengthsAreRefused(s):
    proxy = _refused(s, "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", reason="both_lengths")
    check("(unknown):400=1" in proxy.ask("stats"), proxy.ask("stats"))


def RepeatedLengthsAreRefused(s):
    _refused(s, "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
             reason="many_lengths")


def SignedLengthsAreRefused(s):
    _refused(s, "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: +1\r\n\r\na", reason="bad_length")


def OtherCodingsAreRefused(s):
    for coding in ("gzip", "chunked, gzip", ",chunked", "xchunked", "chunked, chunked"):
        _refused(s, f"POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n",
                 reason="bad_coding")


def CodingsOnOldRequestsAreRefused(s):
    _refused(s, "POST / HTTP/1.0\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             reason="te_on_http10")


def NoHostAndManyHostsAreRefused(s):
    _refused(s, "GET / HTTP/1.1\r\n\r\n", reason="no_host")
    _refused(s, "GET / HTTP/1.1\r\nHost: shop\r\nHost: shop\r\n\r\n", reason="many_hosts")


def SpaceBeforeTheColonIsRefused(s):
    _refused(s, "GET / HTTP/1.1\r\nHost: shop\r\nX : 1\r\n\r\n")


def FoldedLinesAreRefused(s):
    _refused(s, "GET / HTTP/1.1\r\nHost: shop\r\nX: 1\r\n two\r\n\r\n", reason="folded")


def BareLineEndsAreRefused(s):
    _refused(s, "GET / HTTP/1.1\nHost: shop\n\n", reason="bare_lf")
    _refused(s, "GET / HTTP/1.1\r\nHost: shop\r\nX: a\rb\r\n\r\n", reason="bare_cr")


def ZeroBytesAreRefused(s):
    _refused(s, "GET / HTTP/1.1\r\nHost: shop\r\nX: a\0b\r\n\r\n", reason="nul")


def ALargeHeadIsTold(s):
    _refused(s, "GET / HTTP/1.1\r\nHost: shop\r\nX: " + "a" * 3000 + "\r\n\r\n", status=431,
             cause="headers_too_large", options=("--header-limit", 2048))


def AnOfferOfHttp2IsPassedOver(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("GET / HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
    shop.accept().head().expect("GET / HTTP/1.1", upgrade=None, connection=None,
                                http2_settings=None)


def AnotherSchemeIsRefusedOnAFixedPortToo(s):
    proxy, shop = s.pair("--fixed", "shop=0")
    for caller in (proxy.outbound(), proxy.fixed("shop")):
        caller.send("GET https://shop/x HTTP/1.1\r\nHost: shop\r\n\r\n")
        head = caller.head().expect("HTTP/1.1 400 Bad Request", x_ringside_error="bad_request")
        check(b"only http:// can be passed on" in caller.read(int(head.get("content-length"))), "no reason given")
    shop.expect_no_connection(0.02)


def ABadChunkEndsTheCallAndIsNeverGuessed(s):
    proxy, shop = s.pair()
    caller = proxy.outbound()
    caller.send("POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    app = shop.accept()
    app.head()
    app.expect("1\r\na\r\n")
    caller.send("0x1\r\nb\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop\r\n\r\n")
    caller.head().expect("HTTP/1.1 400 Bad Request", connection="close")
    app.expect_end()
    shop.expect_no_connection(0.02)


def BytesBehindARefusedRequestAreNotServed(s):
    _refused(s, "GET / HTTP/1.1\r\nHost: shop\r\nContent-Length: x\r\n\r\n"
                "GET /smuggled HTTP/1.1\r\nHost: shop\r\n\r\n")


def AnAnswerBeforeTheBodyWasReadArrivesWhole(s):
    proxy, _ = s.pair()
    caller = proxy.outbound()
    caller.send("POST / HTTP/1.1\r\nHost: nobody\r\nContent-Length: 300000\r\n\r\n" + "x" * 200000)
    head = caller.head().expect("HTTP/1.1 503 Service Unavailable", connection="close")
    caller.read(int(head.get("content-length")))
    caller.send("x" * 100000)
    caller.expect_end()
