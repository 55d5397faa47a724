"""Wire scripts as rows: a name, the rule it shows, and steps with exact bytes on both sides.

A row is written with the words below, each of which makes one step:

    Row("TheLengthIsKept", "sized_body", sends(post("Content-Length: 2"), "hi"),
        app_gets(seen_post("Content-Length: 2"), "hi"), answers(OK), gets(OK))

Expected bytes are exact but for ID, which stands for a request id that the proxy has drawn. At the
end of a row nothing else may have come to either side.
"""
import re
import select

from wire import OK, Mismatch, check

# What the proxy adds to each request; ID is matched, not compared.
XFF = "X-Forwarded-For: 127.0.0.1"
_ID = "\0" * 32
ID = f"x-request-id: {_ID}"
INSTANCE = "x-ringside-instance: self-1-00000001"


def head(first, *fields):
    return "\r\n".join([first, *fields]) + "\r\n\r\n"


def get(*fields):
    return head("GET / HTTP/1.1", "Host: shop", *fields)


def post(*fields):
    return head("POST / HTTP/1.1", "Host: shop", *fields)


def seen(request):
    """What the app sees of a request's head if all its fields pass."""
    return f"{request[:-2]}{XFF}\r\n{ID}\r\n\r\n"


def seen_get(*fields):
    return seen(get(*fields))


def seen_post(*fields):
    return seen(post(*fields))


def ok(*fields):
    return head("HTTP/1.1 200 OK", *fields)


EMPTY = ok("Content-Length: 0")
CHUNKED = "Transfer-Encoding: chunked"


def chunk(text):
    return f"{len(text):x}\r\n{text}\r\n"


LAST = "0\r\n\r\n"


class Play:
    """A row as it runs: the proxy, the app's listener, and the connection of each side that the steps talk of."""

    def __init__(self, proxy, shop, door):
        self.proxy, self.shop, self.door = proxy, shop, door
        self.caller = door()
        self.app = None

    def at_app(self):
        if self.app is None:
            self.app = self.shop.accept()
        return self.app

    def finish(self):
        for side, wire in (("caller", self.caller), ("app", self.app)):
            if wire is not None and wire.sock.fileno() >= 0:
                readable, _, _ = select.select([wire.sock], [], [], 0)
                left = wire.buffer or (readable and not wire.ended and wire.sock.recv(65536))
                check(not left, f"the {side} got more: {left!r}")


class Row:
    """`options` are those of wire_proxy; `side` is what stands before the app: see Script."""

    def __init__(self, name, rule, *steps, options=(), side="pair"):
        self.name, self.rule, self.steps, self.options, self.side = name, rule, steps, options, side

    def __call__(self, script):
        proxy, shop = getattr(script, self.side)(*self.options)
        play = Play(proxy, shop, proxy.inbound if self.side == "inbound" else proxy.outbound)
        for number, step in enumerate(self.steps, 1):
            try:
                step(play)
            except Mismatch as mismatch:
                raise Mismatch(f"step {number}: {mismatch}") from None
        play.finish()


def _expect(wire, text):
    got = wire.read(len(text)).decode("latin-1")
    pattern = re.escape(text).replace(re.escape(_ID), "[0-9a-f]{32}")
    check(re.fullmatch(pattern, got), f"expected {text!r}, got {got!r}")


# Steps with bytes: the parts of one step are sent, or expected, as one text.
def sends(*parts):
    return lambda play: play.caller.send("".join(parts))


def app_gets(*parts):
    return lambda play: _expect(play.at_app(), "".join(parts))


def answers(*parts):
    return lambda play: play.at_app().send("".join(parts))


def gets(*parts):
    return lambda play: _expect(play.caller, "".join(parts))


# Steps without.
def ends(play):
    """The caller's connection has ended, in order and with nothing unread."""
    play.caller.expect_end()


def breaks(play):
    """The caller's connection was reset: what came must not look complete."""
    play.caller.expect_end("reset")


def app_ends(play):
    play.at_app().expect_end()


def app_closes(play):
    play.at_app().close()


def app_half_closes(play):
    play.at_app().end()


def half_closes(play):
    play.caller.end()


def new_caller(play):
    play.caller = play.door()


def new_app(play):
    """What the app gets next comes by a fresh connection."""
    play.app = None


def app_hears_nothing(play):
    if play.app is not None and not play.app.ended:
        play.app.expect_quiet(0.02)
    play.shop.expect_no_connection(0.02)


def counts(*words):
    def step(play):
        stats = play.proxy.ask("stats").split()
        for word in words:
            check(word in stats, f"no {word} in {stats}")
    return step


def _own_answer(play, status, cause, detail):
    got = play.caller.head()
    check(got.first.startswith(f"HTTP/1.1 {status} "), got.text)
    got.expect(got.first, x_ringside_error=cause, content_type="text/plain; charset=utf-8")
    body = play.caller.read(int(got.get("content-length"))).decode()
    check(body.startswith(f"ringside: {cause}: {detail}\n"), body)
    return got


def answered(status, cause, detail, connection=None):
    """The proxy answers itself; it goes on unless `connection` is close."""
    def step(play):
        got = _own_answer(play, status, cause, detail).get("connection")
        check(got == connection, f"connection: expected {connection}, got {got}")
    return step


def refused(reason, status=400, cause="bad_request"):
    """The proxy answers itself, counts the reason, and ends the connection."""
    def step(play):
        check(_own_answer(play, status, cause, reason).get("connection") == "close", "no word of the close")
        play.caller.expect_end()
        counts(f"bad_request:{reason}=1")(play)
    return step


# Rows of one shape.
def passes(name, rule, request, seen, response=OK, got=None, **more):
    return Row(name, rule, sends(request), app_gets(seen), answers(response),
               gets(response if got is None else got), **more)


def refusal(name, rule, request, reason, status=400, cause="bad_request", **more):
    """Refused by its head: the app hears nothing, and what stands behind it is not served."""
    return Row(name, rule, sends(request), refused(reason, status, cause), app_hears_nothing, **more)


def bad_chunks(name, rule, body, reason="bad_chunk"):
    """A request whose body turns bad when its head has been passed on: the app gets nothing of what is bad."""
    return Row(name, rule, sends(post(CHUNKED)), app_gets(seen_post(CHUNKED)), sends(body), refused(reason), app_ends)


def bad_response(name, rule, response, reason, request=None):
    """A response that is told, not passed on; its connection is not used again."""
    asked = request or get()
    return Row(name, rule, sends(asked), app_gets(seen(asked)), answers(response),
               answered(502, "bad_response", reason), counts(f"bad_response:{reason}=1"), app_ends)
