"""Draws requests: a legal one by a grammar, or one with a single fault. What is special about it stands among its features."""

from case import Case

_BODY_METHODS = ("POST", "PUT", "PATCH", "PROPFIND", "REPORT", "PROPPATCH")
_PLAIN_METHODS = ("GET", "GET", "GET", "GET", "DELETE", "HEAD", "OPTIONS", "M-SEARCH", "TRACE", "MKCOL", "PURGE", "LINK", "NOTIFY")
_TAILS = {  # behind /cN in the target
    "target.plain": ("", "/a/b", "?q=1", "?a=b&c=%20&d", "/x.y;z=1"),
    "target.encoded": ("/%41%7e", "/a%2Fb", "/%e2%82%ac", "?%00"),
    "target.dots": ("/./x", "/a/../b", "/%2e%2e/x", "//x"),
    "target.marks": ("/~!$&'()*+,;=:@", "/a|b", "/[x]", "/\"q\"", "/{a}", "/^`\\", "/<>", "?[]|"),
    "target.long": ("/" + "x" * 3000,),
}
_FIELDS = {  # features and the lines that they are
    "field.usual": (b"Accept: */*", b"User-Agent: test/1 (x; y)", b"Cookie: a=b; c=\"d\"", b"Accept-Encoding: gzip, br", b"Authorization: Basic eDp5"),
    "field.case": (b"aCCept-LanguAGE: de", b"x-lower: 1", b"X-UPPER: 2"),
    "field.empty": (b"X-Empty:", b"X-Empty:   "),
    "field.space": (b"X-Space: \t a b \t ", b"X-Space:a", b"X-Space:  two  words"),
    "field.tab": (b"X-Tab: a\tb",),
    "field.bytes": (b"X-Bytes: d\xc3\xa9j\xc3\xa0", b"X-Bytes: \xff\x80"),
    "field.twice": (b"X-Twice: 1\r\nX-Twice: 2", b"Cookie: a=1\r\nCookie: b=2"),
    "field.underscore": (b"X_Under_Score: 1",),
    "field.dot": (b"X.Dot: 1",),
    "field.marks": (b"!#$%&'*+.^`|~: 1",),
    "field.long": (b"X-Long: " + b"y" * 4000,),
    "field.via": (b"Via: 1.1 edge",),
    "connection.close": (b"Connection: close", b"connection: Close"),
    "connection.keep": (b"Connection: keep-alive", b"Keep-Alive: timeout=5"),
    "connection.lists": (b"Connection: X-Hop\r\nX-Hop: 1",),
    "connection.lists_end_to_end": (b"Connection: X-Case, Host, Content-Length",),
    "te.trailers": (b"TE: trailers\r\nConnection: TE",),
    "te.other": (b"TE: gzip;q=0.5",),
    "proxy.fields": (b"Proxy-Connection: keep-alive", b"Proxy-Authorization: Basic eDp5"),
    "upgrade.h2c": (b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",),
}


class Draft:
    """A request in parts, any of which a fault may change."""

    def __init__(self, number, host):
        self.method, self.target, self.version = b"GET", b"/c%d" % number, b"HTTP/1.1"
        self.host, self.host_lines = host, None
        self.before, self.between = b"", None      # before the request line; instead of it
        self.lines = []                            # fields but Host and framing
        self.framing_lines = []
        self.data, self.chunks, self.chunk_text, self.last = None, None, None, b"0\r\n\r\n"
        self.end = b"\r\n"                         # of the head
        self.behind = b""                          # the body
        self.features = set()

    def request_line(self):
        return self.between if self.between is not None else b"%s %s %s\r\n" % (self.method, self.target, self.version)

    def render(self):
        hosts = [b"Host: " + self.host] if self.host_lines is None else self.host_lines
        fields = b"".join(line + b"\r\n" for line in [*hosts, *self.lines, *self.framing_lines])
        return self.before + self.request_line() + fields + self.end + self.body_bytes()

    def body_bytes(self):
        if self.chunk_text is not None:
            return self.chunk_text
        if self.chunks is not None:
            return b"".join(b"%s%s\r\n%s\r\n" % (size, extension, data) for size, extension, data in self.chunks) + self.last
        return self.data or b""

    def body(self):
        return b"".join(data for _, _, data in self.chunks) if self.chunks is not None else self.data or b""

    def sized(self, rng, data=None):
        self.data = data if data is not None else bytes(rng.choices(b"abc\r\n0 {}\0\xff", k=rng.choice((1, 2, 10, 100, 3000))))
        self.framing_lines = [b"Content-Length: %d" % len(self.data)]
        self.features.add("body.sized")

    def chunked(self, rng):
        self.chunks = []
        for _ in range(rng.randrange(4)):
            data = bytes(rng.choices(b"abc\r\n0 ", k=rng.choice((1, 5, 15, 16, 300))))
            size = b"%x" % len(data)
            if rng.random() < 0.2:
                size = rng.choice((size.upper(), b"00" + size))
                self.features.add("chunk.size")
            extension = b""
            if rng.random() < 0.2:
                extension = rng.choice((b";a=b", b";a", b";a=\"b;c\"", b";a=b;c=d"))
                self.features.add("chunk.extension")
            self.chunks.append((size, extension, data))
        if rng.random() < 0.25:
            self.last = b"0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n"
            self.features.add("chunk.trailers")
        self.framing_lines = [rng.choice((b"Transfer-Encoding: chunked", b"transfer-encoding:  Chunked", b"Transfer-Encoding: CHUNKED"))]
        self.features.add("body.chunked")


def draft(rng, number, host, plain=False):
    """A legal request; `plain`: with little that is special."""
    made = Draft(number, host)
    if rng.random() < (0.6 if plain else 0.5):
        made.method = rng.choice(_BODY_METHODS[:2] if plain else _BODY_METHODS).encode()
        draw = rng.random()
        if draw < 0.45:
            made.sized(rng)
        elif draw < 0.9:
            made.chunked(rng)
        elif draw < 0.95:
            made.sized(rng, b"")
            made.features.add("body.zero")
    else:
        made.method = (b"GET" if plain else rng.choice(_PLAIN_METHODS).encode())
        if not plain and rng.random() < 0.15 and made.method != b"TRACE":
            made.sized(rng, b"a body")
            made.features.add("body.unusual")
    made.features.add(f"method.{made.method.decode()}")
    if plain:
        return made
    tail = rng.choices(list(_TAILS), (8, 2, 2, 2, 1))[0]
    made.target += rng.choice(_TAILS[tail]).encode("latin-1")
    made.features.add(tail)
    for feature in rng.sample(list(_FIELDS), rng.choice((0, 1, 1, 2, 3))):
        made.lines.append(rng.choice(_FIELDS[feature]))
        made.features.add(feature)
    _legal_variation(rng, made)
    return made


def _legal_variation(rng, made):
    draw = rng.random()
    if draw < 0.12 and "body.chunked" not in made.features:
        made.version = b"HTTP/1.0"
        made.features.add("old")
        if rng.random() < 0.4:
            made.lines.append(b"Connection: keep-alive")
            made.features.add("connection.keep")
    elif draw < 0.2:
        made.target = b"http://" + made.host + made.target
        made.features.add("absolute")
        if rng.random() < 0.4:
            made.host_lines = [b"Host: elsewhere"]
            made.features.add("absolute.other_host")
    elif draw < 0.3:
        spelled = rng.choice((b"%s:80", b"%s.", b"%s.ringside", b"%s:"))
        made.host = rng.choice((spelled % made.host, made.host.upper()))
        made.features.add("host.spelling")
    elif draw < 0.35:
        made.before = b"\r\n"
        made.features.add("empty_line")
    elif draw < 0.4 and made.data:
        made.lines.append(b"Expect: 100-continue")
        made.features.add("expect")


def _text(name, **changes):
    def change(rng, made):
        for part, value in changes.items():
            setattr(made, part, value)
    return name, change


def _line(name, *texts):
    """A fault in a field line."""
    return name, lambda rng, made: made.lines.insert(rng.randrange(len(made.lines) + 1), rng.choice(texts))


def _first(name, *forms):
    """A fault in the request line; %m method, %t target."""
    return name, lambda rng, made: setattr(made, "between", rng.choice(forms).replace(b"%m", made.method).replace(b"%t", made.target))


def _framing(name, *choices):
    """A fault in the lines that frame a body of five bytes, given once counted and once in chunks."""
    def change(rng, made):
        made.method, made.chunks, made.data = b"POST", None, None
        made.framing_lines = list(rng.choice(choices))
        coded = any(b"ransfer" in line for line in made.framing_lines)
        made.chunk_text = b"5\r\nhello\r\n0\r\n\r\n" if coded else b"hello"
    return name, change


def _chunk(name, *texts):
    def change(rng, made):
        made.method, made.chunks, made.data = b"POST", None, None
        made.framing_lines, made.chunk_text = [b"Transfer-Encoding: chunked"], rng.choice(texts)
    return name, change


def _hosts(name, *choices):
    return name, lambda rng, made: setattr(made, "host_lines", [line.replace(b"%h", made.host) for line in rng.choice(choices)])


_CHUNKED = b"Transfer-Encoding: chunked"
_TAIL = b"\r\nhello\r\n0\r\n\r\n"

FAULTS = dict([
    _first("line.no_version", b"%m %t\r\n"), _first("line.two_spaces", b"%m  %t HTTP/1.1\r\n", b"%m %t  HTTP/1.1\r\n"),
    _first("line.tab", b"%m\t%t\tHTTP/1.1\r\n", b"%m %t\tHTTP/1.1\r\n"), _first("line.four_parts", b"%m %t x HTTP/1.1\r\n"),
    _first("line.space_behind", b"%m %t HTTP/1.1 \r\n"), _first("line.space_before", b" %m %t HTTP/1.1\r\n"),
    _first("line.method_case", b"get %t HTTP/1.1\r\n", b"Get %t HTTP/1.1\r\n"), _first("line.method_unknown", b"BREW %t HTTP/1.1\r\n", b"GETX %t HTTP/1.1\r\n"),
    _first("line.method_no_token", b"G{T %t HTTP/1.1\r\n", b"G@T %t HTTP/1.1\r\n"),
    _first("line.version_2", b"%m %t HTTP/2.0\r\n"), _first("line.version_12", b"%m %t HTTP/1.2\r\n"), _first("line.version_09", b"%m %t HTTP/0.9\r\n"),
    _first("line.version_110", b"%m %t HTTP/1.10\r\n", b"%m %t HTTP/01.1\r\n"), _first("line.version_case", b"%m %t http/1.1\r\n"),
    _first("line.version_word", b"%m %t HTTPS/1.1\r\n", b"%m %t HTTP/1,1\r\n"),
    _first("line.relative", b"%m c HTTP/1.1\r\n"), _first("line.fragment", b"%m %t#x HTTP/1.1\r\n"), _first("line.byte", b"%m %t\xc3\xa9 HTTP/1.1\r\n"),
    _first("line.control", b"%m %t\x01 HTTP/1.1\r\n", b"%m %t\x7f HTTP/1.1\r\n"), _first("line.nul", b"%m %t\0 HTTP/1.1\r\n"),
    _first("line.cr", b"%m %t\r HTTP/1.1\r\n", b"%m %t HTTP/1.1\r\r\n"), _first("line.lf", b"%m %t HTTP/1.1\n"),
    _first("line.user", b"%m http://bank@lane/%t HTTP/1.1\r\n"), _first("line.authority", b"%m lane:80 HTTP/1.1\r\n"),
    _first("line.asterisk", b"GET * HTTP/1.1\r\n"), _first("line.https", b"%m https://lane%t HTTP/1.1\r\n"),
    _text("line.two_empty", before=b"\r\n\r\n"), _text("line.lf_before", before=b"\n"), _text("line.nul_before", before=b"\0"),
    _text("head.lf", end=b"\n"), _text("head.cr", end=b"\r\r\n"),
    _line("field.no_colon", b"Xyz", b"GET /x HTTP/1.1"), _line("field.no_name", b": x", b":"),
    _line("field.space_before_colon", b"X : y", b"X\t: y"), _line("field.space_in_name", b"X Y: z"), _line("field.bracket", b"X[1]: z", b"X(y): z"),
    _line("field.byte_in_name", b"X\xc3\xa9: z"), _line("field.folded", b"X: a\r\n b", b"X: a\r\n\tb", b"X:\r\n a"), _line("field.blank", b" ", b"\t"),
    _line("field.lf", b"X: a\nY: b"), _line("field.cr", b"X: a\rb", b"X: a\rY: b"), _line("field.cr_end", b"X: a\r"), _line("field.nul", b"X: a\0b"),
    _line("field.control", b"X: a\x01b", b"X: \x1b[31m", b"X: \x7f"), _line("field.connection", b"Connection: close x", b"Connection: \"x\""),
    _line("field.many", *[b"\r\n".join(b"X-%d: y" % i for i in range(300))]), _line("field.20k", b"X: " + b"y" * 20000), _line("field.70k", b"X: " + b"y" * 70000),
    _hosts("host.none", []), _hosts("host.same_twice", [b"Host: %h", b"host: %h"]), _hosts("host.two", [b"Host: %h", b"Host: bank"]),
    _hosts("host.list", [b"Host: %h, bank"]), _hosts("host.path", [b"Host: %h/x"]), _hosts("host.user", [b"Host: bank@%h"]),
    _hosts("host.bad_port", [b"Host: %h:80x"], [b"Host: %h:1:2"], [b"Host: %h:999999"]), _hosts("host.empty", [b"Host:"], [b"Host:  "]),
    _hosts("host.space", [b"Host: %h bank"]), _hosts("host.other", [b"Host: bank"], [b"Host: bank.example"]), _hosts("host.address", [b"Host: 127.0.0.1"], [b"Host: [::1]:80"]),
    _hosts("host.byte", [b"Host: b\xc3\xa4nk"]),
    _framing("length.beside_coding", [b"Content-Length: 5", _CHUNKED], [_CHUNKED, b"Content-Length: 5"], [b"Content-Length: 15", _CHUNKED]),
    _framing("length.same_twice", [b"Content-Length: 5", b"Content-Length: 5"]), _framing("length.two", [b"Content-Length: 5", b"Content-Length: 3"], [b"Content-Length: 0", b"Content-Length: 5"]),
    _framing("length.empty", [b"Content-Length:"], [b"Content-Length:  "]), _framing("length.sign", [b"Content-Length: +5"], [b"Content-Length: -5"]),
    _framing("length.hex", [b"Content-Length: 0x5"], [b"Content-Length: 5h"]), _framing("length.list", [b"Content-Length: 5, 5"], [b"Content-Length: 5,"], [b"Content-Length: 5, 6"]),
    _framing("length.space", [b"Content-Length: 5 5"], [b"Content-Length: 0 5"]), _framing("length.fraction", [b"Content-Length: 5.0"], [b"Content-Length: 5e0"]),
    _framing("length.tab", [b"Content-Length:\t5"], [b"Content-Length: 5\t"]), _framing("length.64_bits", [b"Content-Length: 18446744073709551621"], [b"Content-Length: 9223372036854775808"]),
    _framing("length.zeros", [b"Content-Length: 0005"]), _framing("length.shorter", [b"Content-Length: 3"]), _framing("length.longer", [b"Content-Length: 9"]),
    _framing("length.waits", [b"Content-Length: 5000"]), _framing("length.continued", [b"Content-Length:\r\n 5"]),
    _framing("coding.comma", [b"Transfer-Encoding: ,chunked"], [b"Transfer-Encoding: chunked,"]),
    _framing("coding.twice", [b"Transfer-Encoding: chunked, chunked"], [_CHUNKED, _CHUNKED]), _framing("coding.unknown", [b"Transfer-Encoding: xchunked"], [b"Transfer-Encoding: chunkedx"]),
    _framing("coding.gzip", [b"Transfer-Encoding: gzip, chunked"], [b"Transfer-Encoding: gzip"]), _framing("coding.chunked_first", [b"Transfer-Encoding: chunked, identity"], [b"Transfer-Encoding: chunked, gzip"]),
    _framing("coding.identity", [b"Transfer-Encoding: identity"]), _framing("coding.quoted", [b"Transfer-Encoding: \"chunked\""]), _framing("coding.parameter", [b"Transfer-Encoding: chunked;q=1"]),
    _framing("coding.empty", [b"Transfer-Encoding:"]), _framing("coding.control", [b"Transfer-Encoding: \x0bchunked"], [b"Transfer-Encoding: chunked\0"]),
    _framing("coding.tab", [b"Transfer-Encoding: chunked\t"], [b"Transfer-Encoding:\tchunked"]), _framing("coding.split", [b"Transfer-Encoding: chun ked"], [b"Transfer-Encoding : chunked"]),
    _framing("coding.folded", [b"Transfer-Encoding:\r\n chunked"]),
    _chunk("chunk.0x", b"0x5" + _TAIL), _chunk("chunk.sign", b"+5" + _TAIL, b"-5" + _TAIL), _chunk("chunk.space_before", b" 5" + _TAIL), _chunk("chunk.space_behind", b"5 " + _TAIL, b"5\t" + _TAIL),
    _chunk("chunk.no_size", _TAIL), _chunk("chunk.no_number", b"g" + _TAIL, b"5g" + _TAIL), _chunk("chunk.64_bits", b"10000000000000005" + _TAIL),
    _chunk("chunk.lf_size", b"5\nhello\r\n0\r\n\r\n"), _chunk("chunk.lf_data", b"5\r\nhello\n0\r\n\r\n"), _chunk("chunk.cr_data", b"5\r\nhello\r0\r\n\r\n"), _chunk("chunk.no_end", b"5\r\nhello0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n"),
    _chunk("chunk.longer", b"4" + _TAIL), _chunk("chunk.shorter", b"6" + _TAIL), _chunk("chunk.ext_cr", b"5;a\rb" + _TAIL), _chunk("chunk.ext_lf", b"5;a\nb" + _TAIL),
    _chunk("chunk.ext_nul", b"5;a\0" + _TAIL), _chunk("chunk.ext_empty", b"5;" + _TAIL), _chunk("chunk.ext_space", b"5; a" + _TAIL, b"5;a = b" + _TAIL), _chunk("chunk.ext_long", b"5;" + b"x" * 5000 + _TAIL),
    _chunk("chunk.cr_cr", b"5\r\r\nhello\r\n0\r\n\r\n"), _chunk("chunk.last_lf", b"5\r\nhello\r\n0\n\r\n"), _chunk("chunk.end_lf", b"5\r\nhello\r\n0\r\n\n"),
    _chunk("chunk.trailer_folded", b"5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n"), _chunk("chunk.trailer_no_colon", b"5\r\nhello\r\n0\r\nXyz\r\n\r\n"), _chunk("chunk.trailer_cr", b"5\r\nhello\r\n0\r\nX: a\rb\r\n\r\n"),
    _chunk("chunk.trailer_frames", b"5\r\nhello\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\nHost: bank\r\n\r\n"), _chunk("chunk.no_last", b"5\r\nhello\r\n"),
    _chunk("chunk.zeros", b"000005\r\nhello\r\n0000\r\n\r\n"), _chunk("chunk.many_zeros", b"0" * 40 + b"5" + _TAIL),
    ("coding.old", lambda rng, made: (_framing("", [_CHUNKED])[1](rng, made), setattr(made, "version", b"HTTP/1.0"))),
])
# Cases of these wait for a timeout of the proxies: few of them.
SLOW = {"length.waits"}


def legal(rng, number, lane, host):
    made = draft(rng, number, host)
    return _case(made, number, lane, rng, legal=True, body=made.body())


def faulty(rng, number, lane, host, fault):
    made = draft(rng, number, host, plain=True)
    FAULTS[fault](rng, made)
    made.features.add(fault)
    return _case(made, number, lane, rng)


_SPICE = b"\r\n\t ,;:0xX+-\0\x7f\x80chunked/"


def edit(rng, data):
    """One to three bytes changed, dropped or doubled."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data))
        draw = rng.randrange(4)
        if draw == 0:
            data[at] = rng.choice(_SPICE)
        elif draw == 1:
            del data[at:at + rng.randint(1, 3)]
        elif draw == 2:
            data.insert(at, rng.choice(_SPICE))
        else:
            begin = rng.randrange(len(data))
            data[at:at] = data[begin:begin + rng.randint(1, 12)]
        if not data:
            return b"\r\n"
    return bytes(data)


def edited(rng, number, lane, host):
    made = draft(rng, number, host, plain=rng.random() < 0.5)
    case = _case(made, number, lane, rng)
    case.sent = edit(rng, case.sent)
    case.features = (*case.features, "bytes")
    return case


def _case(made, number, lane, rng, legal=False, body=None):
    # Without a name that means this lane, only the lane's own port leads there.
    named = rng.random() < 0.8
    return Case("request", number, lane, sorted(made.features), sent=made.render(), method=made.method, body=body, named=named, legal=legal)


