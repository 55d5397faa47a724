"""Load that counts every answer: an open loop at a fixed rate, and a closed loop on a fixed number of connections.

Both speak HTTP/1.1 with keep-alive and never try anything again, so what they count is what a plain client would see.
"""
import asyncio
import collections
import threading
import time


class Result:
    """One request: when it fell due (seconds, monotonic), what came of it, and how long that took."""
    __slots__ = ("at", "took", "status", "error", "instance", "cause")

    def __init__(self, at):
        self.at = at
        self.took = 0.0
        self.status = 0  # 0: no whole answer
        self.error = ""
        self.instance = ""
        self.cause = ""  # x-ringside-error

    @property
    def ok(self):
        return 200 <= self.status < 400

    def __repr__(self):
        what = self.error or f"{self.status} {self.cause}"
        return f"{what} from {self.instance or '?'} after {self.took * 1000:.0f} ms"


class Results(list):
    def failed(self):
        return [result for result in self if not result.ok]

    def per_instance(self):
        return collections.Counter(result.instance for result in self if result.ok)

    def since(self, at):
        return Results(result for result in self if result.at >= at)

    def summary(self):
        bad = self.failed()
        shown = collections.Counter(result.error or f"{result.status} {result.cause}".strip() for result in bad)
        return f"{len(self)} requests, {len(bad)} failed {dict(shown) if bad else ''} {dict(self.per_instance())}"


async def exchange(reader, writer, head, result):
    """One request on an open connection; true when the connection may be used again."""
    writer.write(head)
    raw = await reader.readuntil(b"\r\n\r\n")
    lines = raw.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if "chunked" in headers.get("transfer-encoding", ""):
        while (size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)) != 0:
            await reader.readexactly(size + 2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass
    else:
        await reader.readexactly(int(headers["content-length"]))
    result.status = int(lines[0].split(" ", 2)[1])
    result.instance = headers.get("x-instance", "")
    result.cause = headers.get("x-ringside-error", "")
    return headers.get("connection", "").lower() != "close"


def request_head(service, path, method="GET", body=b""):
    length = f"content-length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nhost: {service}\r\n{length}\r\n".encode() + body


class OpenLoop:
    """`rate` GETs per second whatever comes back, from a thread of its own, until stop().

    Idle connections are used again, last in first out; one that the other side has closed is dropped before use."""

    def __init__(self, port, service, rate=200.0, path="/", timeout=10.0):
        self.port, self.rate, self.timeout = port, rate, timeout
        self.head = request_head(service, path)
        self.results = Results()
        self._idle = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Sends no more, waits for what is in flight, gives all results."""
        self._over.set()
        self._thread.join()
        return self.results

    def take(self):
        """The results so far, which are then forgotten here: for a loop without an end."""
        count = len(self.results)  # the load's thread only ever appends
        taken = Results(self.results[:count])
        del self.results[:count]
        return taken

    async def _run(self):
        started, tasks = time.monotonic(), set()
        sent = 0
        while not self._over.is_set():
            due = started + sent / self.rate
            wait = due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(self._one(due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            sent += 1
        if tasks:
            await asyncio.wait(tasks)
        for _, writer in self._idle:
            writer.close()

    async def _connection(self):
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def _one(self, due):
        result, writer, reuse = Result(due), None, False
        try:
            async with asyncio.timeout(self.timeout):
                reader, writer = await self._connection()
                reuse = await exchange(reader, writer, self.head, result)
        except (OSError, asyncio.IncompleteReadError, ValueError, KeyError, TimeoutError) as error:
            result.status = 0
            result.error = type(error).__name__
        result.took = time.monotonic() - due
        self.results.append(result)
        if reuse:
            self._idle.append((reader, writer))
        elif writer is not None:
            writer.close()


def closed_loop(port, service, connections, requests=0, seconds=0.0, path="/"):
    """`connections` clients, each sending its next request as soon as the last is answered: `requests` in all, or for `seconds`."""
    results = Results()
    head = request_head(service, path)

    async def client(left):
        reader, writer = None, None
        while left():
            result = Result(time.monotonic())
            reuse = False
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                reuse = await asyncio.wait_for(exchange(reader, writer, head, result), 30)
            except (OSError, asyncio.IncompleteReadError, ValueError, KeyError, TimeoutError) as error:
                result.status = 0
                result.error = type(error).__name__
            result.took = time.monotonic() - result.at
            results.append(result)
            if not reuse and writer is not None:
                writer.close()
                writer = None
        if writer is not None:
            writer.close()

    async def run():
        end = time.monotonic() + seconds
        given = 0

        def left():
            nonlocal given
            given += 1
            return given <= requests if requests else time.monotonic() < end

        await asyncio.gather(*(client(left) for _ in range(connections)))

    asyncio.run(run())
    return results
