"""Legal exchanges, as rows: heads, names, bodies, chunks and trailers."""
from table import (CHUNKED, EMPTY, ID, INSTANCE, LAST, OK, XFF, Row, answers, app_closes, app_gets, chunk, ends,
                   get, gets, head, new_app, new_caller, ok, passes, post, seen, seen_get, seen_post, sends)

_METHODS = ("DELETE", "GET", "POST", "PUT", "OPTIONS", "TRACE", "COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH", "SEARCH",
            "UNLOCK", "BIND", "REBIND", "UNBIND", "ACL", "REPORT", "MKACTIVITY", "CHECKOUT", "MERGE", "M-SEARCH", "NOTIFY", "SUBSCRIBE",
            "UNSUBSCRIBE", "PATCH", "PURGE", "MKCALENDAR", "LINK", "UNLINK", "SOURCE")


def _every_method():
    steps = []
    for method in _METHODS:
        request = head(f"{method} /m HTTP/1.1", "Host: shop")
        steps += [sends(request), app_gets(seen(request)), answers(OK), gets(OK)]
    return Row("EveryMethodThatLlhttpKnowsPasses", "methods", *steps)


def _target(name, target, passed=None, host="shop", rule="targets"):
    return passes(name, rule, head(f"GET {target} HTTP/1.1", f"Host: {host}"), seen(head(f"GET {passed or target} HTTP/1.1", "Host: shop")))


def _host(name, field):
    return passes(name, "naming", head("GET / HTTP/1.1", field), seen(head("GET / HTTP/1.1", field.split(":")[0] + ": shop")))


HEADS = [
    _every_method(),
    _target("APathAndAQueryPassByteForByte", "/a/../b//c/%2e%2E/%41?q=%zz&r=a+b&&=;,"),
    _target("EveryMarkOfATargetPasses", "/~-._!$&'()*+,;=:@\"<>\\^`{|}[]?/?"),
    _target("ALongTargetPasses", "/" + "x" * 30000),
    _target("AbsoluteFormBecomesOriginForm", "http://shop/x?y", "/x?y"),
    _target("AbsoluteFormWithoutPathGetsASlash", "http://shop", "/"),
    _target("AbsoluteFormWithAQueryOnlyGetsASlash", "http://shop?y=1", "/?y=1"),
    _target("TheSchemeIsReadWhateverItsCase", "HTTP://SHOP/x", "/x"),
    _target("AbsoluteFormOutranksTheHostField", "http://shop/x", "/x", host="other"),
    passes("OptionsOfTheWholeServerKeepsItsAsterisk", "targets", head("OPTIONS * HTTP/1.1", "Host: shop"),
           seen(head("OPTIONS * HTTP/1.1", "Host: shop"))),
    passes("OptionsInAbsoluteFormWithoutPathBecomesAnAsterisk", "targets", head("OPTIONS http://shop HTTP/1.1", "Host: shop"),
           seen(head("OPTIONS * HTTP/1.1", "Host: shop"))),
    _host("APortInHostIsIgnored", "Host: shop:8080"),
    _host("AnEmptyPortInHostIsIgnored", "Host: shop:"),
    _host("TheNameInHostMayBeInAnyCase", "hOsT: SHOP"),
    _host("TheLastDotOfANameIsIgnored", "Host: shop."),
    _host("WhiteSpaceAroundHostIsNoPartOfIt", "Host: \t shop \t"),
    _target("ThePrefixKeepsWhatFollowsItsName", "/svc/shop/svc/shop/x", "/svc/shop/x", host="localhost:4140"),
    _target("ThePrefixMayEndWithItsName", "/svc/shop", "/", host="127.0.0.1"),
    _target("ThePrefixMayHaveAQueryAtOnce", "/svc/shop?x", "/?x", host="[::1]:4140"),
    _target("ANameInHostOutranksThePrefix", "/svc/other/x"),
    passes("OrderCaseAndSpellingOfFieldsAreKept", "order_and_case", get("x-B: 1", "ACCEPT:   */* ", "x-B: 2", "X-a:\t3", "x-empty:"),
           seen(get("x-B: 1", "ACCEPT: */*", "x-B: 2", "X-a: 3", "x-empty: ")),
           ok("x-Z: 1", "Set-Cookie: a=1", "SET-cookie: b=2", "CONTENT-LENGTH: 0", "x-A: 2"),
           ok("x-Z: 1", "Set-Cookie: a=1", "SET-cookie: b=2", "CONTENT-LENGTH: 0", "x-A: 2")),
    passes("BytesOver0x7fInValuesPass", "order_and_case", get("X: d\xe9j\xe0 \xff"), seen_get("X: d\xe9j\xe0 \xff"),
           ok("Y: \x80\xfe", "Content-Length: 0"), ok("Y: \x80\xfe", "Content-Length: 0")),
    passes("EveryMarkOfANamePasses", "order_and_case", get("!#$%&'*+-.^_`|~09azAZ: v"), seen_get("!#$%&'*+-.^_`|~09azAZ: v")),
    passes("UnderscoresAndDotsInNamesPass", "order_and_case", get("X_a.b: 1"), seen_get("X_a.b: 1"), ok("Y_a.b: 2", "Content-Length: 0")),
    passes("TabsInsideAValuePass", "order_and_case", get("X: a\tb"), seen_get("X: a\tb")),
    passes("ALongNameIsNotCut", "order_and_case", get("x" * 300 + ": 1"), seen_get("x" * 300 + ": 1")),
    passes("CookiesAndAuthorizationPass", "order_and_case", get("Cookie: a=b; c=d", "Authorization: Basic eDp5"),
           seen_get("Cookie: a=b; c=d", "Authorization: Basic eDp5")),
    passes("StatusAndPhrasePass", "order_and_case", get(), seen_get(), head("HTTP/1.1 299 d\xe9j\xe0 vu!", "Content-Length: 0")),
    passes("AnUnknownStatusPasses", "order_and_case", get(), seen_get(), head("HTTP/1.1 799 X", "Content-Length: 0")),
    passes("AResponseWithoutPhrasePasses", "order_and_case", get(), seen_get(), "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"),
    passes("HeadsOf63KiBPassBothWays", "large_heads", get("X: " + "y" * 64000), seen_get("X: " + "y" * 64000),
           ok("Content-Length: 0", "Y: " + "z" * 65400), ok("Content-Length: 0", "Y: " + "z" * 65400)),
    passes("TwoHundredFieldsPassBothWays", "large_heads", get(*(f"X-{i}: {i}" for i in range(200))),
           seen_get(*(f"X-{i}: {i}" for i in range(200))), ok(*(f"Y-{i}: {i}" for i in range(200)), "Content-Length: 0")),
]

_MINE = ok("Content-Length: 2", INSTANCE) + "ok"

INBOUND = [
    passes("InboundPassesHostAsItCame", "naming", head("GET /x HTTP/1.1", "host: Any.example:80", "X: y"),
           seen(head("GET /x HTTP/1.1", "host: Any.example:80", "X: y")), OK, _MINE, side="inbound"),
    passes("InboundGivesTheAppOriginFormAndTheHostThatCounts", "targets", head("GET http://any.example:80/x?y HTTP/1.1", "Host: other"),
           seen(head("GET /x?y HTTP/1.1", "Host: any.example:80")), OK, _MINE, side="inbound"),
    passes("InboundGivesOldCallersTheHostTheyLack", "http10", head("GET /x HTTP/1.0", "Connection: keep-alive"),
           seen(head("GET /x HTTP/1.1", "Host: shop")), OK, ok("Content-Length: 2", "Connection: keep-alive", INSTANCE) + "ok", side="inbound"),
    passes("InboundKeepsThePrefix", "naming", get().replace("GET / ", "GET /svc/shop/x "), seen(get()).replace("GET / ", "GET /svc/shop/x "), OK, _MINE,
           side="inbound"),
]

NAMES_AND_MARKS = [
    passes("ForwardedForIsAddedWhereThereIsNone", "forwarded", get(), seen_get()),
    passes("ForwardedForGrowsAtItsLastInstance", "forwarded", get("x-forwarded-for: 1.1.1.1", "X-FORWARDED-FOR: 2.2.2.2", "Y: z"),
           get("x-forwarded-for: 1.1.1.1", "X-FORWARDED-FOR: 2.2.2.2, 127.0.0.1", "Y: z", ID)),
    passes("AnEmptyForwardedForGetsTheCaller", "forwarded", get("X-Forwarded-For:"), get("X-Forwarded-For: 127.0.0.1", ID)),
    passes("OtherForwardedFieldsPass", "forwarded", get("X-Forwarded-Proto: https", "X-Forwarded-Host: a", "Forwarded: for=a"),
           seen_get("X-Forwarded-Proto: https", "X-Forwarded-Host: a", "Forwarded: for=a")),
    passes("ViaPassesAndNothingIsAddedToIt", "forwarded", get("Via: 1.1 edge"), seen_get("Via: 1.1 edge"),
           ok("Via: 1.0 cache", "Content-Length: 0")),
    passes("AMalformedRequestIdIsReplaced", "marks", get("X-Request-Id: two words"), get(XFF, ID)),
    passes("ALongRequestIdIsReplaced", "marks", get("x-request-id: " + "r" * 129), get(XFF, ID)),
    passes("TraceContextPasses", "marks", get("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=b"),
           seen_get("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=b")),
    passes("TheDeadlineAloneStaysOfOurWords", "marks", get("X-Ringside-Deadline: 5", "x-ringside-unprocessed: 1", "X-RINGSIDE-New: 1"),
           get(XFF, ID, "X-Ringside-Deadline: 5")),
]

BODIES = [
    passes("ALengthOfZeroPasses", "sized_body", post("Content-Length: 0"), seen_post("Content-Length: 0")),
    passes("APostWithoutLengthHasNoBody", "sized_body", post(), seen_post()),
    passes("ABodyOfGetPassesWithItsLength", "sized_body", get("Content-Length: 2") + "hi", seen_get("Content-Length: 2") + "hi"),
    passes("ABodyOfDeletePasses", "sized_body", head("DELETE /1 HTTP/1.1", "Host: shop", "Content-Length: 2") + "hi",
           seen(head("DELETE /1 HTTP/1.1", "Host: shop", "Content-Length: 2")) + "hi"),
    passes("LeadingZerosOfALengthAreNotPassedOn", "sized_body", post("Content-Length: 0002") + "hi", seen_post("Content-Length: 2") + "hi",
           ok("content-length: 003") + "abc", ok("content-length: 3") + "abc"),
    passes("EveryByteMayStandInABody", "sized_body", post("Content-Length: 256") + "".join(map(chr, range(256))),
           seen_post("Content-Length: 256") + "".join(map(chr, range(256))),
           ok("Content-Length: 256") + "".join(map(chr, range(255, -1, -1)))),
    passes("ABodyThatLooksLikeARequestIsABody", "not_a_request", post("Content-Length: 38") + "GET /smuggled HTTP/1.1\r\nHost: shop\r\n\r\n",
           seen_post("Content-Length: 38") + "GET /smuggled HTTP/1.1\r\nHost: shop\r\n\r\n"),
    passes("AResponseBodyThatLooksLikeAResponseIsABody", "not_a_request", get(), seen_get(), ok("Content-Length: 38") + EMPTY),
    Row("ABodyMayComeLongAfterItsHead", "sized_body", sends(post("Content-Length: 4")), app_gets(seen_post("Content-Length: 4")),
        sends("ab"), app_gets("ab"), sends("cd"), app_gets("cd"), answers(OK), gets(OK)),
    passes("ContentCodingsAreNotTouched", "sized_body", post("Content-Encoding: gzip", "Content-Length: 3") + "\x1f\x8b\x08",
           seen_post("Content-Encoding: gzip", "Content-Length: 3") + "\x1f\x8b\x08",
           ok("Content-Encoding: br", "Content-Length: 2") + "\x0b\x02"),
]


def _chunked(name, body, seen_body, rule="chunked_request", fields=(), passed=()):
    return passes(name, rule, post(CHUNKED, *fields) + body, seen_post(CHUNKED, *passed) + seen_body)


def _chunked_back(name, body, got_body, rule="chunked_response", fields=()):
    return passes(name, rule, get(), seen_get(), ok(CHUNKED, *fields) + body, ok(CHUNKED, *fields) + got_body)


CHUNKS = [
    _chunked("OneChunkPasses", chunk("hello") + LAST, chunk("hello") + LAST),
    _chunked("AnEmptyChunkedBodyPasses", LAST, LAST),
    _chunked("ChunksThatWaitForTheirConnectionBecomeOne", chunk("hello") + chunk(" world") + LAST, chunk("hello world") + LAST),
    _chunked("SizesInCapitalsAndWithZerosArePlain", "000A\r\n0123456789\r\n0000\r\n\r\n", "a\r\n0123456789\r\n" + LAST),
    _chunked("ExtensionsAreDropped", '2;a;b=c;d="e;f \t"; g = h\r\nhi\r\n0;last=1\r\n\r\n', chunk("hi") + LAST),
    _chunked("LineEndsInsideAChunkAreData", "6\r\n\r\n0\r\n\r\r\n" + LAST, chunk("\r\n0\r\n\r") + LAST),
    passes("ChunkedIsReadWhateverItsCase", "chunked_request", post("TRANSFER-encoding: cHUNKED") + chunk("hi") + LAST,
           seen_post("TRANSFER-encoding: chunked") + chunk("hi") + LAST),
    _chunked("TrailersPass", chunk("hi") + "0\r\nX-Sum: 1\r\nx-SUM: 2 \r\n\r\n", chunk("hi") + "0\r\nX-Sum: 1\r\nx-SUM: 2\r\n\r\n", "trailers",
             ["Trailer: X-Sum"], ["Trailer: X-Sum"]),
    _chunked("TrailersThatFrameOrRouteAreDropped", "0\r\nContent-Length: 5\r\nHost: b\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n"
             "X-Forwarded-For: 6.6.6.6\r\nx-ringside-service: bank\r\nTE: x\r\nUpgrade: y\r\nExpect: z\r\nX-Kept: 1\r\n\r\n",
             "0\r\nX-Kept: 1\r\n\r\n", "trailers"),
    passes("TrailersAreOfferedOnlyWhereTheyMayCome", "trailers", post("Trailer: X-Sum", "Content-Length: 2") + "hi",
           seen_post("Content-Length: 2") + "hi"),
    Row("ChunksPassOneByOneAsTheyCome", "chunked_request", sends(post(CHUNKED)), app_gets(seen_post(CHUNKED)), sends(chunk("ab")),
        app_gets(chunk("ab")), sends(chunk("c") + chunk("d")), app_gets(chunk("c") + chunk("d")), sends(LAST), app_gets(LAST),
        answers(OK), gets(OK)),
    Row("AChunkMayComeInPieces", "chunked_request", sends(post(CHUNKED)), app_gets(seen_post(CHUNKED)), sends("4\r\nab"),
        app_gets(chunk("ab")), sends("cd"), app_gets(chunk("cd")), sends("\r\n0\r\n\r\n"), app_gets(LAST), answers(OK), gets(OK)),
    _chunked_back("AResponseInChunksPasses", chunk("hello") + chunk("you") + LAST, chunk("hello") + chunk("you") + LAST),
    _chunked_back("AnEmptyResponseInChunksPasses", LAST, LAST),
    _chunked_back("ExtensionsOfAResponseAreDropped", "3; a\r\nabc\r\n0\r\n\r\n", chunk("abc") + LAST),
    _chunked_back("SizesOfAResponseAreWrittenAnew", "00F\r\n" + "x" * 15 + "\r\n00\r\n\r\n", "f\r\n" + "x" * 15 + "\r\n" + LAST),
    _chunked_back("TrailersOfAResponsePass", chunk("a") + "0\r\nX-Sum: 1\r\nETag: x\r\n\r\n", chunk("a") + "0\r\nX-Sum: 1\r\nETag: x\r\n\r\n",
                  "trailers", ["Trailer: X-Sum"]),
    _chunked_back("TrailersOfAResponseThatFrameAreDropped", "0\r\nContent-Length: 5\r\nConnection: close\r\nx-ringside-error: reset\r\n\r\n", LAST,
                  "trailers"),
    passes("ChunkedInCapitalsIsWrittenPlain", "chunked_response", get(), seen_get(), ok("transfer-encoding:  CHUNKED ") + LAST,
           ok("transfer-encoding: chunked") + LAST),
    Row("ABodyThatEndsWithTheConnectionGetsChunks", "until_close", sends(get()), app_gets(seen_get()), answers(ok("X: y"), "abc"),
        gets(ok("X: y", CHUNKED), chunk("abc")), answers("de"), gets(chunk("de")), app_closes, gets(LAST), sends(get()), new_app,
        app_gets(seen_get()), answers(OK), gets(OK)),
    Row("AnEmptyBodyThatEndsWithTheConnectionIsEmpty", "until_close", sends(get()), app_gets(seen_get()), answers(ok()), app_closes,
        gets(ok(CHUNKED), LAST)),
    Row("AnOldCallerGetsABodyThatEndsWithItsConnection", "until_close", sends(head("GET /svc/shop/ HTTP/1.0")),
        app_gets(seen(head("GET / HTTP/1.1", "Host: shop"))), answers(ok(), "abc"), gets(ok("Connection: close"), "abc"), app_closes, ends),
]

AGAIN = [
    Row("ABodyIsNotTakenForTheNextRequest", "not_a_request", sends(post("Content-Length: 3"), "abc", get()),
        app_gets(seen_post("Content-Length: 3"), "abc"), answers(OK), gets(OK), app_gets(seen_get()), answers(EMPTY), gets(EMPTY)),
    Row("ChunksAreNotTakenForTheNextRequest", "not_a_request", sends(post(CHUNKED), chunk("abc"), LAST, get()),
        app_gets(seen_post(CHUNKED), chunk("abc"), LAST), answers(OK), gets(OK), app_gets(seen_get()), answers(EMPTY), gets(EMPTY)),
    Row("TrailersAreNotTakenForTheNextRequest", "not_a_request", sends(post(CHUNKED), "0\r\nGET: /x\r\n\r\n", get()),
        app_gets(seen_post(CHUNKED), "0\r\nGET: /x\r\n\r\n"), answers(OK), gets(OK), app_gets(seen_get()), answers(EMPTY), gets(EMPTY)),
    Row("AnotherCallerGetsTheSameConnectionToTheApp", "keep_alive", sends(get()), app_gets(seen_get()), answers(OK), gets(OK), new_caller,
        sends(head("PUT / HTTP/1.1", "Host: shop", "Content-Length: 1"), "x"),
        app_gets(seen(head("PUT / HTTP/1.1", "Host: shop", "Content-Length: 1")), "x"), answers(EMPTY), gets(EMPTY)),
]

ROWS = HEADS + INBOUND + NAMES_AND_MARKS + BODIES + CHUNKS + AGAIN
