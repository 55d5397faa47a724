"""Both sides of the proxy in one thread: callers, and the one listener that is every endpoint.

Exchanges(port of the proxy).run(n, request_of) makes n exchanges, as many at a time as there are callers, and returns when the
last answer is whole. Callers keep their connection; with `close` each exchange has one of its own, and is over when the proxy has ended it.
What does not come within the time limit, a connection that ends, an answer that is not the one expected: RuntimeError. One thread, so that
with one caller the proxy has exactly one thing to do at a time, in the same order in each run.
"""
import select
import socket
import time

BODY = b"x" * 100
_HEAD = b"HTTP/1.1 200 OK\r\nDate: Fri, 27 Nov 2026 12:00:00 GMT\r\nServer: shop/1.4\r\nContent-Type: application/json\r\n"
PLAIN = _HEAD + b"Content-Length: 100\r\n\r\n" + BODY
CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n32\r\n" + BODY[:50] + b"\r\n32\r\n" + BODY[50:] + b"\r\n0\r\n\r\n"
_TIME_LIMIT = 120


class Listener:
    """Port of all endpoints, on every address of this host."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("0.0.0.0", 0))
        self.socket.listen(1024)
        self.port = self.socket.getsockname()[1]


def whole_request(read):
    head, found, body = read.partition(b"\r\n\r\n")
    if not found:
        return False
    at = head.lower().find(b"\r\ncontent-length:")
    return len(body) == (int(head[at + 17:].split(b"\r\n", 1)[0]) if at >= 0 else 0)


class Exchanges:
    def __init__(self, listener, proxy_port, answer, callers=1, close=False):
        self.listener, self.answer = listener.socket, answer
        self._proxy, self._how_many, self._close = ("127.0.0.1", proxy_port), callers, close
        self.opened = 0  # connections that the proxy has opened so far
        self._ends_with = answer[-110:] if answer == CHUNKED else b"\r\n\r\n" + BODY
        self._epoll = select.epoll()
        self._upstream = {}  # descriptor: [socket, read so far]
        self._epoll.register(self.listener, select.EPOLLIN)
        self._callers = {}
        for _ in range(0 if close else callers):
            self._connect()

    def run(self, count, request_of):
        """request_of(k): the bytes of the k-th request."""
        sent = done = 0
        for caller in (list(self._callers) or [None] * self._how_many)[:count]:
            self._send(caller, request_of(sent))
            sent += 1
        until = time.monotonic() + _TIME_LIMIT
        while done < count:
            for descriptor, _ in self._epoll.poll(1):
                if descriptor in self._callers:
                    if self._read_answer(descriptor):
                        done += 1
                        if sent < count:
                            self._send(None if self._close else descriptor, request_of(sent))
                            sent += 1
                elif descriptor in self._upstream:
                    self._serve(descriptor)
                else:
                    self._accept()
            if time.monotonic() > until:
                raise RuntimeError(f"{done} of {count} exchanges within {_TIME_LIMIT} s")

    def _connect(self, request=b""):
        """The request goes right behind the connection: it is there when the proxy accepts."""
        caller = socket.socket()
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        caller.connect(self._proxy)
        caller.sendall(request)
        self._callers[caller.fileno()] = [caller, b""]
        self._epoll.register(caller, select.EPOLLIN)

    def _send(self, descriptor, request):
        if descriptor is None:
            self._connect(request)
        else:
            self._callers[descriptor][0].sendall(request)

    def _accept(self):
        connection, _ = self.listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._upstream[connection.fileno()] = [connection, b""]
        self._epoll.register(connection, select.EPOLLIN)
        self.opened += 1

    def _serve(self, descriptor):
        one = self._upstream[descriptor]
        read = one[0].recv(65536)
        if not read:  # the proxy does not keep this one
            self._epoll.unregister(descriptor)
            del self._upstream[descriptor]
            one[0].close()
            return
        one[1] += read
        if whole_request(one[1]):
            one[1] = b""
            one[0].sendall(self.answer)

    def _read_answer(self, descriptor):
        one = self._callers[descriptor]
        read = one[0].recv(65536)
        one[1] += read
        whole = one[1].endswith(self._ends_with)
        if not one[1].startswith(b"HTTP/1.1 200 OK\r\n") or (not read and not (whole and self._close)):
            raise RuntimeError(f"the proxy answered {one[1]!r}{'' if read else ', and closed'}")
        if not read:
            self._epoll.unregister(descriptor)
            self._callers.pop(descriptor)[0].close()
            return True
        if not whole or self._close:
            return False
        one[1] = b""
        return True

    def close(self):
        for one in [*self._callers.values(), *self._upstream.values()]:
            one[0].close()
        self._epoll.close()
