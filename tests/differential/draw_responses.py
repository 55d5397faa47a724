"""Draws responses: a legal one by a grammar, or one with a single fault. The request that they answer is plain."""
from case import Case
from draw_requests import edit

_PHRASES = {"phrase.usual": b" OK", "phrase.none": b"", "phrase.empty": b" ", "phrase.bytes": b" d\xc3\xa9j\xc3\xa0", "phrase.words": b" All Is Well, Sort Of"}
_STATUSES = (200, 200, 200, 200, 201, 206, 301, 404, 418, 429, 500, 299, 599, 203)
_FIELDS = {
    "field.usual": (b"Content-Type: text/plain; charset=utf-8", b"ETag: \"x\"", b"Date: Thu, 01 Jan 2026 00:00:00 GMT", b"Server: test/1", b"Cache-Control: no-store"),
    "field.case": (b"x-lower: 1", b"X-UPPER: 2"), "field.empty": (b"X-Empty:",), "field.space": (b"X-Space: \t a b \t ", b"X-Space:a"),
    "field.bytes": (b"X-Bytes: d\xc3\xa9j\xc3\xa0 \xff",), "field.twice": (b"Set-Cookie: a=1\r\nSet-Cookie: b=2",), "field.underscore": (b"X_Under_Score: 1",),
    "field.long": (b"X-Long: " + b"y" * 3000,), "field.via": (b"Via: 1.1 cache",), "field.tab": (b"X-Tab: a\tb",),
    "connection.lists": (b"Connection: X-Hop\r\nX-Hop: 1",), "connection.keep": (b"Connection: keep-alive\r\nKeep-Alive: timeout=5",), "connection.close": (b"Connection: close",),
    "field.accel": (b"X-Accel-Expires: 5",), "proxy.fields": (b"Proxy-Authenticate: Basic",),
}


class Draft:
    def __init__(self):
        self.method, self.version, self.status, self.phrase = b"GET", b"HTTP/1.1", 200, b" OK"
        self.first, self.before = None, b""      # instead of the status line; before it
        self.lines, self.framing_lines = [], []
        self.end, self.payload, self.body = b"\r\n", b"", b""
        self.closes = False
        self.features = set()

    def render(self):
        first = self.first if self.first is not None else b"%s %d%s\r\n" % (self.version, self.status, self.phrase)
        return self.before + first + b"".join(line + b"\r\n" for line in [*self.lines, *self.framing_lines]) + self.end + self.payload


def _sized(made, rng, data=None):
    made.body = made.payload = data if data is not None else bytes(rng.choices(b"abc\r\n0 {}\0\xff", k=rng.choice((0, 1, 10, 100, 3000))))
    made.framing_lines = [b"Content-Length: %d" % len(made.body)]
    made.features.add("body.sized")


def _chunked(made, rng):
    pieces = [bytes(rng.choices(b"abc\r\n0 ", k=rng.choice((1, 5, 16, 300)))) for _ in range(rng.randrange(4))]
    made.body, made.payload = b"".join(pieces), b""
    for piece in pieces:
        extension = rng.choice((b";a=b", b";a;b=\"c\"")) if rng.random() < 0.2 else b""
        if extension:
            made.features.add("chunk.extension")
        made.payload += b"%x%s\r\n%s\r\n" % (len(piece), extension, piece)
    if rng.random() < 0.25:
        made.payload += b"0\r\nX-Sum: 1\r\n\r\n"
        made.features.add("chunk.trailers")
    else:
        made.payload += b"0\r\n\r\n"
    made.framing_lines = [rng.choice((b"Transfer-Encoding: chunked", b"transfer-encoding: Chunked"))]
    made.features.add("body.chunked")


def _draft(rng, plain=False):
    made = Draft()
    draw = rng.random()
    if draw < 0.45:
        _sized(made, rng)
    elif draw < 0.85 or plain:
        _chunked(made, rng)
    else:
        made.body = made.payload = b"until the end\r\n" * rng.randrange(1, 20)
        made.closes = True
        made.features.add("body.close")
    if plain:
        return made
    made.status = rng.choice(_STATUSES)
    phrase = rng.choices(list(_PHRASES), (10, 1, 1, 1, 2))[0]
    made.phrase = _PHRASES[phrase]
    made.features.add(phrase)
    for feature in rng.sample(list(_FIELDS), rng.choice((0, 1, 1, 2, 3))):
        made.lines.append(rng.choice(_FIELDS[feature]))
        made.features.add(feature)
        made.closes = made.closes or feature == "connection.close"
    _legal_variation(rng, made)
    return made


def _legal_variation(rng, made):
    draw = rng.random()
    if draw < 0.1 and "body.chunked" not in made.features and "connection.keep" not in made.features:
        made.version = b"HTTP/1.0"
        made.features.add("old")
        made.closes = True
    elif draw < 0.2:
        made.method = b"HEAD"
        made.payload = made.body = b""
        made.features.add("head")
    elif draw < 0.3:
        made.status = rng.choice((204, 304))
        made.payload = made.body = b""
        made.framing_lines = [] if made.status == 204 or rng.random() < 0.5 else [b"Content-Length: 9"]
        made.features.add(f"status.{made.status}")
    elif draw < 0.4:
        interim = rng.choice((b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n"))
        made.before = interim * rng.randint(1, 2)
        made.features.add("interim")


def _line(name, *texts):
    return name, lambda rng, made: made.lines.append(rng.choice(texts))


def _first(name, *texts):
    return name, lambda rng, made: setattr(made, "first", rng.choice(texts))


def _framing(name, *choices):
    def change(rng, made):
        made.framing_lines = list(rng.choice(choices))
        coded = any(b"ransfer" in line for line in made.framing_lines)
        made.payload = b"5\r\nhello\r\n0\r\n\r\n" if coded else b"hello"
        made.closes = True
    return name, change


def _payload(name, chunked, *texts, closes=True, **parts):
    def change(rng, made):
        made.framing_lines = [b"Transfer-Encoding: chunked"] if chunked else [b"Content-Length: 5"]
        made.payload, made.closes = rng.choice(texts), closes
        for part, value in parts.items():
            setattr(made, part, value)
    return name, change


_CHUNKED = b"Transfer-Encoding: chunked"
_SMUGGLED = b"HTTP/1.1 200 Smuggled\r\nContent-Length: 8\r\n\r\nsmuggled"

FAULTS = dict([
    _framing("length.beside_coding", [b"Content-Length: 5", _CHUNKED], [_CHUNKED, b"Content-Length: 15"]), _framing("length.same_twice", [b"Content-Length: 5", b"Content-Length: 5"]),
    _framing("length.two", [b"Content-Length: 5", b"Content-Length: 3"]), _framing("length.sign", [b"Content-Length: +5"], [b"Content-Length: -5"]),
    _framing("length.empty", [b"Content-Length:"]), _framing("length.hex", [b"Content-Length: 0x5"]), _framing("length.list", [b"Content-Length: 5, 5"], [b"Content-Length: 5, 6"]),
    _framing("length.64_bits", [b"Content-Length: 18446744073709551621"]), _framing("length.zeros", [b"Content-Length: 0005"]), _framing("length.tab", [b"Content-Length:\t5"]),
    _framing("coding.gzip", [b"Transfer-Encoding: gzip, chunked"], [b"Transfer-Encoding: gzip"]), _framing("coding.comma", [b"Transfer-Encoding: ,chunked"], [b"Transfer-Encoding: chunked,"]),
    _framing("coding.twice", [_CHUNKED, _CHUNKED], [b"Transfer-Encoding: chunked, chunked"]), _framing("coding.identity", [b"Transfer-Encoding: identity"]),
    _framing("coding.unknown", [b"Transfer-Encoding: xchunked"]), _framing("coding.empty", [b"Transfer-Encoding:"]),
    ("coding.old", lambda rng, made: (_framing("", [_CHUNKED])[1](rng, made), setattr(made, "version", b"HTTP/1.0"))),
    _line("field.lf", b"X: a\nY: b"), _line("field.cr", b"X: a\rb", b"X: a\r"), _line("field.nul", b"X: a\0b"), _line("field.control", b"X: a\x01b", b"X: \x7f"), _line("field.folded", b"X: a\r\n b"),
    _line("field.space_before_colon", b"X : y"), _line("field.no_colon", b"Xyz"), _line("field.no_name", b": x"), _line("field.bad_name", b"X Y: z", b"X[1]: z", b"X\xc3\xa9: z"),
    _line("field.connection", b"Connection: close x"), _line("field.20k", b"X: " + b"y" * 20000), _line("field.70k", b"X: " + b"y" * 70000), _line("field.many", b"\r\n".join(b"X-%d: y" % i for i in range(300))),
    _first("line.two_digits", b"HTTP/1.1 20 OK\r\n"), _first("line.four_digits", b"HTTP/1.1 2000 OK\r\n"), _first("line.no_number", b"HTTP/1.1 2x0 OK\r\n", b"HTTP/1.1 OK\r\n"),
    _first("line.low", b"HTTP/1.1 099 OK\r\n", b"HTTP/1.1 000 OK\r\n"), _first("line.high", b"HTTP/1.1 999 OK\r\n", b"HTTP/1.1 600 OK\r\n"), _first("line.version_2", b"HTTP/2.0 200 OK\r\n"),
    _first("line.version_12", b"HTTP/1.2 200 OK\r\n"), _first("line.case", b"http/1.1 200 OK\r\n"), _first("line.nonsense", b"nonsense\r\n", b"\0\1\2\r\n"), _first("line.lf", b"HTTP/1.1 200 OK\n"),
    _first("line.two_spaces", b"HTTP/1.1  200 OK\r\n"), _first("line.empty_before", b"\r\nHTTP/1.1 200 OK\r\n"), _first("line.unasked_101", b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n"),
    _first("line.interim_body", b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n"),
    ("interim.many", lambda rng, made: setattr(made, "before", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40)),
    _payload("chunk.0x", True, b"0x5\r\nhello\r\n0\r\n\r\n"), _payload("chunk.sign", True, b"+5\r\nhello\r\n0\r\n\r\n"), _payload("chunk.space", True, b"5 \r\nhello\r\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n"),
    _payload("chunk.no_number", True, b"g\r\nhello\r\n0\r\n\r\n"), _payload("chunk.lf", True, b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n"), _payload("chunk.no_end", True, b"5\r\nhelloXX0\r\n\r\n"),
    _payload("chunk.64_bits", True, b"10000000000000005\r\nhello\r\n0\r\n\r\n"), _payload("chunk.trailer_no_colon", True, b"5\r\nhello\r\n0\r\nXyz\r\n\r\n"),
    _payload("chunk.trailer_frames", True, b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"),
    _payload("cut.sized", False, b"hel"), _payload("cut.chunked", True, b"5\r\nhello\r\n", b"5\r\nhe", b"5\r\nhello\r\n0\r\n"), _payload("cut.head", False, b"", end=b""),
    _payload("more.bytes", False, b"hello!", b"hello" + _SMUGGLED, closes=False), _payload("more.chunked", True, b"5\r\nhello\r\n0\r\n\r\n" + _SMUGGLED, closes=False),
    ("more.204", lambda rng, made: _bodiless(made, 204, b"hello", [b"Content-Length: 5"])), ("more.204_bare", lambda rng, made: _bodiless(made, 204, _SMUGGLED, [])),
    ("more.304", lambda rng, made: _bodiless(made, 304, b"hello", [b"Content-Length: 5"])), ("more.204_length", lambda rng, made: _bodiless(made, 204, b"", [b"Content-Length: 5"])),
    ("more.head", lambda rng, made: (setattr(made, "method", b"HEAD"), _bodiless(made, 200, b"hello", [b"Content-Length: 5"]))),
])
SLOW = set()


def _bodiless(made, status, payload, lines):
    made.status, made.payload, made.framing_lines, made.closes = status, payload, lines, False


def _case(made, number, lane, host, answer, legal=False, body=None):
    sent = b"%s /c%d HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (made.method, number, host, b"Connection: close\r\n" if made.closes else b"")
    return Case("response", number, lane, sorted(f"response.{feature}" for feature in made.features), sent=sent, method=made.method, body=body,
                answer=answer, answer_closes=made.closes, legal=legal)


def legal(rng, number, lane, host):
    made = _draft(rng)
    return _case(made, number, lane, host, made.render(), legal=True, body=made.body)


def faulty(rng, number, lane, host, fault):
    made = _draft(rng, plain=True)
    FAULTS[fault](rng, made)
    made.features.add(fault)
    return _case(made, number, lane, host, made.render())


def edited(rng, number, lane, host):
    made = _draft(rng, plain=rng.random() < 0.5)
    made.features.add("bytes")
    made.closes = True
    return _case(made, number, lane, host, edit(rng, made.render()))
