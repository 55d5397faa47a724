"""The app behind a sidecar: a small, quick HTTP/1.1 server in a process of its own, so that it can be killed.

    python3 -m ringside_testing.app PORT NAME

    GET  /healthz        200, or what /control/health?status=N set
    ANY  /               200 "NAME\\n", or the status that /control/status?status=N set
    ANY  /echo           200, JSON of method, target, headers as received (pairs) and body length and text
    GET  /slow?ms=N      200 after N milliseconds
    ANY  /status/N       status N
    GET  /bytes/N        N bytes
    POST /sink           reads the body away, answers its length
    GET  /control/counts JSON {requests, in_flight, first_health}: what was answered so far, controls and health checks
                         left out, and when (CLOCK_MONOTONIC) the first health check was passed, or null
    GET  /control/delay?ms=N   every answer of / comes N milliseconds late

Every answer carries `x-instance: NAME`. Bodies need Content-Length or chunked framing. SIGTERM ends it after what is in flight.
"""
import asyncio
import json
import signal
import sys
import time
import urllib.parse

_CHUNK = b"x" * 65536
_REASONS = {200: "OK", 404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}


class App:
    def __init__(self, name):
        self.name = name
        self.status = 200
        self.health = 200
        self.delay = 0.0
        self.requests = 0
        self.in_flight = 0
        self.first_health = None
        self.stopping = False
        self.idle = set()  # writers of connections between two requests

    def head(self, status, length, close):
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}", f"x-instance: {self.name}"]
        lines += [f"content-length: {length}"] * (status not in (204, 304))
        lines += ["connection: close"] * close
        return "\r\n".join([*lines, "", ""]).encode()

    async def serve(self, reader, writer):
        try:
            while not self.stopping and await self.one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the peer went away in the middle: its business
        finally:
            self.idle.discard(writer)
            writer.close()

    async def one(self, reader, writer):
        """One request and its answer; false when the connection is over."""
        self.idle.add(writer)
        try:
            raw = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        self.idle.discard(writer)
        first, *lines = raw[:-4].decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        names = {name.lower(): value for name, value in headers}
        url = urllib.parse.urlsplit(target)
        counted = not url.path.startswith("/control/") and url.path != "/healthz"
        self.in_flight += counted
        try:
            keep = await body_size(reader, names) if url.path != "/echo" else await body_bytes(reader, names)
            status, content = await self.answer(method, url, headers, keep)
            close = self.stopping or names.get("connection", "").lower() == "close"
            await self.send(writer, method, status, content, close)
        finally:
            self.in_flight -= counted
        self.requests += counted
        return not close

    async def send(self, writer, method, status, content, close):
        length = content if isinstance(content, int) else len(content)
        writer.write(self.head(status, length, close))
        if method != "HEAD" and isinstance(content, int):
            for start in range(0, length, len(_CHUNK)):
                writer.write(_CHUNK[:min(len(_CHUNK), length - start)])
                await writer.drain()
        elif method != "HEAD":
            writer.write(content)
        await writer.drain()

    async def answer(self, method, url, headers, body):
        query = {key: int(values[0]) for key, values in urllib.parse.parse_qs(url.query).items() if values[0].isdigit()}
        path = url.path
        if path == "/healthz":
            if self.health == 200 and self.first_health is None:
                self.first_health = time.monotonic()
            return self.health, b""
        if path.startswith("/control/"):
            return self.control(path[len("/control/"):], query)
        if path == "/echo":
            return 200, json.dumps({"method": method, "target": url.geturl(), "headers": headers, "length": len(body),
                                    "body": body.decode("latin-1")}).encode()
        if path == "/slow":
            await asyncio.sleep(query.get("ms", 0) / 1000)
        elif path.startswith("/status/"):
            return int(path.rsplit("/", 1)[1]), b""
        elif path.startswith("/bytes/"):
            return 200, int(path.rsplit("/", 1)[1])
        elif path == "/sink":
            return 200, f"{body}\n".encode()
        if self.delay:
            await asyncio.sleep(self.delay)
        return self.status, f"{self.name}\n".encode()

    def control(self, what, query):
        if what == "status":
            self.status = query["status"]
        elif what == "health":
            self.health = query["status"]
        elif what == "delay":
            self.delay = query["ms"] / 1000
        elif what != "counts":
            return 404, b""
        return 200, json.dumps({"requests": self.requests, "in_flight": self.in_flight,
                                "first_health": self.first_health}).encode()

    def stop(self):
        self.stopping = True
        for writer in list(self.idle):
            writer.close()


async def pieces(reader, names):
    """The body piece by piece, as it arrives."""
    if "chunked" in names.get("transfer-encoding", "").lower():
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            if size == 0:
                while await reader.readuntil(b"\r\n") != b"\r\n":
                    pass
                return
            yield await reader.readexactly(size)
            await reader.readexactly(2)
    left = int(names.get("content-length", "0"))
    while left:
        piece = await reader.read(min(left, 1 << 18))
        if not piece:
            raise ConnectionError("the body ended early")
        left -= len(piece)
        yield piece


async def body_size(reader, names):
    total = 0
    async for piece in pieces(reader, names):
        total += len(piece)
    return total


async def body_bytes(reader, names):
    return b"".join([piece async for piece in pieces(reader, names)])


async def main(port, name):
    app = App(name)
    server = await asyncio.start_server(app.serve, "127.0.0.1", port, backlog=4096, limit=1 << 18)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    server.close()
    app.stop()
    while app.in_flight:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
