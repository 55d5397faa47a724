"""Upstreams that record every byte and answer as a case says; one listener per lane, one case at a time in a lane."""
import asyncio
import contextlib
import socket

import reading

_STRAY = b"HTTP/1.1 200 Stray\r\nContent-Length: 5\r\n\r\nstray"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LIMIT = 5.0


class Connection(asyncio.Protocol):
    """One connection from a proxy, with the requests that came on it."""

    def __init__(self, lane):
        self.lane = lane
        self.buffer = b""
        self.requests = []    # complete ones
        self.garbage = None   # why the bytes are no request
        self.expected = False
        self.ended = asyncio.get_running_loop().create_future()
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lane.connections.append(self)

    def data_received(self, data):
        self.buffer += data
        while self.buffer and self.garbage is None and not self.transport.is_closing():
            try:
                request = reading.read_request(self.buffer)
            except reading.Garbage as why:
                self.garbage = str(why)
                self.transport.abort()
                return
            if request is None:
                return
            if not self.expected and [value.lower() for value in request.values(b"expect")] == [b"100-continue"] and not request.complete:
                self.expected = True
                self.transport.write(_CONTINUE)
            if not request.complete:
                return
            self.buffer = self.buffer[request.size:]
            self.expected = False
            self.requests.append(request)
            self.answer(request)

    def answer(self, request):
        data, closes = self.lane.answer_to(request)
        self.transport.write(data)
        if closes:
            self.transport.close()

    def eof_received(self):
        return False  # closes our side too

    def connection_lost(self, _):
        if not self.ended.done():
            self.ended.set_result(None)

    def partial(self):
        """A request that was begun and never completed, or None."""
        if not self.buffer or self.garbage:
            return None
        try:
            return reading.read_request(self.buffer) or reading.Message(self.buffer)
        except reading.Garbage:
            return reading.Message(self.buffer)


class Lane:
    """Takes what one proxy sends to one upstream."""

    def __init__(self):
        self.connections = []
        self.case = None
        self.answered = False
        self.server = None
        self.port = None

    async def listen(self):
        self.server = await asyncio.get_running_loop().create_server(lambda: Connection(self), "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    def begin(self, case):
        self.case, self.answered, self.connections = case, False, []

    def answer_to(self, request):
        if self.case.is_after(request):
            return self.case.after_answer, False
        if self.answered:
            return _STRAY, False
        self.answered = True
        return self.case.answer_to(request), self.case.answer_closes

    async def settle(self):
        """Ends all connections and waits until the proxy has closed them: what it still sends is of this case."""
        for connection in self.connections:
            if not connection.transport.is_closing() and connection.transport.can_write_eof():
                with contextlib.suppress(OSError):  # the proxy has reset it, which is about to be told
                    connection.transport.write_eof()
        for connection in self.connections:
            try:
                await asyncio.wait_for(asyncio.shield(connection.ended), LIMIT)
            except asyncio.TimeoutError:
                connection.transport.abort()
                raise RuntimeError(f"case {self.case.number}: the proxy does not close a connection that its upstream has ended") from None
