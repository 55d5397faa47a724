"""What scripts about tunnels share."""
import contextlib
import select
import socket
import time

from wire import check

OFFER = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
ASK = f"GET /chat HTTP/1.1\r\nHost: shop\r\n{OFFER}Sec-WebSocket-Key: k\r\n\r\n"
SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
CONNECT = "CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n"
CONNECTED = "HTTP/1.1 200 OK\r\nx-ringside-instance: other\r\n\r\n"
UNPROCESSED = "x-ringside-unprocessed: 1\r\n"
MEANT = "x-ringside-service: shop\r\nx-ringside-ring: default\r\n"


def read_answer(wire):
    head = wire.head()
    wire.read(int(head.get("content-length") or 0))
    return head


def chat(one, other):
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


def upgraded(s, *options):
    """A caller and an app in a tunnel by Upgrade, and their proxy."""
    proxy, shop = s.pair(*options)
    caller = proxy.outbound()
    caller.send(ASK)
    app = shop.accept()
    app.head()
    app.send(SWITCH)
    caller.head()
    return proxy, caller, app


def reached(*upstreams):
    """The upstream that a connection came to, and the others."""
    ready, _, _ = select.select([one.listener for one in upstreams], [], [], 5)
    check(ready, "no connection came")
    first = next(one for one in upstreams if one.listener is ready[0])
    return first, [one for one in upstreams if one is not first]


def expect_reset(proxy, port):
    """A connection to the fixed port of that name is reset; so soon that connecting may fail by it."""
    with contextlib.suppress(ConnectionResetError):
        proxy.fixed(port).expect_end("reset")


def wait_until_closed(port):
    """Nobody listens there any more."""
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return
        time.sleep(0.01)
    check(False, "still open")
